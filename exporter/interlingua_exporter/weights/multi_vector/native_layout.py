"""A late-interaction model in the layout of sentence-transformers 6 (MultiVectorEncoder), or of PyLate, its forerunner.

modules.json, config_sentence_transformers.json, sentence_bert_config.json, 2_MultiVectorMask --> StatedModel

sentence-transformers reads both, and is the measure; but for lengths that a PyLate folder does not state: there
PyLate's own count (180 and 32), and not the length of the text that was encoded last before saving, which
max_seq_length holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.weights.multi_vector.native_settings import query_limit, stated_expansion, stated_pooling
from interlingua_exporter.weights.multi_vector.stated_keys import StatedKeys
from interlingua_exporter.weights.multi_vector.stated_sides import (
    PUNCTUATION,
    StatedExpansion,
    StatedModel,
    StatedSide,
)
from interlingua_exporter.weights.multi_vector.token_layers import read_layer
from interlingua_exporter.weights.statements.known_files import file_remarks
from interlingua_exporter.weights.statements.known_keys import remarks
from interlingua_exporter.weights.statements.remark import Remark
from interlingua_exporter.weights.statements.sentence_layout import licence_of
from interlingua_exporter.weights.statements.sentence_modules import inside, module_rows
from interlingua_exporter.weights.statements.window import read_window, tokenizer_argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from interlingua.served.late_interaction.sides import Weighting

SAID = "config_sentence_transformers.json"
TEXTS = "sentence_bert_config.json"
NATIVE, PYLATE = "MultiVectorEncoder", "ColBERT"  # what `model_type` says

_TYPE = re.compile(
    r"(?:sentence_transformers\.(?:models|(?:base|sentence_transformer|multi_vector_encoder)\.modules)(?:\.[a-z_]+)?"
    r"|pylate\.models\.Dense)\.(Transformer|Dense|Normalize|MultiVectorMask|HierarchicalTokenPooling)"
)
_ORDER = {
    NATIVE: re.compile(
        "Transformer (Dense )*(MultiVectorMask Normalize |Normalize MultiVectorMask )(HierarchicalTokenPooling )?"
    ),
    PYLATE: re.compile("Transformer (Dense )*"),
}
_DOCUMENT = ("document", "passage", "corpus")
_WEIGHTING: dict[str, Weighting] = {"maxsim": "sum", "meanmaxsim": "mean"}
_PYLATE_QUERY, _PYLATE_DOCUMENT = 32, 180  # tokens, where its folder does not say


def read_native(folder: Path) -> StatedModel:
    """What the folder says. Raises InputError: modules that cannot be exported, or a file that is none."""
    said = StatedKeys.read(folder / SAID, required=True)
    kind = said.text("model_type")
    parts = _parts(folder, kind)
    transformer = parts[0][1]
    texts, tokenizer = StatedKeys.read(transformer / TEXTS), read_object(transformer / "tokenizer_config.json")
    config = read_object(transformer / "config.json", required=True)
    window, unread = read_window(transformer, config, {} if kind == PYLATE else texts.values, tokenizer)
    mask = _of(parts, "MultiVectorMask")
    make = _pylate_sides if kind == PYLATE else _native_sides
    query, document = make(said, texts, StatedKeys.read(mask / "config.json") if mask else StatedKeys(folder, {}))
    found = [
        *unread,
        *remarks(folder / SAID, said.values, "late-interaction model"),
        *remarks(transformer / TEXTS, texts.values, "late-interaction texts"),
        *remarks(transformer / "config.json", config),
        *remarks(transformer / "tokenizer_config.json", tokenizer),
        *_part_remarks(parts),
        *file_remarks(folder, transformer, [part for _, part in parts]),
    ]
    sides = (tokenizer_argument(texts.values, "padding_side"), tokenizer.get("padding_side"))
    if next((side for side in sides if side is not None), "right") == "left" and query.expansion:
        found.append(Remark(f"{transformer}: queries are expanded on the left, before their text", refused=True))
    if (similarity := said.text("similarity_fn_name", "maxsim")) not in _WEIGHTING and kind == NATIVE:
        found.append(Remark(f"{folder / SAID}: similarity_fn_name is {similarity!r}, not maxsim or meanmaxsim", True))
    return StatedModel(
        layout="PyLate" if kind == PYLATE else "sentence-transformers",
        transformer=transformer,
        layers=tuple(read_layer(part) for name, part in parts if name == "Dense"),
        query=query,
        document=document,
        window=window,
        licence=licence_of(folder / "README.md"),
        weighting=_WEIGHTING.get(similarity, "sum"),
        pooling=stated_pooling(_of(parts, "HierarchicalTokenPooling")),
        lowercase=texts.flag("do_lower_case", usual=False),
        remarks=tuple(found),
    )


def _parts(folder: Path, kind: str) -> list[tuple[str, Path]]:
    """Kind and folder of every module. Raises InputError: others, or in another order."""
    path = folder / "modules.json"
    rows = module_rows(path)
    names = [found[1] if (found := _TYPE.fullmatch(str(row["type"]))) else "" for row in rows]
    if not _ORDER[kind].fullmatch("".join(f"{name} " for name in names)):
        raise InputError(
            f"{path} of a late-interaction model asks for {', '.join(str(row['type']) for row in rows) or 'nothing'}; "
            "what can be exported is Transformer, then Dense layers, "
            f"{'and nothing else' if kind == PYLATE else 'MultiVectorMask and Normalize'}, in this order"
        )
    return [(name, inside(folder, row.get("path", ""))) for name, row in zip(names, rows, strict=True)]


def _of(parts: list[tuple[str, Path]], wanted: str) -> Path | None:
    return next((part for name, part in parts if name == wanted), None)


def _part_remarks(parts: list[tuple[str, Path]]) -> Iterator[Remark]:
    tables = {"MultiVectorMask": "MultiVectorMask", "Normalize": "TokenNormalize"}
    for name, part in parts:
        config = read_object(part / "config.json")
        if name in tables:
            yield from remarks(part / "config.json", config, tables[name])
        if name == "Normalize" and config.get("module_input_name") != "token_embeddings":
            yield Remark(f"{part / 'config.json'}: normalizes a pooled vector, which this model has not", refused=True)


def _native_sides(said: StatedKeys, texts: StatedKeys, mask: StatedKeys) -> tuple[StatedSide, StatedSide]:
    prompts = said.named_texts("prompts")
    tasks, words = mask.texts("skiplist_tasks"), mask.texts("skiplist_words")
    skipped = dict.fromkeys(("document",) if tasks is None else tasks, () if words is None else words)
    expansion = stated_expansion(texts)
    return (
        StatedSide(
            max_tokens=query_limit(expansion, texts.length("query_length")),
            prompt=prompts.get("query", ""),
            skipped=skipped.get("query", ()),
            expansion=expansion,
        ),
        StatedSide(
            max_tokens=texts.length("document_length"),
            prompt=_document_prompt(prompts),
            skipped=skipped.get("document", ()),
        ),
    )


def _pylate_sides(said: StatedKeys, _texts: StatedKeys, _mask: StatedKeys) -> tuple[StatedSide, StatedSide]:
    prompts, words = said.named_texts("prompts"), said.texts("skiplist_words")
    query, document = said.length("query_length"), said.length("document_length")
    length = _PYLATE_QUERY if query is None else query
    expansion = None
    if "query_expansion" in said.values:
        expansion = stated_expansion(said)
    elif said.flag("do_query_expansion", usual=True):
        attended = said.flag("attend_to_mask_tokens", usual=False)
        expansion = StatedExpansion(length, said.flag("attend_to_expansion_tokens", usual=attended))
    marker = said.text("query_prefix")
    given = said.text("document_prefix")
    return (
        StatedSide(
            max_tokens=query_limit(expansion, length),
            prompt=prompts.get("query", "").removeprefix(marker),
            marker=marker,
            expansion=expansion,
        ),
        StatedSide(
            max_tokens=_PYLATE_DOCUMENT if document is None else document,
            prompt=_document_prompt(prompts).removeprefix(given),
            marker=given,
            skipped=PUNCTUATION if words is None else words,
        ),
    )


def _document_prompt(prompts: Mapping[str, str]) -> str:
    return next((prompts[name] for name in _DOCUMENT if name in prompts), "")
