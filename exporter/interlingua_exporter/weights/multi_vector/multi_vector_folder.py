"""Loads a late-interaction model of the world from its folder, whichever of four layouts it has.

folder --layout_of--> its layout --read_stated--> StatedModel --load--> Checkpoint: graph, sides, tokenizer.json
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua_exporter.graphs.checkpoint import Checkpoint, LibraryFolder
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.weights.multi_vector import bge_layout, native_layout, stanford_layout
from interlingua_exporter.weights.multi_vector.stated_keys import StatedKeys
from interlingua_exporter.weights.multi_vector.tokenized_sides import tokenized_sides, with_sealed_markers
from interlingua_exporter.weights.statements.known_files import refuse_adapters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua.served.late_interaction.sides import LateInteraction
    from interlingua_exporter.models.spec import Head
    from interlingua_exporter.weights.multi_vector.stated_sides import Layout, StatedModel
    from interlingua_exporter.weights.multi_vector.token_layers import TokenLayer


def layout_of(folder: Path) -> Layout | None:
    """The layout in which a folder says by itself that it is a late-interaction model; None where it does not."""
    match read_object(folder / native_layout.SAID).get("model_type"):
        case native_layout.NATIVE:
            return "sentence-transformers"
        case native_layout.PYLATE:
            return "PyLate"
    names = read_object(folder / "config.json").get("architectures")
    return "Stanford" if isinstance(names, list) and stanford_layout.ARCHITECTURE in names else None


def is_multi_vector(folder: Path, head: Head | None) -> bool:
    """Whether the folder is read as a late-interaction model: it says so, or an embedder is wanted with its head."""
    return folder.is_dir() and (head == "late-interaction" or layout_of(folder) is not None)


def read_stated(name: str, folder: Path) -> StatedModel:
    """What the folder says. Raises InputError: nothing of late interaction, or what cannot be exported."""
    refuse_adapters(folder)
    match layout_of(folder):
        case "Stanford":
            stated = stanford_layout.read_stanford(folder)
        case None if (folder / bge_layout.HEAD).is_file():
            stated = bge_layout.read_bge(folder)
        case None:
            raise InputError(
                f"{name}: {folder} is no late-interaction model: a MultiVectorEncoder or PyLate's ColBERT by its "
                f"{native_layout.SAID}, {stanford_layout.ARCHITECTURE} by its config.json, or an embedder with "
                f"{bge_layout.HEAD}"
            )
        case _:
            stated = native_layout.read_native(folder)
    if refused := [remark.text for remark in stated.remarks if remark.refused]:
        raise InputError(f"{name} cannot be exported as its folder describes it: {'; '.join(refused)}")
    return stated


def load(
    folder: Path,
    *,
    model_id: str = "",
    max_tokens: int | None = None,
    remote_code: bool = False,
) -> Checkpoint:
    """The model in a folder.

    Args:
        model_id: its name; the folder's own where it is empty.
        max_tokens: of documents, instead of the folder's own length, and of longer queries.

    Raises:
        InputError: the folder is no such model, lacks weights, or has parts that cannot be exported.
    """
    from interlingua_exporter.graphs.folder_network import load_network
    from interlingua_exporter.graphs.multi_vector_graph import MultiVectorGraph, local_window
    from interlingua_exporter.graphs.position_rows import probe
    from interlingua_exporter.weights.folder_tokenizer import read_tokenizer
    from interlingua_exporter.weights.library_tokenizer import load_tokenizer
    from interlingua_exporter.weights.multi_vector.token_layers import load_layer

    folder = folder.resolve()
    name = model_id or folder.name
    stated = _within(name, read_stated(name, folder), max_tokens)
    spec = ModelSpec(
        id=name,
        role="reranker",
        source=FolderSource(folder),
        pooling="none",
        normalize=False,
        head="late-interaction",
        licence=stated.licence,
        remote_code=remote_code,
    )
    read = read_tokenizer(name, stated.transformer, lowercase=stated.lowercase, remote_code=remote_code)
    adapters = tuple(_adapters(name, stated))
    network, unused = load_network(replace(spec, role="embedder", pooling="mean", head="none"), stated.transformer)
    config: Any = network.config.get_text_config()  # type: ignore[union-attr, operator]
    layers = [load_layer(layer) for layer in _chain(name, stated, int(config.hidden_size))]
    graph = MultiVectorGraph(network, layers).eval()
    window = _window(name, stated, probe(graph, pad_token_id=config.pad_token_id).positions)
    tokenizer = load_tokenizer(stated.transformer, remote_code=remote_code)
    sides = tokenized_sides(name, stated, tokenizer, window)
    _require_followed(name, sides, local_window(network))
    return Checkpoint(
        spec=replace(spec, max_tokens=max(sides.query.max_tokens, sides.document.max_tokens)),
        graph=graph,
        inputs=(INPUT_IDS, ATTENTION_MASK),
        dimension=stated.layers[-1].outputs if stated.layers else int(config.hidden_size),
        vocabulary=int(config.vocab_size),
        tokenizer_json=with_sealed_markers(read.content, sides),
        pad_token_id=0 if config.pad_token_id is None else int(config.pad_token_id),
        notes=(*read.notes, *adapters, *_notes(stated, unused)),
        library=_library(folder, stated, tokenizer),
        interaction=sides,
    )


def _adapters(name: str, stated: StatedModel) -> Iterator[str]:
    """Tells which language's adapters an X-MOD has for all texts. Raises InputError: it does not say."""
    config = StatedKeys.read(stated.transformer / "config.json")
    if config.text("model_type") == "xmod":
        if not (language := config.text("default_language")):
            raise InputError(
                f"{name}: {config.path} has adapters for {len(config.texts('languages') or ())} languages and no "
                "default_language: say there whose adapters all texts go through"
            )
        yield f"texts in all languages go through the adapters of {language}, its default_language"


def _library(folder: Path, stated: StatedModel, tokenizer: Any) -> LibraryFolder:
    """What the gate asks sentence-transformers with, or why it does not."""
    known = tokenizer.get_vocab()
    lost = [side.marker for side in (stated.query, stated.document) if side.marker not in known]
    unasked = ""
    if stated.layout == "Stanford" and lost:
        unasked = f"it writes the marker {lost[0]} as text, and colbert-ai, which is followed, as its unknown token"
    return LibraryFolder(
        folder=folder,
        transformer=stated.transformer,
        unasked=unasked,
        lowercase=stated.lowercase,
        head=folder / bge_layout.HEAD if stated.layout == "bge-m3" else None,
    )


def _within(name: str, stated: StatedModel, max_tokens: int | None) -> StatedModel:
    """Documents cut to the user's length; queries keep theirs where it is shorter, and where they are expanded.

    Raises:
        InputError: it is beyond the model's own window.
    """
    if max_tokens is None:
        return stated
    if stated.window is not None and max_tokens > stated.window:
        raise InputError(f"{name}: --max-tokens {max_tokens} is beyond the model's own {stated.window}")
    query = stated.query
    if not query.expansion:
        query = replace(query, max_tokens=min(max_tokens, query.max_tokens or max_tokens))
    return replace(stated, query=query, document=replace(stated.document, max_tokens=max_tokens))


def _window(name: str, stated: StatedModel, positions: int | None) -> int:
    """Tokens of the longest row. Raises InputError: nobody says how many."""
    lengths = [side.max_tokens for side in (stated.query, stated.document)]
    known = [limit for limit in (stated.window, positions) if limit is not None]
    if not known and None in lengths:
        raise InputError(f"{name}: its folder does not say how many tokens a text may have: give --max-tokens")
    return min(known) if known else max(length for length in lengths if length)


def _chain(name: str, stated: StatedModel, width: int) -> tuple[TokenLayer, ...]:
    """The layers over states of a width. Raises InputError: one does not take what the part before it gives."""
    for place, layer in enumerate(stated.layers, start=1):
        if layer.inputs != width:
            raise InputError(f"{name}: dense layer {place} takes {layer.inputs} values, and gets {width}")
        width = layer.outputs
    return stated.layers


def _require_followed(name: str, sides: LateInteraction, window: int | None) -> None:
    """Raises InputError: rows whose local attention sees no token, which libraries and graphs compute differently."""
    expansion = sides.query.expansion
    shortest = 2 + (sides.query.marker_id is not None)
    if expansion and not expansion.attended and window and expansion.length > window // 2 + shortest:
        raise InputError(
            f"{name}: queries are expanded to {expansion.length} tokens that are not attended, and layers with a "
            f"window of {window} see none but those from {window // 2 + shortest} tokens on, which has no one answer"
        )


def _notes(stated: StatedModel, unused: tuple[str, ...]) -> Iterator[str]:
    yield from (note for note in unused if stanford_layout.PROJECTION not in note)
    if stated.lowercase:
        yield "texts are lower-cased, as sentence_bert_config.json asks"
    yield from (remark.text for remark in stated.remarks)
