"""Triton backend `text`: text in, vectors or scores out. Serves embed_query, embed_document and rerank.

    requests -> read -> tokenize (all at once) -> cut -> network, a few calls at a time -> responses

Triton's dynamic batcher fills a batch across clients; texts always have equal shape, so nothing fragments it.
What is wrong with one request is answered to that request alone. Everything the service has to know stands in
its config.pbtxt parameters. The rules are interlingua/served/text; what is here speaks with Triton.

Two instances of a service keep the network busy: one tokenizes and answers while the other one's calls run.

Calls are made from threads, not with asyncio: an event loop costs a lone request half a millisecond.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where interlingua.served lies beside this backend
from interlingua.served.graph_names import STAGES, TOKENIZER_FILE, TOKENS
from interlingua.served.model_config import TritonConfig, names_of, parameters_of
from interlingua.served.service import ServiceSpec, outstanding_calls
from interlingua.served.text.batch_texts import BatchText, batch_texts
from interlingua.served.text.batches import CallLimits, plan_calls
from interlingua.served.text.call_cost import CallCost, measured_cost
from interlingua.served.text.collate import collate
from interlingua.served.text.counters import COUNTERS, GAUGES, ServiceCounters
from interlingua.served.text.template import service_tokenizer
from interlingua.served.text.text_request import TextRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlingua.served.text.tokenizer import Row, TextTokenizer

_CALIBRATION_REPEATS = 3


class _NetworkError(Exception):
    """A call to the network failed."""


class TritonPythonModel:
    """One instance of one service."""

    def initialize(self, args: dict[str, str]) -> None:
        config: TritonConfig = json.loads(args["model_config"])
        parameters, self._version = parameters_of(config), int(args["model_version"])
        path = Path(args["model_repository"]) / args["model_version"] / TOKENIZER_FILE
        if not path.is_file():
            raise pb_utils.TritonModelException(f"{path} is missing: export the model first")
        try:
            self._spec = ServiceSpec.from_parameters(parameters, self._version)
        except KeyError as error:
            raise pb_utils.TritonModelException(f"config.pbtxt has no parameter {error}: export again") from error
        except ValueError as error:
            raise pb_utils.TritonModelException(f"config.pbtxt: {error}: export again") from error
        self._limits = CallLimits(
            tokens=self._spec.max_batch_tokens,
            texts=max(config["max_batch_size"], 1),
            lanes=outstanding_calls(parameters),
        )
        self._tokenizer = self._load_tokenizer(path)
        self._inputs = names_of(config["input"])
        self._output = names_of(config["output"])[0]
        self._cost: CallCost | None = None
        self._lanes = ThreadPoolExecutor(self._limits.lanes, thread_name_prefix="network")
        self._metrics = self._counters({"model": args["model_name"], "version": args["model_version"]})

    def finalize(self) -> None:
        self._lanes.shutdown()
        self._metrics.close()

    def _load_tokenizer(self, path: Path) -> TextTokenizer:
        try:
            return service_tokenizer(path.read_text(encoding="utf-8"), self._spec.max_tokens, self._spec.frame)
        except ValueError as error:
            raise pb_utils.TritonModelException(f"{path}: {error}: export again") from error

    def _counters(self, labels: dict[str, str]) -> ServiceCounters:
        family = pb_utils.MetricFamily
        self._families = {  # a family must outlive its metrics
            name: family(name=name, description=text, kind=kind)
            for kind, names in ((family.COUNTER, COUNTERS), (family.GAUGE, GAUGES))
            for name, text in names.items()
        }
        metrics = {name: one.Metric(labels=labels) for name, one in self._families.items()}
        return ServiceCounters(metrics, pb_utils.Logger.log_warn)

    def execute(self, requests: list[Any]) -> list[Any]:
        now = time.time()
        read = [self._read(raw, now) for raw in requests]
        began = time.monotonic()
        texts = self._tokenize(read)
        tokenized = time.monotonic()
        if self._cost is None and texts:
            self._cost = self._measure_call_cost(texts[0])
        values = self._compute(texts)
        stages_s = (tokenized - began, time.monotonic() - tokenized)
        responses = [
            self._respond(request, raw.requested_output_names(), values, stages_s)
            for request, raw in zip(read, requests, strict=True)
        ]
        self._metrics.settle()
        return responses

    # -- tokenizing ----------------------------------------------------------------------------------------

    def _read(self, raw: Any, now: float) -> TextRequest:
        def column(name: str) -> Iterable[bytes]:
            values: Iterable[bytes] = pb_utils.get_input_tensor_by_name(raw, name).as_numpy().reshape(-1)
            return values

        return TextRequest.read(
            _parameters(raw),
            self._inputs,
            column,
            now=now,
            cancelled=raw.is_cancelled(),
            max_text_bytes=self._spec.max_text_bytes,
        )

    def _tokenize(self, requests: list[TextRequest]) -> list[BatchText]:
        texts = batch_texts(requests, self._tokenizer)
        longest = self._spec.max_tokens
        if truncated := sum(tokens > longest for request in requests for tokens in request.tokens):
            self._metrics.record_truncated(truncated)
        return texts

    # -- computing -----------------------------------------------------------------------------------------

    def _compute(self, texts: list[BatchText]) -> np.ndarray:
        """Run the network over all texts: float32 [texts, D]; rows of failed requests stay zero."""
        pieces = self._plan(texts)
        calls = [[texts[place].row for place in piece] for piece in pieces]
        if calls:
            self._metrics.record_calls([[len(row) for row in call] for call in calls])
        # One call is made here: handing it to a thread and waiting for that costs two wake-ups.
        results = [self._call(calls[0])] if len(calls) == 1 else list(self._lanes.map(self._call, calls))
        width = next((values.shape[1] for values in results if isinstance(values, np.ndarray)), 1)
        computed = np.zeros((len(texts), width), dtype=np.float32)
        for piece, values in zip(pieces, results, strict=True):
            if isinstance(values, np.ndarray):
                computed[piece] = values
            else:
                for place in piece:
                    texts[place].request.fail(values)
        return computed

    def _plan(self, texts: list[BatchText]) -> list[list[int]]:
        """Cut the batch; requests that cannot be answered in time are given up before they are computed."""
        return plan_calls(
            [len(text.row) for text in texts],
            [text.request for text in texts],
            lambda request: request.deadline,
            lambda request: request.fail("deadline: it cannot be met under the present load"),
            cost=self._cost,
            limits=self._limits,
            clock=time.time,
        )

    def _call(self, rows: Sequence[Row]) -> np.ndarray | str:
        """One call to the network: float32 [texts, D], or the message of its error."""
        spec = self._spec
        tensors = collate(rows, spec.inputs, pad_token_id=spec.pad_token_id, padding_side=spec.padding_side)
        request = pb_utils.InferenceRequest(
            model_name=spec.network,
            model_version=self._version,
            requested_output_names=[self._output],
            inputs=[pb_utils.Tensor(name, values) for name, values in tensors.items()],
        )
        response = request.exec()
        if response.has_error():
            return f"network {spec.network}: {response.error().message()}"
        result = pb_utils.get_output_tensor_by_name(response, self._output).as_numpy()
        return np.array(result, dtype=np.float32)

    def _measure_call_cost(self, text: BatchText) -> CallCost | None:
        """Before the first text: time a few lone calls of known size; the fastest of each counts.

        Not in `initialize`: Triton loads models side by side, the network may not be there yet.
        """

        def seconds(tokens: int) -> float:
            row = text.repeated(tokens)
            return min(self._timed(row) for _ in range(_CALIBRATION_REPEATS))

        try:
            cost = measured_cost(seconds, self._spec.max_tokens)
        except _NetworkError:
            return None  # the requests themselves will say how it fails
        self._metrics.show_cost(cost)
        return cost

    def _timed(self, row: Row) -> float:
        began = time.monotonic()
        if isinstance(self._call([row]), str):
            raise _NetworkError
        return time.monotonic() - began

    # -- answering -----------------------------------------------------------------------------------------

    def _respond(
        self, request: TextRequest, wanted: Iterable[str], values: np.ndarray, stages_s: tuple[float, float]
    ) -> Any:
        if request.error is not None:
            if request.late():
                self._metrics.record_shed()
            code = pb_utils.TritonError.INVALID_ARG if request.invalid else pb_utils.TritonError.UNAVAILABLE
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(request.error, code))
        count = len(request.tokens)
        stages_us = np.array([seconds * 1e6 for seconds in (request.wait_s, *stages_s)], dtype=np.int64)
        outputs = {
            self._output: values[request.first : request.first + count],
            TOKENS: np.array(request.tokens, dtype=np.int32).reshape(-1, 1),
            STAGES: np.tile(stages_us, (count, 1)),
        }
        tensors = [pb_utils.Tensor(name, outputs[name]) for name in wanted]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _parameters(raw: Any) -> str:
    """A request's parameters as JSON; what cannot be read is none, which its client is told."""
    try:
        stated: str = raw.parameters()
    except UnicodeDecodeError as error:
        return str(error)
    return stated
