"""The keys of a model folder's JSON files: which are followed, harmless, told or refused.

file, its object --remarks--> Remarks;  a key that no table knows is told

Written from sentence-transformers 6.2 and transformers 5.23. What tokenizer_config.json says of texts, transformers
follows, and the gate compares token ids with its tokenizer: here stands only what ids cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua_exporter.weights.statements.remark import Remark, Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_EMPTY: tuple[object, ...] = (None, False, "", [], {})
_OUTPUTS = {"last_hidden_state", "logits"}


def _plain(value: object) -> bool:
    return value in _EMPTY


def _among(*values: object) -> Callable[[object], bool]:
    return lambda value: value in (None, *values)


def _only(*names: str) -> Callable[[object], bool]:
    """Whether an object has no keys but these."""
    return lambda value: not value or (isinstance(value, dict) and value.keys() <= set(names))


def _forward(value: object) -> bool:
    """Whether texts go through the network's forward, whatever becomes of pictures; with a chat template or without."""
    kinds = [value[kind] for kind in ("text", "message") if kind in value] if isinstance(value, dict) else []
    return value is None or (
        bool(kinds)
        and all(
            isinstance(kind, dict) and kind.get("method") == "forward" and kind.get("method_output_name") in _OUTPUTS
            for kind in kinds
        )
    )


@dataclass(frozen=True)
class Watched:
    """A key whose value may change answers in a way that is not followed."""

    why: str
    harmless: Callable[[object], bool] = _plain
    refused: bool = True
    topic: Topic = "model"


@dataclass(frozen=True)
class FileTable:
    """What is known of one file.

    Attributes:
        known: keys that are followed, or change no answer.
        whole: whether every other key is told; a file that transformers reads has hundreds, which it follows.
    """

    known: frozenset[str] = frozenset()
    watched: Mapping[str, Watched] = field(default_factory=dict)
    whole: bool = True


def _known(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TWO_LENGTHS = Watched(
    "queries and documents are cut at lengths of their own; --max-tokens N cuts both", topic="window"
)
_SETTINGS = "settings for transformers that are not passed on"

TABLES: dict[str, FileTable] = {
    "config_sentence_transformers.json": FileTable(
        _known(
            "__version__ requirements prompts default_prompt_name truncate_dim similarity_fn_name activation_fn "
            "keep_in_fp32_modules"
        ),
        {
            "model_type": Watched(
                "a kind of model that is not exported from such a folder",
                _among("SentenceTransformer", "CrossEncoder"),
            )
        },
    ),
    "sentence_bert_config.json": FileTable(
        _known("max_seq_length do_lower_case unpad_inputs"),
        {
            "query_length": _TWO_LENGTHS,
            "document_length": _TWO_LENGTHS,
            "query_expansion": Watched("queries are filled up with mask tokens, as late interaction wants them"),
            "transformer_task": Watched(
                "no task of an embedder or a reranker",
                _among("feature-extraction", "sequence-classification", "text-generation"),
            ),
            "module_output_name": Watched(
                "an output that no pooling and no head takes", _among("token_embeddings", "scores", "causal_logits")
            ),
            "modality_config": Watched("texts do not go through the network's forward", _forward),
            "processing_kwargs": Watched(_SETTINGS, _only("chat_template"), topic="texts"),
            "tokenizer_name_or_path": Watched("a tokenizer that lies elsewhere: put it into the folder"),
            **dict.fromkeys(
                ("model_args", "model_kwargs"),
                Watched(_SETTINGS, _only("torch_dtype", "dtype", "attn_implementation"), refused=False),
            ),
            **dict.fromkeys(
                ("tokenizer_args", "processor_kwargs"),
                Watched(_SETTINGS, _only("model_max_length", "padding_side", "use_fast")),
            ),
            **dict.fromkeys(("config_args", "config_kwargs"), Watched(_SETTINGS)),
        },
    ),
    "modules.json": FileTable(_known("idx name path type"), {"kwargs": Watched("arguments of each call")}),
    "Pooling": FileTable(
        _known(
            "word_embedding_dimension embedding_dimension include_prompt pooling_mode pooling_mode_cls_token "
            "pooling_mode_mean_tokens pooling_mode_max_tokens pooling_mode_mean_sqrt_len_tokens "
            "pooling_mode_weightedmean_tokens pooling_mode_lasttoken"
        )
    ),
    "Dense": FileTable(
        _known("in_features out_features bias activation_function use_residual module_input_name module_output_name")
    ),
    "Normalize": FileTable(
        watched=dict.fromkeys(
            ("module_input_name", "module_output_name"),
            Watched("a normalization of something else than the pooled vector", _among("sentence_embedding")),
        )
    ),
    "LogitScore": FileTable(
        _known("true_token_id false_token_id"),
        {
            "module_input_name": Watched(
                "a score of something else than a causal model's logits", _among("causal_logits")
            )
        },
    ),
    "tokenizer_config.json": FileTable(
        watched={
            "truncation_side": Watched("long texts lose their end here, not their beginning", _among("right")),
        },
        whole=False,
    ),
    "config.json": FileTable(
        watched={
            "quantization_config": Watched("quantized weights: give those that they were made of"),
            "is_encoder_decoder": Watched("a network with a decoder behind its encoder, and neither half is exported"),
        },
        whole=False,
    ),
}


def _unchatted(value: object) -> bool:
    """Whether texts go through the network's forward, and through no chat template."""
    return _forward(value) and not (isinstance(value, dict) and "message" in value)


_LENGTHS = _known("query_length document_length query_expansion")
_TEXTS = TABLES["sentence_bert_config.json"]
_OF_PYLATE = "query_prefix document_prefix do_query_expansion attend_to_expansion_tokens attend_to_mask_tokens "
_OF_PYLATE += "skiplist_words model_type"
TABLES |= {
    "late-interaction texts": FileTable(
        _TEXTS.known | _LENGTHS,
        {key: watched for key, watched in _TEXTS.watched.items() if key not in _LENGTHS}
        | {"modality_config": Watched("texts go through a chat template", _unchatted)},
    ),
    "late-interaction model": FileTable(
        (TABLES["config_sentence_transformers.json"].known - {"truncate_dim"}) | _LENGTHS | _known(_OF_PYLATE),
        {"truncate_dim": Watched("token vectors are cut to a length, which is not done here")},
    ),
    "MultiVectorMask": FileTable(
        _known("skiplist_words skiplist_tasks"),
        {"keep_only_token_ids": Watched("only some tokens of a document count, as of images")},
    ),
    "TokenNormalize": FileTable(
        watched=dict.fromkeys(
            ("module_input_name", "module_output_name"),
            Watched("a normalization of something else than token vectors", _among("token_embeddings")),
        )
    ),
}


def remarks(path: Path, values: Mapping[str, object], table: str = "") -> Iterator[Remark]:
    """What a file's object says that an export does not follow.

    Args:
        table: its name in `TABLES`; "" for the file's own.
    """
    found = TABLES[table or path.name]
    for key, value in values.items():
        watched = found.watched.get(key)
        if watched and not watched.harmless(value):
            yield Remark(f"{path}: {key} is {_shown(value)}: {watched.why}", watched.refused, watched.topic)
        elif not watched and found.whole and key not in found.known and not _plain(value):
            yield Remark(f"{path}: {key} is {_shown(value)}, which is not known here and not followed")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
