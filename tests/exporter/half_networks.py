"""Tiny networks in fp32 and in half precision, exported once for all tests that look at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.precision.build import write_full
from interlingua_exporter.precision.half_precision import Half, halve_network
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.weights import checkpoint_folder
from tests.support.architecture_models import Tiny, save

TEXTS = [text for row in sentences()[:2] for text in row.values()]
KINDS = {
    "bert": Tiny(family="Bert", kind="BertModel", modules=("mean", "normalize")),
    "cross encoder": Tiny(family="XLMRoberta", kind="XLMRobertaForSequenceClassification", labels=1),
    "qwen3": Tiny(family="Qwen3", kind="Qwen3Model", modules=("last", "normalize"), padding_side="left"),
}


@dataclass(frozen=True)
class Network:
    """A checkpoint and one network of it, in a folder."""

    checkpoint: Checkpoint
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def model(self) -> onnx.ModelProto:
        return onnx.load(self.file, load_external_data=False)

    @property
    def texts(self) -> list[Any]:
        return TEXTS if self.checkpoint.spec.role == "embedder" else list(zip(TEXTS[1:], TEXTS[:-1], strict=True))

    def batch(self) -> dict[str, np.ndarray]:
        encoder = self.checkpoint.text_encoder()
        return encoder.collate(encoder.encode(self.texts), self.checkpoint.inputs)

    def torch(self) -> np.ndarray:
        import torch

        with torch.inference_mode():
            answers: np.ndarray = self.checkpoint.graph(*map(torch.from_numpy, self.batch().values())).numpy()
        return answers

    def answers(self, *, emulate: bool = True) -> np.ndarray:
        return OnnxSession(self.file, threads=1, emulate=emulate).run(self.batch())

    def errors(self, answers: np.ndarray) -> np.ndarray:
        """Against torch: of an embedding relative to its length, of a score to the spread of all."""
        theirs = self.torch()
        lengths = np.linalg.norm(theirs, axis=1)
        scale = lengths if self.checkpoint.spec.role == "embedder" else np.full(len(theirs), theirs.std())
        relative: np.ndarray = np.linalg.norm(answers - theirs, axis=1) / scale
        return relative


class Networks:
    """Makes each network when it is first asked for."""

    def __init__(self, scratch: Callable[[str], Path], tokenizer_json: dict[str, bytes]) -> None:
        self._scratch = scratch
        self._tokenizers = tokenizer_json
        self._made: dict[tuple[str, str], Network] = {}

    def full(self, name: str, *, fuse: bool = False) -> Network:
        key = (name, "fused" if fuse else "fp32")
        if key not in self._made:
            checkpoint = self.checkpoint(name)
            folder = self._scratch("full") / "network"
            write_full(checkpoint, folder, fuse=fuse)
            self._made[key] = Network(checkpoint, folder)
        return self._made[key]

    def half(self, name: str, half: Half) -> Network:
        if (name, half) not in self._made:
            full = self.full(name)
            folder = self._scratch("half")
            halve_network(full.file, folder, half)
            self._made[name, half] = Network(full.checkpoint, folder)
        return self._made[name, half]

    def checkpoint(self, name: str) -> Checkpoint:
        if made := self._made.get((name, "fp32")):
            return made.checkpoint
        return checkpoint_folder.load(save(KINDS[name], self._scratch("folder") / name, self._tokenizers))
