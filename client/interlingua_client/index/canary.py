"""Whether a server gives the vectors that an index was made with, found out by asking.

    index, when it is made: the canary's texts --embed--> Canary, in the manifest
    whoever opens it:       the same texts --embed--> compared --> the same | rounded otherwise (a note) | refused

Equal digests mean equal files. What runs them is another matter: in less than fp32, other versions of ONNX Runtime and
other CPUs differ by single roundings, which a network's layers multiply (docs/versions.md has figures), and a CPU that
saturates int8 sums gives other vectors altogether. So engines are compared by what they answer, not by their names.
fp32 differs by 1e-7 and is not asked.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.manifest import Manifest

TEXTS = (
    "E-417",
    "The camera shows a red light and does not connect.",
    "Wie setze ich mein Passwort zurück, wenn ich keinen Zugriff auf meine E-Mail mehr habe?",
    "カメラがオフラインのままです。",
    "Чтобы изменить тариф, откройте раздел «Оплата» и выберите новый план. Изменения вступят в силу завтра.",
    "لا أستطيع تسجيل الدخول إلى حسابي",
    "¿Dónde encuentro la factura del mes pasado?",
    "모든 기기에서 로그아웃하려면 설정에서 보안을 선택하세요.",
)

SAME = 1 - 1e-6  # cosine; an answer's own change with its neighbours in a batch is 1e-7
# A network of relative error e has a cosine of some 1 - e^2 / 2 to fp32, and two of them, whose errors are independent,
# one of 1 - e^2 to each other. The parity gate lets int8 pass with 0.12 (interlingua_exporter/gate/bounds.py): what is
# further away is no rounding of the same network.
ROUNDED = 0.985


@dataclass(frozen=True, eq=False)
class Canary:
    """The vectors of `TEXTS` as documents, float32 [texts, dimension]."""

    vectors: FloatArray

    def to_text(self) -> str:
        """The canary as the manifest keeps it."""
        return base64.b64encode(np.ascontiguousarray(self.vectors, "<f4").tobytes()).decode("ascii")

    @classmethod
    def from_text(cls, text: str, dimension: int) -> Canary:
        """Read it back. Raises ValueError: it is none."""
        return cls(np.frombuffer(base64.b64decode(text, validate=True), "<f4").reshape(len(TEXTS), dimension))

    def likeness(self, vectors: FloatArray) -> float:
        """The smallest cosine between a text's vector then and now; nan where a vector is none."""
        ours, theirs = self.vectors.astype(np.float64), np.asarray(vectors, np.float64)
        lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        return float(((ours * theirs).sum(axis=1) / np.maximum(lengths, 1e-30)).min())


def is_wanted(precision: str) -> bool:
    """Whether engines can differ in a precision by more than float rounding."""
    return precision != "fp32"


def compare(manifest: Manifest, vectors: FloatArray, directory: Path) -> str:
    """What a user should know of an index and the vectors that the server gives now, "" where they are the same.

    Raises:
        InputError: they are further apart than rounding explains.
    """
    if manifest.canary is None:
        return ""
    likeness = manifest.canary.likeness(vectors)
    if likeness >= SAME:
        return ""
    if likeness >= ROUNDED:
        return (
            f"the server rounds otherwise than the one {directory} was made with (another engine, version or CPU): "
            f"cosine {likeness:.4f} on the canary texts, no more than rounding explains"
        )
    raise InputError(
        f"{directory} was made with the server's files ({manifest.embedder.digest[:12]}), but its engine or its CPU "
        f"computes something else: cosine {likeness:.4f} on the canary texts, where rounding explains {ROUNDED}. Ask a "
        "server like the one that made it, or index the documents again into a new directory (--index)"
    )
