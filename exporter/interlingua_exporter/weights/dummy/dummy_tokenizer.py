"""A stand-in for a tokenizer that is on the Hub alone: the default embedder's, with an entry's specials.

default tokenizer.json (XLM-R's Unigram) --as it is, or the first V pieces, specials and score tokens at their ids-->
tokenizer.json

Token ids are inside the vocabulary, and texts have about as many tokens as with a multilingual tokenizer of that size.
They are not the model's own ids.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_exporter.models import catalog
from interlingua_exporter.models.model_facts import Specials
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.models.spec import ArchiveSource
from interlingua_exporter.weights.archive_checkpoint import member
from interlingua_exporter.weights.folder_head import USUAL_TOKENS

if TYPE_CHECKING:
    from interlingua_exporter.models.spec import ModelSpec

XLM_R = Specials(start=0, end=2, pad=1)
UNKNOWN = "<unk>"

_MARKER = re.compile(r"<\|\w+\|>")  # <|im_start|>: one token with the model's own tokenizer
_OWN_SPECIALS = ("<s>", "<pad>", "</s>", UNKNOWN, "<mask>")


def stand_in(spec: ModelSpec) -> bytes:
    """A tokenizer.json whose ids the entry's network has.

    XLM-R's family (specials 0, 2, 1 and all its pieces) gets the default tokenizer byte for byte.

    Raises:
        ArchiveError: the default tokenizer cannot be had.
        InputError: the vocabulary is too small for the specials, or the entry states none.
    """
    content = _default_tokenizer()
    description = json.loads(content)
    if spec.network is None:
        raise InputError(f"{spec.id}: its entry does not state the vocabulary")
    if spec.specials == XLM_R and spec.network.vocabulary >= len(description["model"]["vocab"]):
        return content
    return _cut(spec, spec.network.vocabulary, description)


@cache
def _default_tokenizer() -> bytes:
    spec = resolve(catalog.DEFAULT_MODEL, catalog.CATALOG).entry
    if spec is None or not isinstance(spec.source, ArchiveSource):
        raise InputError(f"{catalog.DEFAULT_MODEL} has no archive in the catalogue")
    return member(spec, spec.source.tokenizer).read_bytes()


def _cut(spec: ModelSpec, vocabulary: int, description: dict[str, Any]) -> bytes:
    from tokenizers import Tokenizer

    model = description["model"]
    pieces: list[list[Any]] = model["vocab"][:vocabulary]
    special = _place(spec, vocabulary, pieces)
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": at, "content": text, **token} for at, text in sorted(special.items())]
    unknown = next(at for at, text in special.items() if text == UNKNOWN)
    changed = {"model": model | {"vocab": pieces, "unk_id": unknown}, "added_tokens": added, "post_processor": None}
    tokenizer = Tokenizer.from_str(json.dumps(description | changed, ensure_ascii=False))
    tokenizer.post_processor = _frame(spec.specials, special)
    made: str = tokenizer.to_str()
    return made.encode("utf-8")


def _place(spec: ModelSpec, vocabulary: int, pieces: list[list[Any]]) -> dict[int, str]:
    """Puts specials, template markers and score tokens into the pieces; the special ones by id."""
    lowest = min(score for _, score in pieces)
    specials = spec.specials
    named = {specials.pad: "<pad>", specials.end: "</s>", specials.start: "<s>"}  # an end that also pads is an end
    special = {at: text for at, text in named.items() if at is not None}
    pieces += [[f"<unused{at}>", lowest] for at in range(len(pieces), max(special, default=0) + 1)]
    for at, (text, _) in enumerate(pieces):
        if text in _OWN_SPECIALS:
            pieces[at] = [f"<unused{at}>", lowest]
    last_free = (at for at in range(len(pieces) - 1, -1, -1) if at not in special)
    known = {text for text, _ in pieces}
    score_tokens = spec.score_tokens or USUAL_TOKENS.get(spec.head, ())
    missing = [word for word in score_tokens if word not in known]
    try:
        unknown = next(at for at in (3, 0, 1, 2, 4) if at not in special)
        special[unknown] = UNKNOWN
        special |= {next(last_free): marker for marker in _markers(spec)}
        placed = special | {next(last_free): word for word in missing}
    except StopIteration:
        raise InputError(f"{spec.id}: a vocabulary of {vocabulary} has no room for its special tokens") from None
    for at, text in placed.items():
        pieces[at] = [text, lowest]
    return special


def _markers(spec: ModelSpec) -> list[str]:
    templates = spec.query_template + spec.document_template + spec.pair_template
    return list(dict.fromkeys(_MARKER.findall(templates)))


def _frame(specials: Specials, contents: dict[int, str]) -> Any:
    """Start and end around a text or a pair: XLM-R's two ends between the sides, or BERT's one and its token types."""
    from tokenizers import processors

    start, end = ("" if at is None else contents[at] for at in (specials.start, specials.end))
    second = [end, "$B", end] if specials == XLM_R else ["$B:1", f"{end}:1" if end else ""]
    return processors.TemplateProcessing(
        single=[part for part in (start, "$A", end) if part],
        pair=[part for part in (start, "$A", end, *second) if part],
        special_tokens=[(text, at) for at, text in contents.items() if text in (start, end)],
    )
