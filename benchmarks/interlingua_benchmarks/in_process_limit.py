"""The limit a server is measured against: the same network, in this process, perfectly batched.

    texts, tokenized beforehand --cut over all of them, sorted by length--> sub-batches --> n sessions x m threads

Nothing is paid for but the network: no tokenizer, no request, no copy. The best split of the cores into sessions
and threads, and the best token budget, are searched.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Ids = npt.NDArray[np.int64]
Row = TypeVar("Row", bound=Sized)


@dataclass(frozen=True)
class Split:
    """A way to use the cores."""

    sessions: int
    threads: int
    max_batch_tokens: int

    def __str__(self) -> str:
        return f"{self.sessions} x {self.threads} threads, {self.max_batch_tokens} tokens"


@dataclass(frozen=True)
class Limit:
    """The best that was found."""

    texts_per_second: float
    split: Split


def find_limit(network: Path, tokens: Sequence[Ids], cores: int, budgets: Sequence[int], pad_id: int) -> Limit:
    """Try every split of the cores with every token budget.

    Args:
        network: an embedder's model.onnx.
        tokens: int64 [length] of each text.
    """
    splits = [
        Split(sessions, cores // sessions, budget)
        for sessions in range(1, cores + 1)
        if cores % sessions == 0
        for budget in budgets
    ]
    return max((Limit(_throughput(network, tokens, split, pad_id), split) for split in splits), key=_rate)


def lone_call_seconds(network: Path, tokens: Ids, threads: int, repeats: int) -> list[float]:
    """What one text alone takes, call by call."""
    session = cpu_session(network, threads)
    feed = _rectangle([tokens], pad_id=0)
    for _ in range(5):
        session.run(None, feed)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        session.run(None, feed)
        seconds.append(time.perf_counter() - began)
    return seconds


def _rate(limit: Limit) -> float:
    return limit.texts_per_second


def _throughput(network: Path, tokens: Sequence[Ids], split: Split, pad_id: int) -> float:
    sessions = [cpu_session(network, split.threads) for _ in range(split.sessions)]
    work: queue.SimpleQueue[dict[str, Ids]] = queue.SimpleQueue()
    for batch in sorted_batches(tokens, split.max_batch_tokens):
        work.put(_rectangle(batch, pad_id))

    def run(session: ort.InferenceSession) -> None:
        while True:
            try:
                feed = work.get_nowait()
            except queue.Empty:
                return
            session.run(None, feed)

    for session in sessions:
        session.run(None, _rectangle([tokens[0]], pad_id))
    return len(tokens) / seconds_together([partial(run, session) for session in sessions])


def seconds_together(jobs: Sequence[Callable[[], None]]) -> float:
    """How long jobs take, each in a thread of its own, until the last has ended."""
    workers = [threading.Thread(target=job) for job in jobs]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def sorted_batches(tokens: Sequence[Row], max_tokens: int) -> list[list[Row]]:
    """Texts in batches of at most so many padded tokens; the longest first, so that the sessions end together."""
    batches: list[list[Row]] = [[]]
    for text in sorted(tokens, key=len, reverse=True):
        if batches[-1] and (len(batches[-1]) + 1) * len(batches[-1][0]) > max_tokens:
            batches.append([])
        batches[-1].append(text)
    return batches


def _rectangle(batch: Sequence[Ids], pad_id: int) -> dict[str, Ids]:
    shape = (len(batch), max(len(text) for text in batch))
    ids, mask = np.full(shape, pad_id, np.int64), np.zeros(shape, np.int64)
    for row, text in enumerate(batch):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def cpu_session(network: Path | bytes, threads: int) -> ort.InferenceSession:
    """The session as the server runs it: basic graph optimizations; the fused kernels are slower on CPUs.

    Args:
        network: a model.onnx, or what one holds.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    model = network if isinstance(network, bytes) else str(network)
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
