"""What happened, request by request, as it is measured: every figure is derived from it.

    request -> Outcome --run_folder.py--> RUN/requests.parquet --request_columns.py--> arrays
    process -> ProcessSample ------------> RUN/processes.parquet

Three durations are told apart: latency (finished - scheduled) is what somebody waits who came at that moment, service
time (finished - sent) what the server took, lag (sent - scheduled) what the generator added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

STATUSES = ("ok", "degraded", "rejected", "deadline", "away", "error", "unsent")
ANSWERED = ("ok", "degraded")

# Processes of the generator have names that begin so.
GENERATOR = "generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one request. Times are seconds from the run's start by the monotonic clock; NaN: never happened.

    Attributes:
        number: of the request, unique in its run.
        kind, language, query_kind, depth: as asked (request_stream.py).
        scheduled_s: when it was to be sent; in a closed loop, when it was.
        sent_s, finished_s: when it was sent, and answered or given up.
        status: one of STATUSES.
        detail: kind of an error; never a text.
        tokens: of the texts sent, of a search its query alone; -1 unknown.
        pairs: documents reranked as pairs.
        stored: documents of a search that were reranked by stored token vectors.
        queue_s, tokenize_s, compute_s: of the embedding or reranking service, as it reports them; NaN unknown.
        network_s, ann_s, documents_s, language_s, rerank_s: see interlingua_client/search/results.py; NaN unknown.
        worker: process of the generator.
    """

    number: int
    kind: str
    language: str
    query_kind: str
    depth: int
    scheduled_s: float
    sent_s: float
    finished_s: float
    status: str
    detail: str = ""
    tokens: int = -1
    pairs: int = 0
    queue_s: float = math.nan
    tokenize_s: float = math.nan
    compute_s: float = math.nan
    network_s: float = math.nan
    ann_s: float = math.nan
    documents_s: float = math.nan
    language_s: float = math.nan
    rerank_s: float = math.nan
    worker: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSample:
    """One process, or one GPU (gpu_samples.py), at one moment.

    Attributes:
        time_s: seconds from the run's start.
        pid: 0 of a GPU.
        name: what it does; those of the generator begin with GENERATOR.
        cpu_share: cores used since the sample before: 1 is one core; NaN in a process's first sample.
        rss_mb, pss_mb: megabytes (2**20 bytes) resident, and with shared pages divided among their users; NaN unknown.
    """

    time_s: float
    pid: int
    name: str
    cpu_share: float
    rss_mb: float
    pss_mb: float = math.nan


_TYPES = {"int": int, "float": float, "str": str}
OUTCOME_COLUMNS: Mapping[str, type] = {entry.name: _TYPES[str(entry.type)] for entry in fields(Outcome)}
# What records of before do not have, and what it was then.
LATER_COLUMNS: Mapping[str, int] = {"stored": 0}
PROCESS_COLUMNS: Mapping[str, type] = {entry.name: _TYPES[str(entry.type)] for entry in fields(ProcessSample)}
