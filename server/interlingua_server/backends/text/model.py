"""Triton backend `text`: text in, vectors or scores out. Serves embed_query, embed_document and rerank.

    requests -> read -> tokenize (all at once) -> cut (batch_plan) -> network, a few calls at a time -> responses

Triton's dynamic batcher fills a batch across clients; texts always have equal shape, so nothing fragments it.
What is wrong with one request is answered to that request alone. Everything the service has to know stands in
its config.pbtxt parameters.

Two instances of a service keep the network busy: one tokenizes and answers while the other one's calls run.

Calls are made from threads, not with asyncio: an event loop costs a lone request half a millisecond.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parent))
from batch_plan import CallCost, cut, finish_times, fit_call_cost
from service_metrics import ServiceMetrics
from service_settings import ServiceSettings
from service_tokenizer import service_tokenizer
from text_request import TextRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from text_tokenizer import TextTokenizer, Tokens

_CALIBRATION_LENGTHS = (8, 64, 256)
_CALIBRATION_REPEATS = 3


@dataclass(frozen=True)
class _Text:
    """One text of the batch: whose it is, and its tokens as they are computed."""

    request: TextRequest
    encoding: Tokens


class TritonPythonModel:
    """One instance of one service."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        path = Path(args["model_repository"]) / args["model_version"] / "tokenizer.json"
        if not path.is_file():
            raise pb_utils.TritonModelException(f"{path} is missing: export the model first")
        try:
            self._settings = ServiceSettings.read(config, args["model_version"])
        except ValueError as error:
            raise pb_utils.TritonModelException(str(error)) from error
        self._tokenizer = self._load_tokenizer(path)
        self._inputs = [entry["name"] for entry in config["input"]]
        self._output = config["output"][0]["name"]
        self._cost: CallCost | None = None
        self._lanes = ThreadPoolExecutor(self._settings.outstanding_calls, thread_name_prefix="network")
        self._metrics = ServiceMetrics(args["model_name"], args["model_version"])

    def finalize(self) -> None:
        self._lanes.shutdown()
        self._metrics.close()

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

    def execute(self, requests: list[Any]) -> list[Any]:
        now = time.time()
        read = [TextRequest.read(raw, now, self._inputs, self._settings.max_text_bytes) for raw in requests]
        began = time.monotonic()
        texts = self._tokenize(read)
        tokenized = time.monotonic()
        if self._cost is None and texts:
            self._cost = self._measure_call_cost()
        values = self._compute(texts)
        stages_s = (tokenized - began, time.monotonic() - tokenized)
        responses = [self._respond(request, values, stages_s) for request in read]
        self._metrics.settle()
        return responses

    # -- tokenizing ----------------------------------------------------------------------------------------

    def _tokenize(self, requests: list[TextRequest]) -> list[_Text]:
        encoded = self._tokenizer.encode([text for request in requests for text in request.texts])
        texts: list[_Text] = []
        for request in requests:
            request.first = len(texts)
            mine = encoded[request.first : request.first + len(request.texts)]
            request.tokens = [tokens for _, tokens in mine]
            texts += [_Text(request, kept) for kept, _ in mine]
        if truncated := sum(len(kept) < tokens for kept, tokens in encoded):
            self._metrics.record_truncated(truncated)
        return texts

    # -- computing -----------------------------------------------------------------------------------------

    def _compute(self, texts: list[_Text]) -> np.ndarray:
        """Run the network over all texts: float32 [texts, D]; rows of failed requests stay zero."""
        pieces = self._plan(texts)
        calls = [[texts[row].encoding for row in rows] for rows in pieces]
        if calls:
            self._metrics.record_calls([[len(encoding) for encoding in call] for call in calls])
        # One call is made here: handing it to a thread and waiting for that costs two wake-ups.
        results = [self._call(calls[0])] if len(calls) == 1 else list(self._lanes.map(self._call, calls))
        width = next((values.shape[1] for values in results if isinstance(values, np.ndarray)), 1)
        computed = np.zeros((len(texts), width), dtype=np.float32)
        for rows, values in zip(pieces, results, strict=True):
            if isinstance(values, np.ndarray):
                computed[rows] = values
            else:
                for row in rows:
                    texts[row].request.fail(values)
        return computed

    def _plan(self, texts: list[_Text]) -> list[list[int]]:
        """Cut the batch; requests that cannot be answered in time are given up before they are computed."""
        rows = list(range(len(texts)))
        while rows:
            lengths = [len(texts[row].encoding) for row in rows]
            # The longest calls go first, so that the lanes of the network end together.
            alone = all(texts[row].request is texts[rows[0]].request for row in rows)
            pieces = [[rows[position] for position in piece] for piece in reversed(self._cut(lengths, alone))]
            late = self._latest(pieces, texts)
            if late is None:
                return pieces
            late.fail("deadline: it cannot be met under the present load")
            rows = [row for row in rows if texts[row].request is not late]
        return []

    def _cut(self, lengths: list[int], alone: bool) -> list[list[int]]:
        settings = self._settings
        budget = settings.max_batch_tokens
        if alone:  # nobody else waits: spread one request over all lanes rather than fill one large call
            fair_share = -(-sum(lengths) // settings.outstanding_calls)
            budget = min(budget, max(fair_share, max(lengths)))
        return cut(lengths, self._cost.overhead_tokens if self._cost else 0.0, budget, settings.max_call_texts)

    def _latest(self, pieces: list[list[int]], texts: list[_Text]) -> TextRequest | None:
        """The request that would miss its deadline by most; giving it up may save the others."""
        if self._cost is None or all(text.request.deadline is None for text in texts):
            return None
        calls = [self._cost.seconds(len(rows) * max(len(texts[row].encoding) for row in rows)) for rows in pieces]
        ends = finish_times(calls, self._settings.outstanding_calls)
        now = time.time()
        waiting = [(now + end, texts[row].request) for rows, end in zip(pieces, ends, strict=True) for row in rows]
        delays = [(end - request.deadline, request) for end, request in waiting if request.deadline is not None]
        delay, request = max(delays, key=lambda pair: pair[0])
        return request if delay > 0 else None

    def _call(self, encodings: Sequence[Tokens]) -> np.ndarray | str:
        """One call to the network: float32 [texts, D], or the message of its error."""
        tensors = self._padded(encodings)
        request = pb_utils.InferenceRequest(
            model_name=self._settings.network,
            model_version=self._settings.version,
            requested_output_names=[self._output],
            inputs=[pb_utils.Tensor(name, tensors[name]) for name in self._settings.network_inputs],
        )
        response = request.exec()
        if response.has_error():
            return f"network {self._settings.network}: {response.error().message()}"
        result = pb_utils.get_output_tensor_by_name(response, self._output).as_numpy()
        return np.array(result, dtype=np.float32)

    def _padded(self, encodings: Sequence[Tokens]) -> dict[str, np.ndarray]:
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

    def _measure_call_cost(self) -> CallCost | None:
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
                if isinstance(self._call([long_text]), str):
                    return None  # the network fails: the requests themselves will say how
                times.append(time.monotonic() - began)
            sizes.append(len(long_text))
            seconds.append(min(times))
        cost = fit_call_cost(sizes, seconds)
        self._metrics.show_cost(cost)
        return cost

    # -- answering -----------------------------------------------------------------------------------------

    def _respond(self, request: TextRequest, values: np.ndarray, stages_s: tuple[float, float]) -> Any:
        if request.error is not None:
            if request.late():
                self._metrics.record_shed()
            code = pb_utils.TritonError.INVALID_ARG if request.invalid else pb_utils.TritonError.UNAVAILABLE
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(request.error, code))
        count = len(request.tokens)
        stages_us = np.array([seconds * 1e6 for seconds in (request.wait_s, *stages_s)], dtype=np.int64)
        outputs = {
            self._output: values[request.first : request.first + count],
            "tokens": np.array(request.tokens, dtype=np.int32).reshape(-1, 1),
            "stage_us": np.tile(stages_us, (count, 1)),
        }
        tensors = [pb_utils.Tensor(name, outputs[name]) for name in request.wanted]
        return pb_utils.InferenceResponse(output_tensors=tensors)
