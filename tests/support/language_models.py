"""A model repository whose tokens can be counted by hand; there are no networks in it.

A token ends at white space, after each of a, e, i, o, u, and after each Chinese character: "banana split" is
ba-na-na-spli-t. A text stands between <s> and </s>, a query and a document are <s> query </s> document </s>.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.triton_config import Placement
from interlingua.served.kinds import Role
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.publication.candidate import Candidate, ServingOptions
from interlingua_exporter.publication.publish import publish

PROMPT = "d: "
MAX_TOKENS = 12
MAX_PAIR_TOKENS = 12
MAX_BYTES = 200

_UNKNOWN = "<unk>"


def syllables() -> Tokenizer:
    """The tokenizer."""
    tokenizer = Tokenizer(models.WordLevel({_UNKNOWN: 0, "<s>": 1, "</s>": 2, "<pad>": 3}, unk_token=_UNKNOWN))
    ends = pre_tokenizers.Split(Regex(r"[aeiou]|\p{Han}"), "merged_with_previous")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), ends])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def publish_models(
    root: Path,
    *,
    reranker: bool = True,
    max_tokens: int = MAX_TOKENS,
    document_template: str = "",
    pair_template: str = "",
) -> Path:
    """Publish an embedder, and a reranker on the same tokenizer."""
    _publish(root, "embedder", max_tokens, PROMPT, document_template)
    if reranker:
        _publish(root, "reranker", MAX_PAIR_TOKENS, "", pair_template)
    return root


def _publish(root: Path, role: Role, max_tokens: int, document_prompt: str, template: str) -> None:
    repository = ModelRepository(root)
    with repository.staging() as staging:
        network = staging / ".network"
        network.mkdir()
        (network / "model.onnx").write_bytes(role.encode())
        candidate = Candidate(
            spec=ModelSpec(
                id=f"tests/{role}",
                role=role,
                source=FolderSource(Path("tiny")),
                document_prompt=document_prompt,
                document_template=template if role == "embedder" else "",
                pair_template=template if role == "reranker" else "",
                max_tokens=max_tokens,
                pooling="mean" if role == "embedder" else "none",
                head="none" if role == "embedder" else "classifier",
            ),
            precision="fp32",
            network=network,
            inputs=("input_ids", "attention_mask"),
            dimension=32 if role == "embedder" else 1,
            vocabulary=4,
            pad_token_id=3,
            tokenizer_json=syllables().to_str().encode(),
            sample=Tokens((1, 0, 0, 2), (0, 0, 0, 0)),
        )
        options = ServingOptions(placement=Placement("cpu", 2, 1), max_text_bytes=MAX_BYTES)
        publish(candidate, repository, staging, options)
