"""A publication without a network behind it: what `publish` does with files does not depend on their content."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.triton_config import Placement
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.publication.candidate import Candidate, ServingOptions
from interlingua_exporter.publication.publish import Publication, publish

WORDS = Tokenizer(WordLevel({"[UNK]": 0, "go": 1}, unk_token="[UNK]")).to_str().encode()  # noqa: S106
SERVING = ServingOptions(placement=Placement("cpu", 2, 1))


def publish_bytes(
    root: Path,
    content: bytes,
    *,
    version: int | None = None,
    prompt: str = "q: ",
    dimension: int = 8,
    vocabulary: int = 100,
    max_tokens: int = 64,
    serving: ServingOptions = SERVING,
) -> Publication:
    """Publish `content` as the network of an embedder."""
    repository = ModelRepository(root)
    with repository.staging() as staging:
        network = staging / ".network"
        network.mkdir()
        (network / "model.onnx").write_bytes(content)
        (network / "model.onnx.data").write_bytes(content * 2)
        candidate = Candidate(
            spec=ModelSpec(
                id="tests/tiny",
                role="embedder",
                source=FolderSource(Path("tiny")),
                query_prompt=prompt,
                document_prompt="d: ",
                max_tokens=max_tokens,
            ),
            precision="fp32",
            network=network,
            inputs=("input_ids", "attention_mask"),
            dimension=dimension,
            vocabulary=vocabulary,
            pad_token_id=1,
            tokenizer_json=WORDS,
            sample=Tokens((0, 90, 91, 2), (0, 0, 0, 0)),
        )
        return publish(candidate, repository, staging, serving, version=version)
