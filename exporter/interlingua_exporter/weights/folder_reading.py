"""A model folder and everything that was said of its model, put together: files, the entry, and the user before both.

folder, Overrides, entry --read--> Reading, or an error --spec_of, notes_of--> ModelSpec, notes
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.models.spec import FolderSource, Head, ModelSpec
from interlingua_exporter.weights.folder_head import choose_head, score_words
from interlingua_exporter.weights.own_code import require_code_here
from interlingua_exporter.weights.statements.heard import heard
from interlingua_exporter.weights.statements.sentence_layout import Layout, read_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.models.model_facts import DenseLayer
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.library_tokenizer import Followed
    from interlingua_exporter.weights.statements.remark import Remark


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A folder, and everything that was said of its model.

    Attributes:
        words: the score tokens.
        folders_words: those of its LogitScore.
        remarks: of the folder, those that nobody's words settle.
    """

    name: str
    folder: Path
    layout: Layout
    chosen: Overrides
    entry: ModelSpec | None
    head: Head
    words: tuple[str, ...]
    folders_words: tuple[str, ...]
    tokenizer: Followed
    remarks: tuple[Remark, ...]


def read(path: Path, model_id: str, chosen: Overrides, entry: ModelSpec | None) -> Reading:
    """All of it. Raises InputError: as `checkpoint_folder.load`, before any weights are read."""
    from interlingua_exporter.weights.folder_tokenizer import read_tokenizer, spelled

    folder = path.resolve()
    if not folder.is_dir():
        raise InputError(f"{path} is not a folder")
    layout = read_layout(folder)
    name = model_id or folder.name
    head = choose_head(name, layout, chosen, entry)
    _require_dense(name, layout, entry)
    _require_dimension(name, head, chosen.dimension, entry)
    remote_code = chosen.trust_remote_code and layout.own_code
    if remote_code:
        require_code_here(name, layout.transformer)
    tokenizer = read_tokenizer(name, layout.transformer, lowercase=layout.lowercase, remote_code=remote_code)
    folders_words = spelled(name, layout.logit_tokens, tokenizer.content)
    reading = Reading(
        name=name,
        folder=folder,
        layout=layout,
        chosen=chosen,
        entry=entry,
        head=head,
        words=score_words(head, chosen, entry, folders_words),
        folders_words=folders_words,
        tokenizer=tokenizer,
        remarks=heard(layout, head, chosen, entry),
    )
    if refused := [remark.text for remark in reading.remarks if remark.refused]:
        raise InputError(f"{name} cannot be exported as its folder describes it: {'; '.join(refused)}")
    return reading


def _require_dense(name: str, layout: Layout, entry: ModelSpec | None) -> None:
    """Raises InputError: the folder lacks layers that the entry has, or has others."""
    found = tuple(facts for _, facts in layout.dense)
    if entry is None or entry.head != "none" or entry.dense == found:
        return
    wanted, held = (", ".join(map(_layer, layers)) or "none" for layers in (entry.dense, found))
    raise InputError(f"{name}: the folder's dense layers are {held}, and the catalogue's entry says {wanted}")


def _layer(facts: DenseLayer) -> str:
    bias = "" if facts.bias else " without bias"
    return f"{facts.inputs} -> {facts.outputs} ({facts.activation}{bias})"


def _require_dimension(name: str, head: Head, dimension: int | None, entry: ModelSpec | None) -> None:
    """Raises InputError: vectors are cut only to a length that the model was trained for."""
    if dimension is None:
        return
    if head != "none":
        raise InputError(f"{name}: --dimension {dimension}: a reranker has no vectors to cut")
    allowed = entry.dimensions if entry else ()
    if dimension in allowed or (entry and dimension == entry.embedding_length):
        return
    known = f"to {dimension}, only to {', '.join(map(str, allowed))}" if allowed else "short"
    raise InputError(
        f"{name}: --dimension {dimension}: its vectors cannot be cut {known}. The lengths that a model was trained for "
        "are the `dimensions` of its catalogue entry (docs/models.md)"
    )


def spec_of(reading: Reading) -> ModelSpec:
    """The model, but for what only its network knows. Raises InputError: nobody says how long a text may be."""
    layout, chosen, entry = reading.layout, reading.chosen, reading.entry
    reranker, facts = reading.head != "none", reading.layout.embedding
    stated = facts.normalize if layout.modules else entry is None or entry.normalize
    return ModelSpec(
        id=reading.name,
        role="reranker" if reranker else "embedder",
        source=FolderSource(reading.folder),
        pooling="none" if reranker else chosen.pooling or facts.pooling or "mean",
        normalize=stated and not reranker,
        query_prompt="" if reranker else _first(chosen.query_prompt, facts.query_prompt),
        document_prompt="" if reranker else _first(chosen.document_prompt, facts.document_prompt),
        max_tokens=_window(reading),
        padding_side=layout.padding_side or (entry.padding_side if entry else "right"),
        head=reading.head,
        remote_code=chosen.trust_remote_code and layout.own_code,
        square_mask=bool(entry and entry.square_mask),
        licence=layout.licence,
        dense=() if reranker else tuple(facts for _, facts in layout.dense),
        score_tokens=reading.words,
        pair_template=_pair_template(reading) if reranker else "",
    )


def _pair_template(reading: Reading) -> str:
    layout, entry = reading.layout, reading.entry
    if layout.chat is None or (entry and entry.pair_template):
        return ""  # the entry's own goes into the spec with the rest of it
    from interlingua_exporter.weights.statements.chat_template import pair_template

    return pair_template(reading.name, layout.transformer, layout.embedding.default_prompt, layout.chat)


def _first(chosen: str | None, stated: str) -> str:
    return stated if chosen is None else chosen


def _window(reading: Reading) -> int:
    """The user's words, within what the folder says. Raises InputError: nobody says, or too much is asked for."""
    chosen, stated = reading.chosen.max_tokens, reading.layout.window
    if chosen is None and stated is None:
        raise InputError(f"{reading.name}: its folder does not say how many tokens a text may have: give --max-tokens")
    if chosen is not None and stated is not None and chosen > stated:
        raise InputError(f"{reading.name}: --max-tokens {chosen} is beyond the model's own {stated}")
    return chosen or stated or 0


def notes_of(reading: Reading) -> Iterator[str]:
    """What was assumed, and what the user might not expect."""
    layout, chosen, entry = reading.layout, reading.chosen, reading.entry
    if reading.head == "none" and entry is None and not layout.modules:
        if chosen.pooling is None:
            yield "the folder says nothing about pooling: mean over the tokens and length 1 are assumed"
        else:
            yield "the folder says nothing about normalization: length 1 is assumed"
    if reading.words and not (chosen.score_tokens or layout.logit_tokens or (entry and entry.score_tokens)):
        yield f"nothing says which tokens make the score: {', '.join(reading.words)} are assumed"
    if reading.words and entry is None and layout.chat is None:
        yield "nothing says how the model wants a pair: query and document are joined as its tokenizer joins them"
    if layout.lowercase:
        yield "texts are lower-cased, as sentence_bert_config.json asks"
    if reading.head == "none" and layout.embedding.truncate_dim and not chosen.dimension:
        yield f"vectors are cut to {layout.embedding.truncate_dim} values after all else, so their length is not 1"
    yield from reading.tokenizer.notes
    yield from (remark.text for remark in reading.remarks)
