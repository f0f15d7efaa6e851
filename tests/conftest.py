"""What a run's tests share: tiny models, each network's one export; and what a busy machine must not change."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from interlingua.base.paths import PROJECT_ROOT
from tests.support.command_line import interlingua
from tests.support.installed_wheel import InstalledWheel, build_wheel
from tests.support.once import once
from tests.support.shared_exports import kept_exports, share_exports
from tests.support.tiny_models import SPECIALS, MakeFolder, save_tiny, train_tokenizer

# Tiny networks give a second thread nothing to do, and it spins while it waits: where others want the cores, too, two
# threads take many times as long as one. For the processes that tests start as well.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# An example may take as long as the machine is busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# What takes longest comes first, so that no worker is left with it in the end; and first of it the files that ask one
# server, which one worker has.
_FIRST = ("end_to_end", "exporter")
_ONE_SERVER = {
    f"tests/end_to_end/test_{name}.py"
    for name in ("adapt_mine", "evaluate", "loadtest", "reranker_table", "search", "services")
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def late(item: pytest.Item) -> list[bool]:
        return [item.nodeid.split("::")[0] not in _ONE_SERVER, *(folder not in item.path.parts for folder in _FIRST)]

    items.sort(key=late)


def pytest_collection_finish() -> None:
    """What is imported stays: looking for cycles in it again and again is a tenth of an export's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`: the files of one server, too, stay on one worker."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "one server" if file in _ONE_SERVER else file

    return Together(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has all workers' temporary files."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def run_folder(scratch: Path) -> Path:
    """What is made in it with `once` is made once in a run; in `make test`, which names it, for all its parts."""
    return Path(os.environ.get("INTERLINGUA_TEST_RUN") or scratch / "run")


@pytest.fixture(scope="session")
def shared_exports(run_folder: Path, scratch: Path) -> None:
    """From its first use on, a worker exports no network that this run, or one of the same code, exported already."""
    share_exports(run_folder / "exports", kept_exports(PROJECT_ROOT / "build" / "test-exports"), scratch)


@pytest.fixture
def torch_exports(shared_exports: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - they were shared
    """Every network of this test is exported by torch, though the run may have the same already."""
    from interlingua_exporter.graphs.onnx import onnx_graph

    monkeypatch.setattr(onnx_graph, "export_onnx", onnx_graph.export_onnx.__wrapped__)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def tokenizer_json(run_folder: Path, shared_exports: None) -> dict[str, bytes]:  # noqa: ARG001 - tiny models want both
    """A byte-level BPE trained on the parity texts, with the specials of each family."""

    def train(folder: Path) -> None:
        for family, specials in SPECIALS.items():
            (folder / family).write_text(train_tokenizer(specials), encoding="utf-8")

    folder = once(run_folder / "tokenizers", train)
    return {family: (folder / family).read_bytes() for family in SPECIALS}


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> MakeFolder:
    """make_folder(family, labels=None, pooling=None, normalize=False, prompts=None, ...) -> a model folder."""

    def make(family: str = "bert", **options: Any) -> Path:
        return save_tiny(tmp_path_factory.mktemp("models") / f"tiny-{family}", tokenizer_json, family, **options)

    return make


@pytest.fixture(scope="session")
def default_export(run_folder: Path, shared_exports: None) -> Path:  # noqa: ARG001 - its network is one of them
    """The default embedder in int8, as the command line exports it, in `models`; what the command says of it, in
    `export.json`. Raises what the command says: among others, that the archive cannot be had."""

    def export(folder: Path) -> None:
        asked = ("multilingual-e5-small", "--precision", "int8", "--model-repository", folder / "models", "--json")
        done = interlingua("export", *asked)
        assert done.returncode == 0, done.stderr
        (folder / "export.json").write_text(done.stdout, encoding="utf-8")

    return once(run_folder / "default-export", export)


@pytest.fixture(scope="session")
def installed_wheel(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> InstalledWheel:
    """What a user has who installed the wheel; nobody changes it."""
    (wheel,) = once(run_folder / "wheel", build_wheel).glob("*.whl")
    return InstalledWheel.install(wheel, tmp_path_factory.mktemp("wheel") / "venv")
