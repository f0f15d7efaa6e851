"""A catalogue of tiny models, whose folders lie beside it."""

from __future__ import annotations

from pathlib import Path

from tests.support.architecture_models import MAX_TOKENS, Tiny, save

TINY = {
    "tiny/bert": Tiny(family="Bert", kind="BertModel", modules=("mean", "normalize")),
    "tiny/cross": Tiny(family="XLMRoberta", kind="XLMRobertaForSequenceClassification", labels=1),
    "tiny/qwen": Tiny(family="Qwen3", kind="Qwen3Model", modules=("last", "normalize"), padding_side="left"),
    "tiny/gemma": Tiny(
        family="Gemma3Text", kind="Gemma3TextModel", modules=("mean", "identity", "identity", "normalize")
    ),
}
_ENTRY = """
[[model]]
id = "{id}"
role = "{role}"
pooling = "{pooling}"
normalize = {normalize}
head = "{head}"
max_tokens = {max_tokens}
padding_side = "{side}"
dense = {dense}
source = {{ reader = "folder", path = "{folder}" }}
network = {{ architecture = "{kind}", hidden = 32, layers = 2, heads = 4, feed_forward = 64, vocabulary = 604, \
parameters = 100{decoder} }}
"""
_DECODER = ", key_value_heads = 2, head_width = 8, gated = true"
_DENSE = "[{ inputs = 32, outputs = 48, bias = false }, { inputs = 48, outputs = 32, bias = false }]"


def write_catalogue(folder: Path, tokenizer_json: dict[str, bytes], names: tuple[str, ...]) -> Path:
    """The file of these entries; `tokenizer_json` is the fixture of tests/conftest.py."""
    rows = []
    for name in names:
        tiny = TINY[name]
        save(tiny, folder / name.replace("/", "-"), tokenizer_json)
        rows.append(
            _ENTRY.format(
                id=name,
                role="reranker" if tiny.labels else "embedder",
                pooling="none" if tiny.labels else tiny.modules[0],
                normalize="false" if tiny.labels else "true",
                head="classifier" if tiny.labels else "none",
                max_tokens=MAX_TOKENS,
                side=tiny.padding_side,
                dense=_DENSE if "identity" in tiny.modules else "[]",
                folder=name.replace("/", "-"),
                kind=tiny.kind,
                decoder="" if tiny.family in ("Bert", "XLMRoberta") else _DECODER,
            )
        )
    path = folder / "own.toml"
    path.write_text("".join(rows))
    return path
