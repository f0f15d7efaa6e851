"""`lint` finds an error in a repository if, and only if, Triton refuses one of its models."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tritonclient.grpc as triton

from interlingua.served.launch_flags import ADMIN_HEADER
from interlingua_exporter.lint import LintSettings, Repository, lint
from interlingua_server.embedded import EmbeddedServer
from tests.end_to_end.loaded_repositories import NAMED, model
from tests.exporter.lint.lint_repositories import CPU, Files, graph, onnx_model, write
from tests.support.services import settings_for


class Loader:
    """A Triton that is given one repository after the other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._start()

    def _start(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)
        self._server = EmbeddedServer(settings_for(write(self._root, model(name="first"))))
        self._server.start()
        self._client = triton.InferenceServerClient(self._server.settings.grpc_address)
        self._headers = {f"triton-grpc-protocol-{ADMIN_HEADER}": self._server.admin_key}

    def stop(self) -> None:
        self._client.close()
        self._server.stop(at_once=True)

    def refusals(self, repository: Path) -> list[str]:
        """What Triton says of the models that it refuses; nothing is left of them.

        Once in some hundred loads Triton 24.10 ended by itself: then another one is asked, once.
        """
        try:
            return self._refusals(repository)
        except triton.InferenceServerException as error:
            if error.status() != "StatusCode.UNAVAILABLE":
                raise
            self.stop()
            self._start()
            return self._refusals(repository)

    def _refusals(self, repository: Path) -> list[str]:
        names = sorted(path.name for path in repository.iterdir())
        for name in names:
            shutil.copytree(repository / name, self._root / name)
        said = [found for name in names if (found := self._load(name))]
        for name in reversed(names):
            self._client.unload_model(name, headers=self._headers)
        while self._loaded(names):
            time.sleep(0.02)
        for name in names:
            shutil.rmtree(self._root / name)
        return said

    def _load(self, name: str) -> str:
        try:
            self._client.load_model(name, headers=self._headers)
        except triton.InferenceServerException as error:
            if error.status() == "StatusCode.UNAVAILABLE":
                raise
            return str(error)
        return ""

    def _loaded(self, names: list[str]) -> bool:
        index = self._client.get_model_repository_index(headers=self._headers).models
        return any(entry.name in names and entry.state in ("READY", "UNLOADING") for entry in index)


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    loader = Loader(tmp_path_factory.mktemp("loader") / "models")
    yield loader
    loader.stop()


def errors(repository: Path) -> list[str]:
    found = lint(Repository.read(repository, LintSettings(gpu=False)))
    return [f"{one.code} {one.what}" for one in found if one.severity == "error"]


@pytest.mark.parametrize("name", NAMED)
def test_refused_if_and_only_if_there_is_an_error(loader: Loader, tmp_path: Path, name: str) -> None:
    repository = write(tmp_path / "models", NAMED[name])
    said, found = loader.refusals(repository), errors(repository)
    assert bool(said) == bool(found), f"Triton: {said or 'loaded'}; lint: {found or 'no error'}"


START = 'control_input { name: "S" control { kind: CONTROL_SEQUENCE_START int32_false_true: [0, 1] } }'
RAGGED_IO = (
    'input { name: "ids" data_type: TYPE_INT64 dims: -1 allow_ragged_batch: true } '
    'output { name: "out" data_type: TYPE_INT64 dims: -1 } '
)
BEYOND_OURS: dict[str, tuple[Files, str]] = {
    "a control": (onnx_model(CPU + f"sequence_batching {{ {START} }}"), "sequence_batching.control_input"),
    "a state": (
        onnx_model(
            CPU + 'sequence_batching { state { input_name: "S" output_name: "out" data_type: TYPE_INT64 dims: -1 } }',
            graph(names=("ids", "S")),
        ),
        "sequence_batching.state",
    ),
    "a ragged batch": (onnx_model(CPU, graph(shape=("values",)), RAGGED_IO), "input.allow_ragged_batch"),
}


@pytest.mark.parametrize("name", BEYOND_OURS)
def test_what_only_nvidias_onnx_runtime_backend_takes_is_said(loader: Loader, tmp_path: Path, name: str) -> None:
    files, field = BEYOND_OURS[name]
    repository = write(tmp_path / "models", files)
    (said,) = loader.refusals(repository)
    assert f"makes no tensors for {field}: serve the model in NVIDIA's container" in said
    found = {one.code: one for one in lint(Repository.read(repository))}
    assert (found["ONX008"].severity, found["ONX008"].field) == ("warning", field)
