"""Triton backend `text`: text in, vectors or scores out. Serves embed_query, embed_document and rerank.

    requests -> read -> tokenize (all at once) -> cut (batch_plan) -> network, a few calls at a time -> responses

Triton's dynamic batcher fills a batch across clients; texts always have equal shape, so nothing fragments it.
What is wrong with one request is answered to that request alone. Everything the service has to know stands in
its config.pbtxt parameters, one set a version (`1/prompt`, ...).

Two instances of a service keep the network busy: one tokenizes and answers while the other one's calls run.
(Feeding the network from one endless pool and answering from its threads would do the same with one instance,
but Triton 24.10 crashes when a response is sent outside `execute`.)
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parent))
from batch_plan import CallCost, cut, finish_times, fit_call_cost
from service_tokenizer import service_tokenizer

if TYPE_CHECKING:
    from text_tokenizer import TextTokenizer, Tokens

_DEFAULT_OUTSTANDING_CALLS = 2
_CALIBRATION_LENGTHS = (8, 64, 256)
_CALIBRATION_REPEATS = 3


class _BadTextError(ValueError):
    """The caller's text cannot be processed."""


@dataclass(frozen=True)
class _Settings:
    """The parameters of this version; interlingua/service.py describes each."""

    network: str
    version: int
    network_inputs: tuple[str, ...]
    prompt: str
    template: str
    max_tokens: int
    max_batch_tokens: int
    max_text_bytes: int
    pad_token_id: int
    pad_left: bool
    max_call_texts: int
    outstanding_calls: int

    @classmethod
    def read(cls, config: dict[str, Any], version: str) -> _Settings:
        raw = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}

        def value(name: str) -> str:
            key = f"{version}/{name}"
            if key not in raw:
                raise pb_utils.TritonModelException(f"config.pbtxt has no parameter {key!r}: export again")
            return str(raw[key])

        return cls(
            network=value("network"),
            version=int(version),
            network_inputs=tuple(value("network_inputs").split(",")),
            prompt=value("prompt"),
            template=str(raw.get(f"{version}/template", "")),  # versions published before there was one state none
            max_tokens=int(value("max_tokens")),
            max_batch_tokens=int(value("max_batch_tokens")),
            max_text_bytes=int(value("max_text_bytes")),
            pad_token_id=int(value("pad_token_id")),
            pad_left=value("padding_side") == "left",
            max_call_texts=max(int(config["max_batch_size"]), 1),
            outstanding_calls=int(raw.get("outstanding_calls", _DEFAULT_OUTSTANDING_CALLS)),
        )


@dataclass
class _Job:
    """One request on its way through: its texts (or pairs), and what became of them."""

    deadline: float | None  # Unix seconds after which an answer is worthless
    wait_s: float  # from the client's sending to the start of this batch, by both clocks
    wanted: list[str]  # outputs to return
    texts: list[Any] = field(default_factory=list)
    error: str | None = None
    invalid: bool = False
    first: int = 0  # its first row in the batch
    tokens: list[int] = field(default_factory=list)  # of each text, before truncation

    def fail(self, reason: str, *, invalid: bool = False) -> None:
        self.error, self.invalid, self.texts = reason, invalid, []


@dataclass(frozen=True)
class _Text:
    """One text of the batch: whose it is, and its tokens as they are computed."""

    job: _Job
    encoding: Tokens


class TritonPythonModel:
    """One instance of one service."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self._settings = _Settings.read(config, args["model_version"])
        path = Path(args["model_repository"]) / args["model_version"] / "tokenizer.json"
        if not path.is_file():
            raise pb_utils.TritonModelException(f"{path} is missing: export the model first")
        self._tokenizer = self._load_tokenizer(path)
        self._inputs = [entry["name"] for entry in config["input"]]
        self._output = config["output"][0]["name"]
        self._cost: CallCost | None = None
        self._metrics = _Metrics(args["model_name"], args["model_version"])

    def _load_tokenizer(self, path: Path) -> TextTokenizer:
        settings = self._settings
        try:
            return service_tokenizer(
                path.read_text(encoding="utf-8"),
                settings.max_tokens,
                prompt=settings.prompt,
                template=settings.template,
            )
        except ValueError as error:
            raise pb_utils.TritonModelException(f"{path}: {error}: export again") from error

    async def execute(self, requests: list[Any]) -> list[Any]:
        now = time.time()
        jobs = [self._read(request, now) for request in requests]
        began = time.monotonic()
        texts = self._tokenize(jobs)
        tokenized = time.monotonic()
        if self._cost is None and texts:
            self._cost = await self._measure_call_cost()
            self._metrics.show_cost(self._cost)
        values = await self._compute(texts)
        stages_s = (tokenized - began, time.monotonic() - tokenized)
        return [self._respond(job, values, stages_s) for job in jobs]

    # -- reading -------------------------------------------------------------------------------------------

    def _read(self, request: Any, now: float) -> _Job:
        parameters = json.loads(request.parameters() or "{}")
        deadline, sent = parameters.get("deadline_ms"), parameters.get("sent_us")
        job = _Job(
            deadline=None if deadline is None else int(deadline) / 1e3,
            wait_s=0.0 if sent is None else max(now - int(sent) / 1e6, 0.0),
            wanted=list(request.requested_output_names()),
        )
        if request.is_cancelled():
            job.fail("cancelled: the client is gone")
        elif job.deadline is not None and now >= job.deadline:
            job.fail(f"deadline: passed {1e3 * (now - job.deadline):.0f} ms before the work began")
        else:
            try:
                columns = [self._read_column(request, name) for name in self._inputs]
                job.texts = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
            except _BadTextError as error:
                job.fail(f"invalid text: {error}", invalid=True)
        return job

    def _read_column(self, raw: Any, name: str) -> list[str]:
        values = pb_utils.get_input_tensor_by_name(raw, name).as_numpy().reshape(-1)
        return [self._read_text(value, f"{name}[{row}]") for row, value in enumerate(values)]

    def _read_text(self, value: bytes, where: str) -> str:
        limit = self._settings.max_text_bytes
        if len(value) > limit:
            raise _BadTextError(
                f"{where} has {len(value)} bytes, this service takes at most {limit}: split it into passages"
            )
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _BadTextError(f"{where} is not valid UTF-8 at byte {error.start}") from None
        if "\0" in text:
            raise _BadTextError(f"{where} holds a NUL character at position {text.index(chr(0))}")
        if not text.strip():
            raise _BadTextError(f"{where} is empty")
        return text

    # -- tokenizing ----------------------------------------------------------------------------------------

    def _tokenize(self, jobs: list[_Job]) -> list[_Text]:
        encoded = self._tokenizer.encode([text for job in jobs for text in job.texts])
        texts: list[_Text] = []
        for job in jobs:
            job.first = len(texts)
            mine = encoded[job.first : job.first + len(job.texts)]
            job.tokens = [tokens for _, tokens in mine]
            texts += [_Text(job, kept) for kept, _ in mine]
        if truncated := sum(len(kept) < tokens for kept, tokens in encoded):
            self._metrics.truncated.increment(truncated)
        return texts

    # -- computing -----------------------------------------------------------------------------------------

    async def _compute(self, texts: list[_Text]) -> np.ndarray:
        """Run the network over all texts: float32 [texts, D]; rows of failed requests stay zero."""
        gate = asyncio.Semaphore(self._settings.outstanding_calls)

        async def run(rows: list[int]) -> tuple[list[int], np.ndarray | str]:
            async with gate:
                return rows, await self._call([texts[row].encoding for row in rows])

        results = await asyncio.gather(*(run(rows) for rows in self._plan(texts)))
        width = next((values.shape[1] for _, values in results if isinstance(values, np.ndarray)), 1)
        computed = np.zeros((len(texts), width), dtype=np.float32)
        for rows, values in results:
            if isinstance(values, np.ndarray):
                computed[rows] = values
            else:
                for row in rows:
                    texts[row].job.fail(values)
        return computed

    def _plan(self, texts: list[_Text]) -> list[list[int]]:
        """Cut the batch; requests that cannot be answered in time are given up before they are computed."""
        rows = list(range(len(texts)))
        while rows:
            lengths = [len(texts[row].encoding) for row in rows]
            # The longest calls go first, so that the lanes of the network end together.
            alone = all(texts[row].job is texts[rows[0]].job for row in rows)
            pieces = [[rows[position] for position in piece] for piece in reversed(self._cut(lengths, alone))]
            late = self._latest(pieces, texts)
            if late is None:
                return pieces
            late.fail("deadline: it cannot be met under the present load")
            rows = [row for row in rows if texts[row].job is not late]
        return []

    def _cut(self, lengths: list[int], alone: bool) -> list[list[int]]:
        settings = self._settings
        budget = settings.max_batch_tokens
        if alone:  # nobody else waits: spread one request over all lanes rather than fill one large call
            fair_share = -(-sum(lengths) // settings.outstanding_calls)
            budget = min(budget, max(fair_share, max(lengths)))
        return cut(lengths, self._cost.overhead_tokens if self._cost else 0.0, budget, settings.max_call_texts)

    def _latest(self, pieces: list[list[int]], texts: list[_Text]) -> _Job | None:
        """The request that would miss its deadline by most; giving it up may save the others."""
        if self._cost is None or all(text.job.deadline is None for text in texts):
            return None
        calls = [self._cost.seconds(len(rows) * max(len(texts[row].encoding) for row in rows)) for rows in pieces]
        ends = finish_times(calls, self._settings.outstanding_calls)
        now = time.time()
        jobs = [(now + end, texts[row].job) for rows, end in zip(pieces, ends, strict=True) for row in rows]
        delays = [(end - job.deadline, job) for end, job in jobs if job.deadline is not None]
        delay, job = max(delays, key=lambda pair: pair[0])
        return job if delay > 0 else None

    async def _call(self, encodings: list[Tokens]) -> np.ndarray | str:
        """One call to the network: float32 [texts, D], or the message of its error."""
        tensors = self._padded(encodings)
        self._metrics.record_call(encodings, tensors["input_ids"].size)
        request = pb_utils.InferenceRequest(
            model_name=self._settings.network,
            model_version=self._settings.version,
            requested_output_names=[self._output],
            inputs=[pb_utils.Tensor(name, tensors[name]) for name in self._settings.network_inputs],
        )
        response = await request.async_exec()
        if response.has_error():
            return f"network {self._settings.network}: {response.error().message()}"
        result = pb_utils.get_output_tensor_by_name(response, self._output).as_numpy()
        return np.array(result, dtype=np.float32)

    def _padded(self, encodings: list[Tokens]) -> dict[str, np.ndarray]:
        """The rectangle of ids and its masks, int64 [texts, longest]."""
        shape = (len(encodings), max(len(encoding) for encoding in encodings))
        ids = np.full(shape, self._settings.pad_token_id, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        kinds = np.zeros(shape, dtype=np.int64)
        for row, encoding in enumerate(encodings):
            span = slice(-len(encoding), None) if self._settings.pad_left else slice(len(encoding))
            ids[row, span] = encoding.ids
            mask[row, span] = 1
            kinds[row, span] = encoding.type_ids
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}

    async def _measure_call_cost(self) -> CallCost | None:
        """Before the first text: time a few lone calls of known size; the fastest of each counts.

        Not in `initialize`: Triton loads models side by side, the network may not be there yet.
        """
        long_text = self._tokenizer.tokenizer.encode("calibration " * max(_CALIBRATION_LENGTHS))
        sizes, seconds = [], []
        for length in sorted(_CALIBRATION_LENGTHS, reverse=True):
            long_text.truncate(min(length, self._settings.max_tokens))
            times = []
            for _ in range(_CALIBRATION_REPEATS):
                began = time.monotonic()
                if isinstance(await self._call([long_text]), str):
                    return None  # the network fails: the requests themselves will say how
                times.append(time.monotonic() - began)
            sizes.append(len(long_text))
            seconds.append(min(times))
        return fit_call_cost(sizes, seconds)

    # -- answering -----------------------------------------------------------------------------------------

    def _respond(self, job: _Job, values: np.ndarray, stages_s: tuple[float, float]) -> Any:
        if job.error is not None:
            if job.error.startswith("deadline"):
                self._metrics.shed.increment(1)
            code = pb_utils.TritonError.INVALID_ARG if job.invalid else pb_utils.TritonError.UNAVAILABLE
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(job.error, code))
        count = len(job.tokens)
        stages_us = np.array([seconds * 1e6 for seconds in (job.wait_s, *stages_s)], dtype=np.int64)
        outputs = {
            self._output: values[job.first : job.first + count],
            "tokens": np.array(job.tokens, dtype=np.int32).reshape(-1, 1),
            "stage_us": np.tile(stages_us, (count, 1)),
        }
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor(name, outputs[name]) for name in job.wanted])


class _Metrics:
    """Counters on Triton's metrics page, labelled by service and version."""

    def __init__(self, model: str, version: str) -> None:
        labels = {"model": model, "version": version}
        self._families: list[Any] = []  # a family must outlive its metrics

        def metric(name: str, description: str, kind: Any = pb_utils.MetricFamily.COUNTER) -> Any:
            family = pb_utils.MetricFamily(name=f"interlingua_{name}", description=description, kind=kind)
            self._families.append(family)
            return family.Metric(labels=labels)

        self._texts = metric("texts_total", "Texts or pairs computed")
        self._tokens = metric("tokens_total", "Tokens computed, without padding")
        self._padded = metric("padded_tokens_total", "Tokens computed, padding included")
        self._calls = metric("network_calls_total", "Sub-batches sent to the network")
        self.truncated = metric("truncated_texts_total", "Texts cut off at max_tokens")
        self.shed = metric("shed_requests_total", "Requests refused because of their deadline")
        gauge = pb_utils.MetricFamily.GAUGE
        self._call_s = metric("network_call_seconds", "Fixed part of a call to the network, as measured", gauge)
        self._token_s = metric("network_token_seconds", "A padded token's part of a call, as measured", gauge)

    def show_cost(self, cost: CallCost | None) -> None:
        """What the cut goes by; of several instances, that of the last one to measure."""
        if cost is not None:
            self._call_s.set(cost.call_s)
            self._token_s.set(cost.token_s)

    def record_call(self, encodings: list[Tokens], padded_tokens: int) -> None:
        self._texts.increment(len(encodings))
        self._tokens.increment(sum(len(encoding) for encoding in encodings))
        self._padded.increment(padded_tokens)
        self._calls.increment(1)
