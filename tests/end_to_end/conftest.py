"""A real Triton on a repository that the command line exported: the default embedder in int8 and a tiny reranker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlingua_exporter.export import export
from interlingua_exporter.export_request import ExportRequest
from interlingua_exporter.models.resolve import resolve
from interlingua_server.embedded import EmbeddedServer
from tests.support.command_line import interlingua
from tests.support.once import once
from tests.support.services import ONE_INSTANCE, Services, settings_for
from tests.support.tiny_models import MakeFolder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "end_to_end" in item.path.parts:
            item.add_marker("server")


@pytest.fixture(scope="session")
def repository(run_folder: Path, default_export: Path, make_folder: MakeFolder) -> Path:
    """As the command line exports them; nobody changes it."""

    def add_reranker(folder: Path) -> None:
        shutil.copytree(default_export / "models", folder, dirs_exist_ok=True)
        done = interlingua("export", make_folder("xlm-roberta", labels=1), "--model-repository", folder)
        assert done.returncode == 0, done.stderr

    return once(run_folder / "repository", add_reranker)


@pytest.fixture(scope="session")
def tiny_repository(run_folder: Path, make_folder: MakeFolder) -> Path:
    """A tiny embedder and a tiny reranker, both version 1, an instance each; nobody changes it."""

    def export_both(folder: Path) -> None:
        for model in (make_folder("xlm-roberta", pooling="mean"), make_folder("xlm-roberta", labels=1)):
            asked = ExportRequest(model=resolve(str(model)), precision="fp32", repository=folder, serving=ONE_INSTANCE)
            export(asked, lambda _: None)

    return once(run_folder / "tiny-repository", export_both)


@pytest.fixture(scope="session")
def server(repository: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(settings_for(repository)) as running:
        yield running


@pytest.fixture(scope="session")
def services(server: EmbeddedServer) -> Services:
    return Services(server)
