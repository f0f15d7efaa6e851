"""The world's late-interaction models go through the gate and are published, checked against the library itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.published import Published
from interlingua.served.late_interaction.sides import LateInteraction, SideRules
from interlingua.served.service import ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS, RERANK
from interlingua_cli.export import command
from interlingua_exporter.gate.library_gate import ask_libraries
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.exporter import multi_vector_folders as folders

FIGURES = [
    "query texts with other rows",
    "query vectors against sentence-transformers",
    "document texts with other rows",
    "document vectors against sentence-transformers",
    "scores against sentence-transformers",
]


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders.backbone(tmp_path_factory.mktemp("bare") / "bert", "bert")


def test_a_folder_is_exported_and_published(bare: Path, tmp_path: Path) -> None:
    folder = folders.pylate(tmp_path / "tiny-colbert", bare)
    result = CliRunner().invoke(command, [str(folder), "--model-repository", str(tmp_path / "models")])
    assert result.exit_code == 0, result.output or result.exception
    assert "sentence-transformers" in result.output
    published = Published.read(tmp_path / "models")
    for service, longest in ((RERANK, 30), (ENCODE_QUERY_TOKENS, 20), (ENCODE_DOCUMENT_TOKENS, 30)):
        spec = published.models[service].spec(1)
        sides = LateInteraction.from_text(spec.interaction)
        dimension = 0 if service == RERANK else folders.DIMENSION
        assert (spec.model_id, spec.dimension, spec.max_tokens) == ("tiny-colbert", dimension, longest)
        assert sides.query.expansion is not None
        assert (sides.query.max_tokens, sides.document.max_tokens, sides.weighting) == (20, 30, "sum")


def test_the_library_is_asked(bare: Path, tmp_path: Path) -> None:
    makers = {"stanford": folders.stanford, "pylate": folders.pylate, "native": folders.native, "bge": folders.bge}
    for name, make in makers.items():
        head = "late-interaction" if name == "bge" else None
        loaded = sources.load(resolve(str(make(tmp_path / name, bare))), Overrides(head=head))
        asked = ask_libraries(loaded)
        assert [figure.name for figure in asked.figures] == FIGURES, name
        assert all(figure.passed for figure in asked.figures)
        assert "sentence-transformers 6" in asked.asked[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"marker_id": 7}, "query texts with other rows", id="marker"),
        pytest.param({"expansion": None}, "query texts with other rows", id="expansion"),
        pytest.param({"max_tokens": 12}, "query texts with other rows", id="cut"),
    ],
)
def test_a_wrong_reading_of_queries_is_refused(
    wrong: dict[str, object], message: str, bare: Path, tmp_path: Path
) -> None:
    loaded = sources.load(resolve(str(folders.pylate(tmp_path / "tiny", bare))), Overrides())
    assert loaded.interaction is not None
    query = replace(loaded.interaction.query, **wrong)  # type: ignore[arg-type]
    changed = replace(loaded, interaction=replace(loaded.interaction, query=query))
    with pytest.raises(ExportError, match=message):
        ask_libraries(changed)


def test_another_score_or_skipped_words_are_refused(bare: Path, tmp_path: Path) -> None:
    loaded = sources.load(resolve(str(folders.native(tmp_path / "tiny", bare))), Overrides())
    assert loaded.interaction is not None
    document = SideRules(max_tokens=loaded.interaction.document.max_tokens)
    for changed, message in (
        (replace(loaded.interaction, scale=1.1), "scores against sentence-transformers"),
        (replace(loaded.interaction, document=document), "document texts with other rows"),
    ):
        with pytest.raises(ExportError, match=message):
            ask_libraries(replace(loaded, interaction=changed))


def test_what_the_user_says_against_the_folder(bare: Path, tmp_path: Path) -> None:
    folder = folders.pylate(tmp_path / "tiny", bare)
    loaded = sources.load(resolve(str(folder)), Overrides(max_tokens=25))
    assert loaded.interaction is not None
    assert (loaded.interaction.query.max_tokens, loaded.interaction.document.max_tokens) == (20, 25)
    assert all(figure.passed for figure in ask_libraries(loaded).figures)
    with pytest.raises(InputError, match=f"--max-tokens 90 is beyond the model's own {folders.WINDOW}"):
        sources.load(resolve(str(folder)), Overrides(max_tokens=90))
    for overrides in (Overrides(pooling="cls"), Overrides(query_prompt="q: "), Overrides(dimension=8)):
        with pytest.raises(InputError, match="is a late-interaction model: it has no pooling"):
            sources.load(resolve(str(folder)), overrides)


def test_an_embedder_without_the_head(bare: Path) -> None:
    with pytest.raises(InputError, match=r"no late-interaction model.*an embedder with colbert_linear\.pt"):
        sources.load(resolve(str(bare)), Overrides(head="late-interaction"))


def test_the_head_of_an_embedder_goes_through_the_gate(tmp_path: Path) -> None:
    """XLM-R with colbert_linear.pt, as bge-m3: the ONNX network against torch, rows and scores against the library."""
    folder = folders.bge(tmp_path / "tiny-m3", folders.backbone(tmp_path / "bare", "xlm-roberta"))
    arguments = [str(folder), "--head", "late-interaction", "--model-repository", str(tmp_path / "models"), "--json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output or result.exception
    figures = {figure["name"]: figure for figure in json.loads(result.stdout)["gate"]["figures"]}
    assert {*FIGURES, "error against torch"} <= figures.keys()
    published = Published.read(tmp_path / "models")
    spec = published.models[ENCODE_QUERY_TOKENS].spec(1)
    sides = LateInteraction.from_text(spec.interaction)
    assert (spec.dimension, spec.max_tokens, sides.weighting) == (folders.DIMENSION, folders.WINDOW, "mean")
    assert sides.query == sides.document
