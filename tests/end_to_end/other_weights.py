"""More versions of an exported network in a moment: the same graph with other random weights, published as ours are.

Publishing is the real thing; only torch's export, which takes seconds, is done once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.published import Published
from interlingua.served.kinds import Role
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.publication.candidate import Candidate, ServingOptions
from interlingua_exporter.publication.publish import publish


def publish_with_other_weights(exported: Path, repository: Path, role: Role, seed: int, serving: ServingOptions) -> int:
    """The number of the new version in `repository` of what is version 1 in `exported`."""
    source = Published.read(exported).version(role, 1)
    spec = source.spec
    target = ModelRepository(repository)
    with target.staging() as staging:
        network = staging / ".network"
        network.mkdir()
        _alter(source.folder / "model.onnx", network / "model.onnx", seed)
        candidate = Candidate(
            spec=ModelSpec(
                id=spec.model_id,
                role=role,
                source=FolderSource(Path("tiny")),
                pooling="mean" if role == "embedder" else "none",
                head="none" if role == "embedder" else "classifier",
                max_tokens=spec.max_tokens,
            ),
            precision="fp32",
            network=network,
            inputs=spec.inputs,
            dimension=source.network.dimension,
            vocabulary=source.number("vocabulary"),
            pad_token_id=spec.pad_token_id,
            tokenizer_json=source.tokenizer(source.family.services[0]).read_bytes(),
            sample=Tokens((0, 90, 91, 2), (0, 0, 0, 0)),
        )
        return publish(candidate, target, staging, serving).version


def _alter(source: Path, target: Path, seed: int) -> None:
    """Another draw of every matrix, with the mean and the spread that it has."""
    model = onnx.load(source)
    random = np.random.default_rng(seed)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim == 2 and values.dtype == np.float32:
            drawn = random.normal(values.mean(), values.std(), values.shape).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(drawn, tensor.name))
    onnx.save(model, target)
