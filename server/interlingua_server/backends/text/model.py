"""Triton backend `text`: text in, vectors or scores out. Serves embed_query, embed_document and rerank; of a
late-interaction model encode_query_tokens and encode_document_tokens too.

    requests -> read -> tokenize (all at once) -> cut -> network, a few calls at a time -> responses

Triton's dynamic batcher fills a batch across clients; texts always have equal shape, so nothing fragments it.
What is wrong with one request is answered to that request alone. A request that asks for `tokens` alone is counted,
and goes no further. Everything the service has to know stands in
its config.pbtxt parameters. The rules are interlingua/served/text; what is here speaks with Triton.

Two instances of a service keep the network busy: one tokenizes and answers while the other one's calls run.

Calls are made from threads, not with asyncio: an event loop costs a lone request half a millisecond.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

_BACKENDS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_BACKENDS))  # where interlingua.served lies beside this backend
from interlingua.served.graph_names import BULK, PREPARED_FILE, STAGES, TOKEN_VECTORS, TOKENIZER_FILE, TOKENS
from interlingua.served.late_interaction.side_services import service_texts
from interlingua.served.limits import BULK_NICENESS, TEXTS_PER_REQUEST
from interlingua.served.model_config import TritonConfig, instances_of, names_of, parameters_of
from interlingua.served.service import BULK_SERVICES, ServiceSpec, longest_wait_s, outstanding_calls, spare_calls
from interlingua.served.text.batches import CallLimits
from interlingua.served.text.collate import collate
from interlingua.served.text.computing import Computing
from interlingua.served.text.counters import COUNTERS, GAUGES, PENDING, REQUESTS, ServiceCounters
from interlingua.served.text.lanes import Lanes
from interlingua.served.text.outcomes import OUTCOMES
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.standing_queue import FREE_REQUESTS, StandingQueue
from interlingua.served.text.text_request import TextRequest
from interlingua.served.text.traffic import join
from interlingua.served.watch.activity import Activity
from interlingua.served.watch.restart_metric import DESCRIPTION, RESTARTS, RestartMetric
from interlingua.served.watch.stubs import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlingua.served.late_interaction.side_services import ServiceTexts
    from interlingua.served.text.batch_texts import BatchText
    from interlingua.served.text.tokenizer import Row

end_with_parent()
ACTIVITY = Activity()


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
            self._longest_wait_s = longest_wait_s(parameters, args["model_name"])
        except KeyError as error:
            raise pb_utils.TritonModelException(f"config.pbtxt has no parameter {error}: export again") from error
        except ValueError as error:
            raise pb_utils.TritonModelException(f"config.pbtxt: {error}: export again") from error
        self._texts = self._load_tokenizer(args["model_name"], path)
        if args["model_name"] in BULK_SERVICES and spare_calls(parameters):
            os.nice(BULK_NICENESS)  # what a query needs on its way gets a core at once; threads begun here inherit it
        self._inputs = names_of(config["input"])
        self._output = names_of(config["output"])[0]
        self._network_output = TOKEN_VECTORS if self._spec.interaction else self._output
        self._waiting = StandingQueue(self._longest_wait_s, instances_of(config), time.monotonic)
        self._metrics = self._counters({"model": args["model_name"], "version": args["model_version"]})
        limits = CallLimits(
            tokens=self._spec.max_batch_tokens,
            texts=max(config["max_batch_size"], 1),
            lanes=outstanding_calls(parameters),
            spare=spare_calls(parameters),
        )
        traffic = join(_BACKENDS, self._spec.network, self._version, pb_utils.Logger.log_warn)
        self._lanes = Lanes(args["model_name"], limits, traffic)
        self._computing = Computing(self._call, self._lanes, self._metrics, self._spec.max_tokens)

    def finalize(self) -> None:
        self._computing.close()
        self._metrics.close()

    def _load_tokenizer(self, service: str, path: Path) -> ServiceTexts:
        prepared = path.with_name(PREPARED_FILE)
        try:
            tokenizers = SealedTokenizers(path.read_bytes(), prepared.read_bytes() if prepared.is_file() else b"")
            return service_texts(service, self._spec, tokenizers)
        except ValueError as error:
            raise pb_utils.TritonModelException(f"{path}: {error}: export again") from error

    def _counters(self, labels: dict[str, str]) -> ServiceCounters:
        family = pb_utils.MetricFamily
        self._families = {  # a family must outlive its metrics
            name: family(name=name, description=text, kind=kind)
            for kind, names in ((family.COUNTER, COUNTERS), (family.GAUGE, GAUGES))
            for name, text in names.items()
        }
        by_outcome = self._families.pop(REQUESTS)
        metrics = {name: one.Metric(labels=labels) for name, one in self._families.items()}
        metrics |= {outcome: by_outcome.Metric(labels={**labels, "outcome": outcome}) for outcome in OUTCOMES}
        self._families[REQUESTS] = by_outcome
        for shared in (self._families[PENDING], metrics[PENDING]):  # Triton's own gauge: it must never be deleted here
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(shared))
        self._restarts = family(name=RESTARTS, description=DESCRIPTION, kind=family.COUNTER)
        restarts = RestartMetric(lambda what: self._restarts.Metric(labels={"what": what}))
        return ServiceCounters(metrics, pb_utils.Logger.log_warn, restarts.update)

    @ACTIVITY
    def execute(self, requests: list[Any]) -> list[Any]:
        kept = self._waiting.kept(len(requests), self._look_at_queue())
        refused = len(requests) - kept
        return self._refuse(refused) + self._answer(requests[refused:])

    def _look_at_queue(self) -> int:
        """How many requests wait behind a batch."""
        metrics = self._metrics
        if metrics.waiting > FREE_REQUESTS:  # that was while the last batch was computed
            metrics.look_at_queue()
            metrics.settle()
        return metrics.waiting

    def _refuse(self, requests: int) -> list[Any]:
        """What so many are told, unread, where too many wait."""
        if not requests:
            return []
        self._metrics.record_outcomes({"overloaded": requests})
        self._metrics.settle()
        message = self._waiting.message(self._metrics.waiting)
        return [_error(message, pb_utils.TritonError.UNAVAILABLE) for _ in range(requests)]

    def _answer(self, requests: list[Any]) -> list[Any]:
        if not requests:
            return []
        now = time.time()
        read = [self._read(raw, now) for raw in requests]
        began = time.monotonic()
        self._texts.count([request for request in read if request.is_count])
        computed = [request for request in read if not request.is_count]
        counted = time.monotonic()
        texts = self._tokenize(computed)
        tokenized = time.monotonic()
        if len(requests) > 1 or len(texts) > TEXTS_PER_REQUEST:  # behind a lone one nobody waits
            self._metrics.look_at_queue()
        values = self._computing.compute(texts)
        ended = time.monotonic()
        if texts:
            self._waiting.worked(len(computed), ended - counted)
        stages_s = (tokenized - began, ended - tokenized)
        responses = [
            self._respond(request, raw.requested_output_names(), values, stages_s)
            for request, raw in zip(read, requests, strict=True)
        ]
        self._metrics.record_outcomes(Counter(request.outcome for request in read))
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
            is_cancelled=raw.is_cancelled,
            max_text_bytes=self._spec.max_text_bytes,
            longest_wait_s=self._longest_wait_s,
            is_count=self._output not in raw.requested_output_names(),
        )

    def _tokenize(self, requests: list[TextRequest]) -> list[BatchText]:
        texts = self._texts.texts(requests)
        if truncated := sum(request.truncated for request in requests):
            self._metrics.record_truncated(truncated)
        return texts

    def _call(self, rows: Sequence[Row]) -> np.ndarray | str:
        """One call to the network: what is kept of it, a row a text, or the message of its error."""
        spec = self._spec
        tensors = collate(rows, spec.inputs, pad_token_id=spec.pad_token_id, padding_side=spec.padding_side)
        request = pb_utils.InferenceRequest(
            model_name=spec.network,
            model_version=self._version,
            requested_output_names=[self._network_output],
            inputs=[pb_utils.Tensor(name, values) for name, values in tensors.items()],
            parameters={BULK: True} if self._lanes.is_bulk else {},
        )
        response = request.exec()
        ACTIVITY.goes_on()  # many calls of a batch may take long, which one may not
        if response.has_error():
            return f"network {spec.network}: {response.error().message()}"
        return self._texts.read(rows, pb_utils.get_output_tensor_by_name(response, self._network_output).as_numpy())

    # -- answering -----------------------------------------------------------------------------------------

    def _respond(
        self, request: TextRequest, wanted: Iterable[str], values: np.ndarray, stages_s: tuple[float, float]
    ) -> Any:
        if request.error is None:
            request.require_time(time.time(), "passed {:.0f} ms before the answer was there")
        if request.error is not None:
            code = pb_utils.TritonError
            return _error(request.error, code.INVALID_ARG if request.outcome == "invalid" else code.UNAVAILABLE)
        count = len(request.tokens)
        stages_us = np.array([seconds * 1e6 for seconds in (request.wait_s, *stages_s)], dtype=np.int64)
        outputs = {
            TOKENS: np.array(request.tokens, dtype=np.int32).reshape(-1, 1),
            STAGES: np.tile(stages_us, (count, 1)),
        }
        if not request.is_count:
            outputs[self._output] = self._texts.answer(request, values)
        tensors = [pb_utils.Tensor(name, outputs[name]) for name in wanted]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _error(message: str, code: Any) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))


def _parameters(raw: Any) -> str:
    """A request's parameters as JSON; what cannot be read is none, which its client is told."""
    try:
        stated: str = raw.parameters()
    except UnicodeDecodeError as error:
        return str(error)
    return stated
