"""What a precision costs and brings: size on disk, speed on this machine, rankings in the worst language.

network + fp32's size and speed + its gate --> Trade
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from interlingua_exporter.texts.parity_texts import sentences

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua.served.text.tokenizer import Text
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.gate.ranking_agreement import LanguageAgreement
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession

SPEED_CAVEAT: dict[Precision, str] = {
    "fp32": "",
    "fp16": "on this CPU, tells nothing of a GPU",
    "bf16": "not measured: this CPU has no kernels for it",
    "int8": "",
}

_BATCH = 8
_ROWS = 3  # sentences of every language
_LEAST_S = 0.3
_MOST_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One precision against fp32.

    Attributes:
        network_bytes, full_bytes: on disk, of this network and of the fp32 one.
        speed, full_speed: texts a second, each measured alone for at most three seconds; None where it cannot run here.
        worst: the language whose rankings agree least with torch's.
        caveat: what the speed does not tell.
    """

    precision: Precision
    network_bytes: int
    full_bytes: int
    speed: float | None
    full_speed: float | None
    worst: LanguageAgreement
    caveat: str

    @classmethod
    def of(
        cls,
        precision: Precision,
        sizes: tuple[int, int],
        speeds: tuple[float | None, float | None],
        gate: GateReport,
    ) -> Trade:
        """From (this, fp32) sizes and speeds."""
        return cls(
            precision=precision,
            network_bytes=sizes[0],
            full_bytes=sizes[1],
            speed=speeds[0],
            full_speed=speeds[1],
            worst=gate.agreements[0],
            caveat=SPEED_CAVEAT[precision],
        )


def folder_bytes(folder: Path) -> int:
    """The size of a network's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def texts_per_second(checkpoint: Checkpoint, session: OnnxSession) -> float:
    """Sentences in every language, sorted by length, in batches of 8: passes over all of them for at least 0.3 seconds.

    After 3 seconds the measurement ends wherever it is. Raises ExportError: the network fails on a batch.
    """
    encoder = checkpoint.text_encoder()
    rows = sorted(checkpoint.long_rows(encoder, _texts(checkpoint)), key=len)
    starts = range(0, len(rows), _BATCH)
    order = sorted(starts, key=lambda start: abs(start - len(rows) // 2))
    batches = [encoder.collate(rows[start : start + _BATCH], checkpoint.inputs) for start in order]
    # From the middle out: of a slow network, cut short, neither the shortest nor the longest texts decide.
    session.run(batches[0])
    done, passed, begun = 0, 0.0, perf_counter()
    while passed < _LEAST_S:
        for batch in batches:
            session.run(batch)
            done += len(batch["input_ids"])
            if (passed := perf_counter() - begun) > _MOST_S:
                break
    return done / passed


def _texts(checkpoint: Checkpoint) -> list[Text]:
    flat = [text for row in sentences()[:_ROWS] for text in row.values()]
    if checkpoint.spec.role == "embedder":
        return list(flat)
    return list(zip(flat, flat[1:] + flat[:1], strict=True))
