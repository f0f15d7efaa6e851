#!/bin/sh
# tritonclient 2.73.0: a missing text in a BYTES input reaches the server as the word "None" or "nan".
#
# One would guess: set_data_from_numpy refuses what is neither bytes nor str, as it refuses every array whose dtype does
# not fit the input (a float array for BYTES raises); or a missing value goes out as an empty text.
# What happens: whatever an array of objects holds goes through str(). The server gets four letters that it cannot tell
# from a text, and embeds them: all documents without a title have one and the same vector, that of "None" or "nan",
# and a question with either word in it finds them. Lists and dicts arrive as their Python repr.
# Who is hit: batches out of a pandas column or a database with gaps. Nothing is raised or logged on either side.
# Seen: None, nan, ['Fonts', 'Sizes'] received as b'None', b'nan', b"['Fonts', 'Sizes']"; an array of floats is refused.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'tritonclient[grpc]==2.73.0' numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import grpc
import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException, deserialize_bytes_tensor

received = []


class Listener(service_pb2_grpc.GRPCInferenceServiceServicer):
    """The server's side of the protocol: keeps the texts that arrive."""

    def ModelInfer(self, request, context):
        received.extend(deserialize_bytes_tensor(request.raw_input_contents[0]).tolist())
        return service_pb2.ModelInferResponse(model_name=request.model_name)


server = grpc.server(ThreadPoolExecutor(1))
service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Listener(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()

titles = np.array(["Set up a printer", None, float("nan"), ["Fonts", "Sizes"], {"title": "Sound"}], dtype=object)
texts = InferInput("text", [len(titles)], "BYTES").set_data_from_numpy(titles)
with InferenceServerClient(f"127.0.0.1:{port}") as client:
    client.infer("embedder", [texts])
server.stop(None).wait()

try:
    InferInput("text", [1], "BYTES").set_data_from_numpy(np.array([1.5]))
    floats = "taken"
except InferenceServerException as error:
    floats = f"refused: {error.message()}"

print("tritonclient", version("tritonclient"))
print("sent    ", titles.tolist())
print("received", received)
print("an array of floats is", floats)
expected = [b"Set up a printer", b"None", b"nan", b"['Fonts', 'Sizes']", b"{'title': 'Sound'}"]
sys.exit(0 if received == expected and floats != "taken" else "changed: objects that are no text are treated otherwise")
PYTHON
