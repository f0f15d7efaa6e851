"""A late-interaction reranker of ours as a folder that sentence-transformers loads: a MultiVectorEncoder.

    Checkpoint --write_sentence_folder--> config.json, model.safetensors, tokenizer.json, modules.json, 1_Dense/, ...

    ours:    <s> query </s>   </s> document </s>     rows that the template of a pair gives
    theirs:  the prompts "<s>" and "</s>" in front of a text, and a tokenizer that puts "</s>" behind it

Its layout has no weight for a token. A score is the plain mean of the maxima (`meanmaxsim`), where ours is weighted by
the importance of the query's tokens and scaled: rows and vectors are the same, scores are not.
"""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from interlingua.base.errors import InputError
from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.text.marks import unknown_of
from interlingua.served.text.sealed import SealedTokenizers
from interlingua_exporter.texts.parity_texts import sentences

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from interlingua.served.late_interaction.sides import LateInteraction
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker

_MODULES = {
    "": "base.modules.transformer.Transformer",
    "1_Dense": "base.modules.dense.Dense",
    "2_MultiVectorMask": "multi_vector_encoder.modules.multi_vector_mask.MultiVectorMask",
    "3_Normalize": "base.modules.normalize.Normalize",
}
_TOKENS = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
_CARD = string.Template("""---
license: $licence
tags: [sentence-transformers, multi-vector]
---
$name as a MultiVectorEncoder. Rows and vectors are those of the model; its weights of tokens are left out, for which
this layout has no place: a score is the plain mean of the maxima over the query's tokens.
""")


class _Around(NamedTuple):
    """Tokens in front of a query and of a document, and behind both."""

    query: list[str]
    document: list[str]
    behind: list[str]


def write_sentence_folder(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the folder, which must not hold a model.

    Raises:
        InputError: the checkpoint is no reranker of this kind, the folder holds a model, or the tokenizer cannot put
            its special tokens as text.
    """
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker

    network, interaction = checkpoint.graph, checkpoint.interaction
    if not isinstance(network, LateInteractionReranker) or interaction is None:
        raise InputError(f"{checkpoint.spec.id} is no late-interaction reranker with weights of tokens")
    if (folder / "config.json").exists():
        raise InputError(f"{folder} holds a model already: choose another folder")
    around = _around(checkpoint)
    tokenizer_json = _single_text(checkpoint.tokenizer_json, around.behind)
    _require_same_rows(checkpoint, interaction, tokenizer_json, around)
    folder.mkdir(parents=True, exist_ok=True)
    encoder: Any = network.encoder
    encoder.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json, ensure_ascii=False), encoding="utf-8")
    _write_settings(checkpoint, interaction, around, tokenizer_json, folder)
    _write_modules(network, tokenizer_json, folder)


def _around(checkpoint: Checkpoint) -> _Around:
    tokenizer = _library(json.loads(checkpoint.tokenizer_json))
    made = tokenizer.encode("a", "a")
    places = [place for place, special in enumerate(made.special_tokens_mask) if not special]
    separator_id = cast("LateInteractionReranker", checkpoint.graph).separator_id
    after = made.ids.index(separator_id) + 1
    query, document = [place for place in places if place < after], [place for place in places if place >= after]
    behind = [made.tokens[query[-1] + 1 : after], made.tokens[document[-1] + 1 :]]
    if behind[0] != behind[1]:
        raise InputError(
            f"{checkpoint.spec.id}: its tokenizer ends a query with {behind[0]}, a document with {behind[1]}"
        )
    return _Around(made.tokens[: query[0]], made.tokens[after : document[0]], behind[0])


def _single_text(tokenizer_json: bytes, behind: list[str]) -> dict[str, Any]:
    """The tokenizer that puts those tokens behind a text, and nothing in front; a pair is as it was."""
    from tokenizers import processors

    description: dict[str, Any] = json.loads(tokenizer_json)
    tokenizer = _library(description)
    pair = tokenizer.encode("a", "a")
    pieces, side = [], 0
    for token, special, sequence in zip(pair.tokens, pair.special_tokens_mask, pair.sequence_ids, strict=True):
        if special:
            pieces.append(token)
        elif sequence == side:  # a text may be several tokens
            pieces.append("$A" if side == 0 else "$B")
            side += 1
    specials = {token: tokenizer.token_to_id(token) for token in (*pieces, *behind) if not token.startswith("$")}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join(["$A", *behind]), pair=" ".join(pieces), special_tokens=[*specials.items()]
    )
    made = json.loads(tokenizer.to_str())
    return description | {"post_processor": made["post_processor"], "truncation": None, "padding": None}


def _require_same_rows(
    checkpoint: Checkpoint, interaction: LateInteraction, tokenizer_json: dict[str, Any], around: _Around
) -> None:
    """Raises InputError: a prompt of special tokens is not what the template of a pair puts in front."""
    theirs = _library(tokenizer_json)
    sealed = SealedTokenizers(checkpoint.tokenizer_json)
    texts = [text for row in sentences() for text in row.values()]
    for rules, prompt in ((interaction.query, around.query), (interaction.document, around.document)):
        for text, (row, tokens) in zip(texts, SideTokenizer(sealed, rules).encode(texts), strict=True):
            if tokens <= rules.max_tokens and theirs.encode("".join(prompt) + text).ids != list(row.ids):
                raise InputError(
                    f"{checkpoint.spec.id}: its tokenizer reads {''.join(prompt)!r} in front of a text otherwise than "
                    f"its template puts it there ({text[:40]!r}), and the layout has prompts alone"
                )


def _library(description: dict[str, Any]) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(json.dumps(description, ensure_ascii=False))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _write_settings(
    checkpoint: Checkpoint,
    interaction: LateInteraction,
    around: _Around,
    tokenizer_json: dict[str, Any],
    folder: Path,
) -> None:
    tokenizer, unknown = _library(tokenizer_json), unknown_of(tokenizer_json)  # type: ignore[arg-type]
    names = {"pad_token": tokenizer.id_to_token(checkpoint.pad_token_id), "unk_token": unknown and unknown[0]}
    _write(
        folder / "tokenizer_config.json",
        tokenizer_class="PreTrainedTokenizerFast",
        model_max_length=checkpoint.spec.max_tokens,
        model_input_names=["input_ids", "attention_mask"],
        **names,
    )
    _write(
        folder / "sentence_bert_config.json",
        query_length=interaction.query.max_tokens,
        document_length=interaction.document.max_tokens,
        max_seq_length=checkpoint.spec.max_tokens,
        do_lower_case=False,
    )
    _write(
        folder / "config_sentence_transformers.json",
        model_type="MultiVectorEncoder",
        prompts={"query": "".join(around.query), "document": "".join(around.document)},
        default_prompt_name=None,
        similarity_fn_name="meanmaxsim",
    )
    card = _CARD.substitute(licence=checkpoint.spec.licence or "unknown", name=checkpoint.spec.id)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _write_modules(network: LateInteractionReranker, tokenizer_json: dict[str, Any], folder: Path) -> None:
    from safetensors.torch import save_file

    rows = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.{kind}"}
        for number, (path, kind) in enumerate(_MODULES.items())
    ]
    (folder / "modules.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    layer = network.projection
    sizes = {"in_features": layer.in_features, "out_features": layer.out_features, "bias": True}
    _write(
        folder / "1_Dense" / "config.json", activation_function="torch.nn.modules.linear.Identity", **sizes, **_TOKENS
    )
    state = {f"linear.{name}": value.detach().contiguous() for name, value in layer.state_dict().items()}
    save_file(state, folder / "1_Dense" / "model.safetensors", metadata={"format": "pt"})
    tokenizer = _library(tokenizer_json)
    words = [tokenizer.id_to_token(number) for number in network.special_ids]
    tasks = ["query", "document"]
    _write(folder / "2_MultiVectorMask" / "config.json", skiplist_words=words, skiplist_tasks=tasks)
    _write(folder / "3_Normalize" / "config.json", **_TOKENS)


def _write(path: Path, **values: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
