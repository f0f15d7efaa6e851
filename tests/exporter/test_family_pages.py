"""docs/models: one page a family. What it tells a user to type can be typed; what it states is the catalogue's."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pytest

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua.repository.triton_config import Placement
from interlingua.served.kinds import PRECISIONS, Precision
from interlingua_cli import VERBS, cli
from interlingua_cli.export import VERBS as EXPORT_VERBS
from interlingua_evaluation.systems.system_name import SystemName
from interlingua_exporter.models.catalog import CATALOG, Entry, find, read_catalog
from interlingua_exporter.models.exportable import obstacles, status
from interlingua_exporter.models.memory_need import memory_need, parameters
from interlingua_exporter.models.models_table import amount
from interlingua_exporter.models.spec import ArchiveSource, DeltaSource, ModelSpec
from interlingua_exporter.precision.precision_choice import require_allowed, require_runnable
from interlingua_exporter.texts.text_frame import with_task
from tests.exporter.family_pages import FOLDER, Page, option, read_page

ENTRIES = read_catalog(CATALOG)
PAGES = [read_page(path) for path in sorted(FOLDER.glob("*.md"))]
USUAL_TOKENS = 1024  # of a call, for which the first memory figure is

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.stem)


def parsed(arguments: tuple[str, ...]) -> dict[str, Any]:
    """The options of a command as click reads them, nothing executed. Raises click.UsageError."""
    command: click.Command = cli
    name, rest = "interlingua", list(arguments)
    while isinstance(command, click.Group) and rest:
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            break
        name, command, rest = rest[0], found, rest[1:]
    if command is cli:
        raise click.UsageError(f"no verb {arguments[0]}")
    return command.make_context(name, rest).params


def known_on(page: Page, folder: Path) -> tuple[Entry, ...]:
    """The page's own entries, then ours."""
    own = read_catalog(own_catalogue(page, folder)) if page.entries else ()
    return (*own, *ENTRIES)


def own_catalogue(page: Page, folder: Path) -> Path:
    path = folder / "mine.toml"
    path.write_text(page.entries, encoding="utf-8")
    return path


def exports(page: Page) -> list[tuple[str, ...]]:
    """What is exported, compared or verified: `export`, the model, its options."""
    found = [arguments for arguments in (*page.commands, *page.mentioned) if arguments[0] == "export"]
    return [(verb, *rest[rest[0] in EXPORT_VERBS :]) if rest else (verb,) for verb, *rest in found]


def test_every_entry_is_on_one_page() -> None:
    assert Counter(row["model"] for page in PAGES for row in page.table("model")) == Counter(
        entry.spec.id for entry in ENTRIES
    )


@each_page
def test_the_stated_facts_are_the_catalogues(page: Page) -> None:
    for row in page.table("model"):
        spec = find(row["model"], ENTRIES)
        assert spec is not None
        lengths = f" ({' '.join(map(str, spec.dimensions))})" if spec.dimensions else ""
        assert row == {
            "model": spec.id,
            "parameters": amount(parameters(spec)),
            "window": str(spec.max_tokens),
            "vector": f"{spec.embedding_length}{lengths}" if spec.role == "embedder" else "score",
            "languages": str(spec.languages.count or "see the card"),
            "licence": spec.licence,
            "here": status(spec),
        }


@each_page
def test_the_stated_memory_and_verdicts_are_the_catalogues(page: Page) -> None:
    rows = page.table("GB an instance")
    names = [row["model"].rpartition("/")[2] for row in page.table("model")]
    assert [row.pop("GB an instance") for row in rows] == names
    for name, row in zip([row["model"] for row in page.table("model")], rows, strict=True):
        spec = find(name, ENTRIES)
        assert spec is not None
        assert row == {number_format: cell(spec, number_format) for number_format in PRECISIONS}


def cell(spec: ModelSpec, number_format: Precision) -> str:
    """Gigabytes in usual calls, (for one text of the full window,) and the verdict."""
    verdict = spec.verdict(number_format)
    if verdict == "forbidden":
        return verdict
    usual, full = memory_need(spec, number_format), memory_need(spec, number_format, longest=spec.max_tokens)
    assert usual is not None
    assert full is not None
    longer = f" ({full.total / 1e9:.1f})" if spec.max_tokens > USUAL_TOKENS else ""
    return f"{usual.total / 1e9:.1f}{longer} {verdict}"


@each_page
def test_every_command_can_be_typed(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_catalogue(page, tmp_path)
    (tmp_path / "documents.jsonl").write_text("{}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert page.commands
    for arguments in (*page.commands, *page.mentioned):
        if len(arguments) == 1 and arguments in page.mentioned:
            assert arguments[0] in VERBS
            continue
        for name in parsed(arguments).get("systems") or ():
            SystemName.parse(name)


@pytest.mark.parametrize(
    "arguments",
    [
        ("exprot", "bge-m3"),
        ("export", "bge-m3", "--precison", "fp16"),
        ("export", "bge-m3", "--precision", "fp8"),
        ("export", "bge-m3", "--instances", "none"),
        ("export", "bge-m3", "--catalog", "not-there.toml"),
        ("models", "show"),
        ("search", "--index", "var/index"),
    ],
    ids=["verb", "option", "choice", "number", "file", "no model", "no question"],
)
def test_a_command_that_cannot_be_typed_is_noticed(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        parsed(arguments)


@each_page
def test_the_entries_allow_what_is_exported(page: Page, tmp_path: Path) -> None:
    """Precision, cut, task, window, runtime and own code; of these the default pair takes precision alone."""
    known = known_on(page, tmp_path)
    for arguments in exports(page):
        spec = find(arguments[1], known)
        assert spec is not None, f"{arguments[1]} is in no catalogue"
        precision: Any = option(arguments, "--precision", "fp32")
        kind: Any = option(arguments, "--kind", "cpu")
        require_allowed(spec, precision)
        runtime: Any = option(arguments, "--runtime") or None
        if runtime != "torch":
            require_runnable(precision, Placement(kind, 1, 1), fuse="--fuse" in arguments)
        assert obstacles(spec, runtime) == (), arguments
        assert (precision, runtime) != ("int8", "torch")
        overrides = {"--task", "--dimension", "--max-tokens", "--query-prompt", "--document-prompt"} & {*arguments}
        assert not (overrides and isinstance(spec.source, ArchiveSource | DeltaSource)), arguments
        assert int(option(arguments, "--max-tokens", "8")) <= spec.max_tokens
        if "--task" in arguments:
            with_task(spec, option(arguments, "--task"))
        if "--dimension" in arguments:
            assert int(option(arguments, "--dimension")) in spec.dimensions
        assert ("--trust-remote-code" in arguments) == spec.remote_code, arguments


@each_page
def test_a_page_goes_from_weights_to_answers(page: Page) -> None:
    """What is served was exported on the page, and what is searched was indexed."""
    default = str(DEFAULT_MODEL_REPOSITORY)
    made = {option(arguments, "--model-repository", default) for arguments in page.verb("export")}
    for verb in ("serve", "evaluate"):
        assert page.verb(verb)
        assert {option(arguments, "--model-repository", default) for arguments in page.verb(verb)} <= made
    indexes = {option(arguments, "--index") for arguments in page.verb("index")}
    assert page.verb("search")
    assert {option(arguments, "--index") for arguments in page.verb("search")} <= indexes


@each_page
def test_an_entry_of_ones_own_changes_only_what_it_says(page: Page, tmp_path: Path) -> None:
    """Read as a catalogue file: the model it is like is on the page, and prompts, head and limits are that model's."""
    assert page.entries
    ours = {row["model"] for row in page.table("model")}
    stated = {row["id"]: row for row in tomllib.loads(page.entries)["model"]}
    for entry in read_catalog(own_catalogue(page, tmp_path)):
        row = stated[entry.spec.id]
        assert row["like"] in ours
        like = find(row["like"], ENTRIES)
        assert like is not None
        for name in ("role", "query_prompt", "document_template", "pair_template", "head", "max_tokens", "licence"):
            assert getattr(entry.spec, name) == row.get(name, getattr(like, name))


@each_page
def test_links_lead_somewhere(page: Page) -> None:
    assert [link for link in page.links if not (page.path.parent / link).exists()] == []
