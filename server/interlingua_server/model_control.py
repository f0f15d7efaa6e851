"""Model control of one running Triton: load a model again, ask what is ready.

    load(model) --gRPC, admin key--> Triton reads the model's folder, loads what its config names beside what runs,
                                     changes over at once, and lets the old instances finish

What Triton 24.10 does with a load, as its log and tests/end_to_end/test_versions.py show: every version that the
configuration names is loaded anew, those that were served go on until all new ones are ready, requests under way end
where they began, versions no longer named are unloaded. Where one version fails, all of the load is given up, and what
was served stays.
"""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import ServerError
from interlingua.base.http_port import http_port_advice
from interlingua.served.launch_flags import ADMIN_HEADER
from interlingua.served.watch.canary import QUESTIONS
from interlingua_server.run_record import running

if TYPE_CHECKING:
    from pathlib import Path

    from tritonclient.grpc import InferenceServerClient
    from tritonclient.utils import InferenceServerException

_METADATA_KEY = f"triton-grpc-protocol-{ADMIN_HEADER}"  # as Triton expects it on gRPC
_LOAD_TIMEOUT_S = 600.0
_ASK_TIMEOUT_S = 30.0


class ModelControl:
    """One server, and the key to its model control."""

    def __init__(self, address: str, admin_key: str) -> None:
        """`address` is host:port of gRPC. Nothing is asked yet."""
        self.address = address
        self._headers = {_METADATA_KEY: admin_key}

    def load(self, model: str) -> None:
        """Load a model as its folder now says, and ask it a first question; what it served before goes on meanwhile.

        Raises:
            ServerError: the server is away, refuses the key, or cannot load it; then nothing has changed.
        """
        from tritonclient.utils import InferenceServerException

        with closing(self._client()) as client:
            try:
                client.load_model(model, headers=self._headers, client_timeout=_LOAD_TIMEOUT_S)
            except InferenceServerException as error:
                raise self._explained(error, f"{self.address} could not load {model}") from error
        self._ask_first(model)

    def _ask_first(self, model: str) -> None:
        """Have each version of a service measure its network, so that no user's request waits for that.

        A version that does not answer tells whoever asks it why.
        """
        if model not in QUESTIONS:
            return
        from tritonclient.grpc import InferInput
        from tritonclient.utils import InferenceServerException

        with closing(self._client()) as client:
            inputs = [InferInput(name, [1, 1], "BYTES") for name in QUESTIONS[model]]
            for tensor, text in zip(inputs, QUESTIONS[model].values(), strict=True):
                tensor.set_data_from_numpy(np.array([[text.encode()]], dtype=np.object_))
            versions: list[str] = []
            with suppress(InferenceServerException):
                versions = client.get_model_metadata(model, client_timeout=_ASK_TIMEOUT_S).versions
            for version in versions:
                with suppress(InferenceServerException):
                    client.infer(model, inputs, version, client_timeout=_ASK_TIMEOUT_S)

    def is_ready(self, model: str, version: int) -> bool:
        """Whether a version answers. Raises ServerError: the server is away."""
        from tritonclient.utils import InferenceServerException

        with closing(self._client()) as client:
            try:
                return bool(client.is_model_ready(model, str(version), client_timeout=_ASK_TIMEOUT_S))
            except InferenceServerException as error:
                if _is_away(error):
                    raise self._explained(error, "") from error
                return False

    def _client(self) -> InferenceServerClient:
        from tritonclient.grpc import InferenceServerClient

        return InferenceServerClient(self.address)

    def _explained(self, error: InferenceServerException, what: str) -> ServerError:
        reason = str(error.message() or error.status()).strip()
        if _is_away(error):
            return ServerError(
                http_port_advice(self.address)
                or f"cannot reach a server at {self.address} ({reason}): start one with `interlingua serve`"
            )
        if "restricted" in reason:
            return ServerError(
                f"{self.address} refuses to load models with this key: give the server's own with --admin-key or "
                "INTERLINGUA_ADMIN_KEY"
            )
        if "model control is disabled" in reason or "load / unload is not allowed" in reason:
            return ServerError(
                f"{self.address} does not load models while it runs ({reason}): start it with "
                "--model-control-mode=explicit, as `interlingua serve` does"
            )
        return ServerError(f"{what}: {reason}")


def servers_of(model_repository: Path) -> tuple[ModelControl, ...]:
    """The servers of this user that run on a repository, as `interlingua serve` noted them."""
    return tuple(ModelControl(record.address, record.admin_key) for record in running(model_repository))


def _is_away(error: InferenceServerException) -> bool:
    if "restricted" in str(error.message()):
        return False
    return "UNAVAILABLE" in str(error.status()) or "DEADLINE_EXCEEDED" in str(error.status())
