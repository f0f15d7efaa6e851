"""Folders in sentence-transformers' layout, and what their files say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.architecture_models import Tiny, save

SAID = "config_sentence_transformers.json"
TEXTS = "sentence_bert_config.json"
CHAT = (
    '{%- set asked = messages | selectattr("role", "eq", "query") | map(attribute="content") | first -%}'
    '{%- set given = messages | selectattr("role", "eq", "document") | map(attribute="content") | first -%}'
    "[CLS]{{ messages[0].content if messages[0].role == 'system' else 'Judge' }}\n"
    "Query: {{ asked }}\nDocument: {{ given }}[SEP]answer"
)


def edit(path: Path, **values: object) -> None:
    """Changes keys of a JSON file, and makes it where it is not there."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | values))


def said(file: str, **values: object) -> Callable[[Path], None]:
    """Has a folder's file say so."""
    return lambda folder: edit(folder / file, **values)


def save_qwen(folder: Path, tokenizer_json: dict[str, bytes]) -> Path:
    """A causal reranker as Qwen publishes it today: LogitScore, a chat template, a tokenizer that adds nothing."""
    save(Tiny(family="Qwen3", kind="Qwen3ForCausalLM", tied=False), folder, tokenizer_json)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | {"post_processor": None}))
    kinds = ("base.modules.transformer.Transformer", "cross_encoder.modules.logit_score.LogitScore")
    rows = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.{kind}"}
        for number, (kind, path) in enumerate(zip(kinds, ("", "1_LogitScore"), strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(rows))
    edit(folder / "1_LogitScore" / "config.json", true_token_id=600, false_token_id=601)
    through = {"method": "forward", "method_output_name": "logits"}
    edit(folder / TEXTS, transformer_task="text-generation", module_output_name="causal_logits")
    edit(folder / TEXTS, modality_config={"text": through, "message": through})
    edit(folder / SAID, prompts={"query": "Find it"}, default_prompt_name="query", model_type="CrossEncoder")
    (folder / "chat_template.jinja").write_text(CHAT)
    return folder
