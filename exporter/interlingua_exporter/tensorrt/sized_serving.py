"""Warm-ups, configurations and profiles from one set of length buckets.

LengthWishes, Checkpoint --measure, best_buckets--> LengthReport, and ServingOptions that know the calls to expect
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.publication.tensorrt_profiles import warmup_shapes
from interlingua_exporter.publication.tensorrt_serving import CACHE, Runner, TensorRtServing
from interlingua_exporter.tensorrt.length_buckets import LengthBuckets, best_buckets, check_edges, with_edges
from interlingua_exporter.tensorrt.length_histogram import LengthHistogram, measure

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.publication.candidate import ServingOptions

DEFAULT_BUCKETS = 4


@dataclass(frozen=True, kw_only=True)
class LengthWishes:
    """What the user said about lengths, and about what runs the network.

    Attributes:
        corpus: to measure lengths on, as `interlingua index` reads it.
        queries: in the same form; None for stand-ins.
        buckets: how many, unless `edges` says which.
        edges: longest length of each bucket; the model's limit may be left out.
        runner: None for ONNX Runtime alone.
        cache: folder for ONNX Runtime's engines, on the server.
    """

    corpus: Path | None = None
    queries: Path | None = None
    buckets: int = DEFAULT_BUCKETS
    edges: tuple[int, ...] = ()
    runner: Runner | None = None
    cache: str = CACHE


@dataclass(frozen=True)
class LengthReport:
    """What came of it.

    Attributes:
        edges: that the export goes by.
        choices: the best buckets for 1, 2, ... of them; empty without a corpus.
        chosen: what `edges` cost on the corpus; None without one.
    """

    edges: tuple[int, ...]
    histogram: LengthHistogram | None = None
    choices: tuple[LengthBuckets, ...] = ()
    chosen: LengthBuckets | None = None


def sized(
    wishes: LengthWishes, checkpoint: Checkpoint, serving: ServingOptions
) -> tuple[ServingOptions, LengthReport | None]:
    """Serving options with warm-ups, and TensorRT's settings, for the lengths of a corpus or of given buckets.

    Raises:
        InputError: TensorRT without lengths, a corpus that cannot be read, or edges that do not fit the model.
    """
    if not wishes.corpus and not wishes.edges:
        if wishes.runner:
            raise InputError(
                f"--provider {wishes.runner} needs to know the lengths: give --lengths corpus.jsonl, or the buckets "
                "themselves, as in --buckets 32,128,512"
            )
        return serving, None
    report = _report(wishes, checkpoint)
    limits = serving.max_batch_size, serving.max_batch_tokens
    tensorrt = None
    if wishes.runner:
        usual = report.chosen.busiest if report.chosen else report.edges[0]
        tensorrt = TensorRtServing(wishes.runner, report.edges, usual, wishes.cache)
    return replace(serving, warmup=warmup_shapes(report.edges, *limits), tensorrt=tensorrt), report


def _report(wishes: LengthWishes, checkpoint: Checkpoint) -> LengthReport:
    limit = checkpoint.spec.max_tokens
    edges = wishes.edges
    if edges and edges[-1] < limit:
        edges = (*edges, limit)
    if edges:
        check_edges(edges, limit)
    if wishes.corpus is None:
        return LengthReport(edges)
    histogram = measure(checkpoint, wishes.corpus, wishes.queries)
    choices = best_buckets(histogram, len(edges) or wishes.buckets)
    chosen = with_edges(histogram, edges) if edges else choices[-1]
    return LengthReport(chosen.edges, histogram, choices, chosen)
