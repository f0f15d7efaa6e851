"""Triton backend `torch`, Python-based: runs a transformers model itself, for what cannot be exported to ONNX.

It has the tensors of an ONNX network (token ids in, `embedding` or `score` out, float32), so that the services on it
are the same. It reads instance kind and device, intra_op_thread_count, inter_op_thread_count and, of the version,
trust_remote_code from config.pbtxt; everything else from the version's network.json.

    requests --faulty ones out, group by shape--> [n, L] tensors --ServedNetwork.run--> outputs --> responses

Nothing is fetched. The model's own code, where it was published with it, runs with the rights of this process.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

# Read when transformers is imported. A folder of its own for each process: transformers copies a model's code there
# and imports the copy, and two processes that start together must not meet over it.
_CODE = tempfile.mkdtemp(prefix="interlingua-torch-")
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_MODULES_CACHE": _CODE,
    "TOKENIZERS_PARALLELISM": "false",
}
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where interlingua.served lies beside this backend

import triton_python_backend_utils as pb_utils

from interlingua.served.model_config import TritonConfig, names_of, parameters_of
from interlingua.served.networks.request_faults import fault
from interlingua.served.networks.request_groups import Inputs, Outputs, answer_in_groups
from interlingua.served.watch.activity import Activity
from interlingua.served.watch.stubs import end_with_parent

end_with_parent()
ACTIVITY = Activity()


class TritonPythonModel:
    """One instance: one network on one device, used by one group of requests at a time."""

    def initialize(self, args: dict[str, str]) -> None:
        _require_torch()
        from interlingua.served.networks.served_network import ServedNetwork

        config: TritonConfig = json.loads(args["model_config"])
        parameters = parameters_of(config)
        version = args["model_version"]
        _set_threads(parameters)
        try:
            self._network = ServedNetwork(
                Path(args["model_repository"]) / version,
                device=_device(args["model_instance_kind"], int(args["model_instance_device_id"])),
                trust_remote_code=parameters.get(f"{version}/trust_remote_code") == "true",
            )
        except ValueError as error:
            raise pb_utils.TritonModelException(str(error)) from error
        self._inputs = names_of(config["input"])
        self._output = config["output"][0]["name"]
        self._check_tensors(config)

    def finalize(self) -> None:
        shutil.rmtree(_CODE, ignore_errors=True)

    def _check_tensors(self, config: TritonConfig) -> None:
        """config.pbtxt and network must agree, as the other backends demand."""
        description, dims = self._network.description, list(map(int, config["output"][0]["dims"]))
        ours = (sorted(self._inputs), self._output, dims)
        theirs = (sorted(description.inputs), description.output, [description.dimension])
        if ours != theirs:
            raise pb_utils.TritonModelException(f"config.pbtxt has tensors {ours}, the network has {theirs}")

    @ACTIVITY
    def execute(self, requests: list[Any]) -> list[Any]:
        rows = [
            [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs]
            for request in requests
        ]
        faults = [fault(self._network.description, dict(zip(self._inputs, arrays, strict=True))) for arrays in rows]
        sound = [position for position, reason in enumerate(faults) if not reason]
        answers = dict(zip(sound, answer_in_groups([rows[at] for at in sound], self._run), strict=True))
        return [
            _refusal(reason) if reason else self._response(answers[position]) for position, reason in enumerate(faults)
        ]

    def _run(self, arrays: Inputs) -> Outputs:
        return [self._network.run(dict(zip(self._inputs, arrays, strict=True)))]

    def _response(self, answer: Outputs | Exception) -> Any:
        if isinstance(answer, Exception):
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"torch: {answer}"))
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor(self._output, answer[0])])


def _refusal(reason: str) -> Any:
    code = pb_utils.TritonError.INVALID_ARG
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"torch: {reason}", code))


def _require_torch() -> None:
    """Without torch this very folder, which the stub has on its path, would be imported in its place."""
    import torch

    if not hasattr(torch, "Tensor"):
        raise pb_utils.TritonModelException(
            "torch is not installed in this server's Python environment: a server that was started before the "
            "repository held a torch network has to be started again; in a container install torch and transformers"
        )


def _set_threads(parameters: dict[str, str]) -> None:
    import torch

    for name, setter in (
        ("intra_op_thread_count", torch.set_num_threads),
        ("inter_op_thread_count", torch.set_num_interop_threads),
    ):
        value = parameters.get(name, "0")
        if not value.isdecimal():
            raise pb_utils.TritonModelException(f"parameter {name} is {value!r}, not a whole number")
        if int(value):
            setter(int(value))


def _device(kind: str, device: int) -> str:
    if kind != "GPU":
        return "cpu"
    import torch

    if not torch.cuda.is_available():
        raise pb_utils.TritonModelException(
            "instance_group asks for KIND_GPU, but this torch sees no GPU: install a build of torch with CUDA in the "
            "server's environment, or export with --kind cpu"
        )
    return f"cuda:{device}"
