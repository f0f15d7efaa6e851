"""What a client says to its server: versions, splitting, and what it does when the server is away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from interlingua.base.errors import DeadlineExceededError, InputError, RequestRejectedError, ServerError
from interlingua_client.deadline import Deadline
from interlingua_client.search.rerank_pace import RerankPace
from interlingua_client.triton.conversation import Conversation
from interlingua_client.triton.conversation_steps import (
    ANSWER_WITHIN_S,
    Answer,
    AskReady,
    AskServerReady,
    Infer,
    Pause,
    ReadConfig,
    Steps,
)
from interlingua_client.triton.messages import infer_request, read_answer
from interlingua_client.triton.server_address import ServerAddress
from interlingua_client.triton.server_failures import (
    EmbedderChangedError,
    RpcFailedError,
    ServerAwayError,
    ServerBusyError,
)
from interlingua_client.triton.services import ModelConfig
from tests.support.written_repository import service_spec

UNKNOWN = RpcFailedError("NOT_FOUND", "Request for unknown model: 'x' is not found")
AWAY = RpcFailedError("UNAVAILABLE", "failed to connect to all addresses; Connection refused")
ANSWER = Answer(np.zeros((1, 4), np.float32), np.ones(1, np.int64), None)


def config(model: str, **digests: str) -> ModelConfig:
    parameters: dict[str, str] = {}
    for version, digest in digests.items():
        spec = service_spec(network="n", digest=digest, dimension=4, max_text_bytes=20)
        parameters |= spec.to_parameters(int(version[1:]))
    return ModelConfig(model, parameters, 64, frozenset({"embedding", "tokens"}))


class Server:
    """Replies to steps from data."""

    def __init__(self, **configs: ModelConfig) -> None:
        self.configs = configs
        self.not_ready: set[tuple[str, int]] = set()
        self.failures: list[RpcFailedError] = []
        self.steps: list[Any] = []
        self.answer = ANSWER
        self.is_ready = True
        self.on_pause: Callable[[int], None] = lambda _: None

    def reply(self, step: Any) -> Any:
        self.steps.append(step)
        if isinstance(step, Pause):
            return self.on_pause(sum(isinstance(step, Pause) for step in self.steps))
        if self.failures:
            raise self.failures.pop(0)
        if isinstance(step, ReadConfig):
            if step.model not in self.configs:
                raise UNKNOWN
            return self.configs[step.model]
        if isinstance(step, AskReady):
            return (step.model, step.version) not in self.not_ready
        return self.is_ready if isinstance(step, AskServerReady) else self.answer

    def run(self, steps: Steps[Any]) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    reply = self.reply(step)
                except RpcFailedError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(reply)
        except StopIteration as end:
            return end.value


def server_with(**digests: str) -> Server:
    return Server(embed_query=config("embed_query", **digests), embed_document=config("embed_document", **digests))


def connected(server: Server, digest: str | None = None, patience_s: float = 30.0) -> Conversation:
    talk = Conversation(ServerAddress("here:1"), patience_s, digest)
    server.run(talk.connect())
    server.steps.clear()
    return talk


def test_pins_the_highest_ready_version() -> None:
    server = server_with(v1="a", v2="b", v10="c")
    assert connected(server).services.embed_query.version == 10
    server.not_ready = {("embed_document", 10)}
    talk = connected(server)
    assert (talk.services.embed_query.version, talk.services.embed_document.version) == (2, 2)
    assert talk.services.identity.digest == "b"
    assert talk.services.rerank is None


def test_takes_the_version_of_the_wanted_digest() -> None:
    assert connected(server_with(v1="a", v2="b"), "a").services.embed_query.version == 1
    assert connected(server_with(v1="a", v2="b"), "z").services.embed_query.version == 2


def test_finds_the_reranker() -> None:
    server = server_with(v1="a")
    server.configs["rerank"] = config("rerank", v3="r", v4="s")
    server.not_ready = {("rerank", 4)}
    rerank = connected(server).services.rerank
    assert rerank is not None
    assert rerank.version == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda s: s.configs.pop("embed_document"), "serves no embed_document", id="a service is missing"),
        pytest.param(lambda s: s.not_ready.add(("embed_query", 1)), "no version", id="none is ready"),
        pytest.param(
            lambda s: s.configs.update(embed_document=config("embed_document", v1="z")),
            "different embedders",
            id="services of two models",
        ),
        pytest.param(
            lambda s: s.configs.update(embed_query=ModelConfig("embed_query", {"1/digest": "a"}, 1, frozenset())),
            "export again",
            id="parameters are missing",
        ),
        pytest.param(lambda s: s.failures.append(AWAY), "interlingua serve", id="nobody is there"),
        pytest.param(
            lambda s: s.failures.append(RpcFailedError("UNIMPLEMENTED", "unknown method")), "Triton", id="not a Triton"
        ),
    ],
)
def test_connecting_fails_clearly(change: Callable[[Server], object], message: str) -> None:
    server = server_with(v1="a")
    change(server)
    with pytest.raises(ServerError, match=message):
        connected(server)


def test_texts_are_sent_a_few_a_request() -> None:
    talk = connected(server_with(v1="a"))
    calls = talk.embed_calls([str(n) for n in range(19)], "query")
    assert [len(call.columns["text"]) for call in calls] == [8, 8, 3]
    assert [text for call in calls for text in call.columns["text"]] == [str(n) for n in range(19)]
    assert talk.embed_calls([], "document") == []


def test_long_documents_are_cut_between_characters_and_queries_are_not() -> None:
    talk = connected(server_with(v1="a"))
    text = "日" * 10  # 30 bytes, where the service takes 20
    assert talk.embed_calls([text], "document")[0].columns["text"] == ["日" * 6]
    assert talk.embed_calls([text], "query")[0].columns["text"] == [text]
    assert talk.embed_calls(["a" * 20, "a" * 21], "document")[0].columns["text"] == ["a" * 20, "a" * 20]
    assert talk.count_calls([text], "document")[0].columns["text"] == ["日" * 6]
    assert talk.count_calls([text], "query")[0].columns["text"] == [text]


def test_goes_on_after_a_restart_once_the_embedder_is_the_same() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [AWAY, AWAY, AWAY]
    assert server.run(talk.infer(talk.embed_calls(["x"], "query")[0])) is ANSWER
    kinds = [type(step) for step in server.steps]
    assert kinds == [Infer, Pause, ReadConfig, Pause, ReadConfig, Pause, ReadConfig, Infer]
    server.steps.clear()
    assert server.run(talk.infer(talk.embed_calls(["y"], "query")[0])) is ANSWER
    assert [type(step) for step in server.steps] == [Infer]  # it does not ask again


def test_refuses_another_embedder_after_a_restart() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [AWAY]
    server.configs = server_with(v1="b").configs
    with pytest.raises(EmbedderChangedError, match="digest a, now it is b"):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0]))


def test_patience_ends() -> None:
    server = server_with(v1="a")
    talk = connected(server, patience_s=0.0)
    server.failures = [AWAY]
    with pytest.raises(ServerAwayError):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0]))
    talk = connected(server)
    server.failures = [AWAY]
    with pytest.raises(ServerAwayError):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0], Deadline.after(0.001)))


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        ("INVALID_ARGUMENT", "invalid text: text[0] is empty", RequestRejectedError),
        ("UNAVAILABLE", "deadline: passed 3 ms before the work began", DeadlineExceededError),
        ("UNAVAILABLE", "Exceeds maximum queue size", RequestRejectedError),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", DeadlineExceededError),
    ],
)
def test_an_answer_that_is_an_error_is_not_sent_again(code: str, details: str, kind: type[Exception]) -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [RpcFailedError(code, details)]
    with pytest.raises(kind) as caught:
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0], Deadline.after(10)))
    assert type(caught.value) is kind
    assert len(server.steps) == 1


CUT_SHORT = "incomplete string data for inference input 'text', expecting string of length 5 but only 4 bytes available"


@pytest.mark.parametrize(
    ("code", "details"),
    [("INVALID_ARGUMENT", CUT_SHORT), ("UNAVAILABLE", "network embedder: out of memory"), ("INTERNAL", "anything")],
)
@pytest.mark.parametrize("role", ["query", "rerank"])
def test_what_a_batch_failed_with_is_asked_once_more_in_no_company(code: str, details: str, role: str) -> None:
    server = server_with(v1="a")
    server.configs["rerank"] = config("rerank", v1="r")
    talk = connected(server)
    texts = ["one", "two", "three"]
    calls = talk.embed_calls(texts, "query") if role == "query" else talk.rerank_calls("what?", texts)
    server.answer = Answer(np.arange(64, dtype=np.float32)[:, None], np.arange(64), None)
    failure = RpcFailedError(code, details)
    server.failures = [failure]
    answer = server.run(talk.infer(calls[0]))
    assert answer.values.ravel().tolist() == answer.tokens.tolist() == [0, 1, 2]
    for name, column in server.steps[1].call.columns.items():
        assert list(column)[:3] == calls[0].columns[name]
        assert len(column) == 64  # as many as a batch holds: there is no room for anybody else's
    server.steps.clear()
    server.failures = [failure, failure]
    with pytest.raises(RequestRejectedError, match=re.escape(details)):
        server.run(talk.infer(calls[0]))
    assert [type(step) for step in server.steps] == [Infer, Infer]
    server.failures = [failure]
    with pytest.raises(RequestRejectedError, match=re.escape(details)):  # who has no patience asks once
        server.run(connected(server, patience_s=0).infer(calls[0]))


def reply_of(values: int, tokens: int, texts: int = 1) -> Any:
    reply = service_pb2.ModelInferResponse(model_name="embed_query")
    for name, datatype, width, size in (("embedding", "FP32", 4, values), ("tokens", "INT32", 1, tokens)):
        reply.outputs.add(name=name, datatype=datatype, shape=[texts, width])
        reply.raw_output_contents.append(bytes(size))
    return reply


def test_a_damaged_answer_is_asked_for_once_more() -> None:
    """As Triton 24.10 gave them for a stub that had been stopped: tensors of no bytes, of the shapes asked for."""
    assert read_answer(reply_of(16, 4)).values.shape == (1, 4)
    for reply in (reply_of(0, 4), reply_of(16, 0), reply_of(12, 4)):
        with pytest.raises(RpcFailedError, match="INTERNAL: the answer is damaged"):
            read_answer(reply)
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [RpcFailedError("INTERNAL", "the answer is damaged (no bytes)")]
    server.answer = Answer(np.zeros((64, 4), np.float32), np.ones(64, np.int64), None)
    assert len(server.run(talk.infer(talk.embed_calls(["x"], "query")[0])).tokens) == 1
    server.answer = server.answer.first(63)
    with pytest.raises(RequestRejectedError, match="the answer is damaged"):  # 63 answers to 64 texts, and to 1
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0]))


# As Triton 24.10 says it while a stub is dead, and while its model is loaded again.
MENDED = [
    ("INTERNAL", "Stub process 'embed_query_0_0' is not healthy."),
    ("UNAVAILABLE", "network embedder: Stub process 'embedder_0_0' is not healthy."),
    ("UNAVAILABLE", "Request for unknown model: 'embed_query' version 1 is not at ready state"),
    ("NOT_FOUND", "Request for unknown model: 'embed_query' has no available versions"),
    (
        "UNAVAILABLE",
        "network embedder: Model embedder - Error when running inference: Failed for execute the inference request. "
        "Model 'embedder' is not ready.",
    ),
]


@pytest.mark.parametrize(("code", "details"), MENDED, ids=[details[:30] for _, details in MENDED])
def test_what_is_started_again_is_waited_for(code: str, details: str) -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [RpcFailedError(code, details), UNKNOWN, UNKNOWN]  # its configuration is away, too
    assert server.run(talk.infer(talk.embed_calls(["x"], "query")[0])) is ANSWER
    kinds = [type(step) for step in server.steps]
    assert kinds == [Infer, Pause, ReadConfig, Pause, ReadConfig, Pause, ReadConfig, Infer]
    server.failures = [RpcFailedError(code, details)]
    with pytest.raises(ServerAwayError, match=re.escape(details)):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0], Deadline.after(0.001)))


@pytest.mark.parametrize(
    ("current", "not_ready", "is_other"),
    [
        pytest.param(None, set(), True, id="published, and none was ever promoted"),
        pytest.param("1", set(), False, id="published alone"),
        pytest.param("2", set(), True, id="promoted"),
        pytest.param("2", {("rerank", 2)}, False, id="promoted, not loaded yet"),
        pytest.param("2", {("rerank", 1), ("rerank", 2)}, False, id="none is ready"),
    ],
)
def test_another_reranker_is_seen_by_who_asks(
    current: str | None, not_ready: set[tuple[str, int]], is_other: bool
) -> None:
    server = server_with(v1="a")
    server.configs["rerank"] = config("rerank", v1="r")
    talk = connected(server)
    assert server.run(talk.has_other_reranker()) is False
    versions = {"v1": "r", "v2": "s"}
    server.configs["rerank"] = promoted("rerank", current, **versions) if current else config("rerank", **versions)
    server.not_ready = not_ready
    assert server.run(talk.has_other_reranker()) is is_other
    del server.configs["rerank"]
    assert server.run(talk.has_other_reranker()) is False


def test_another_reranker_after_a_restart_is_refused_and_embedding_goes_on() -> None:
    server = server_with(v1="a")
    server.configs["rerank"] = config("rerank", v1="r")
    talk = connected(server)
    server.configs["rerank"] = config("rerank", v1="another")
    server.failures = [AWAY]
    assert server.run(talk.infer(talk.embed_calls(["x"], "query")[0])) is ANSWER
    with pytest.raises(EmbedderChangedError, match="rerank version 1 had digest r, now it is another"):
        server.run(talk.infer(talk.rerank_calls("what?", ["x"])[0]))


def test_connecting_waits_for_what_is_being_loaded() -> None:
    server = server_with(v1="a")
    talk = Conversation(ServerAddress("here:1"))
    embed_query, rerank = server.configs.pop("embed_query"), config("rerank", v1="r")

    def loaded(seconds: int) -> None:
        if seconds == 2:
            server.configs["embed_query"] = embed_query
        if seconds == 4:
            server.configs["rerank"] = rerank
            server.is_ready = True

    server.is_ready, server.on_pause = False, loaded
    server.run(talk.connect())
    assert talk.services.rerank is not None
    assert sum(isinstance(step, Pause) for step in server.steps) == 4


def test_connecting_does_not_wait_for_what_nobody_loads() -> None:
    server = server_with(v1="a")
    assert connected(server).services.rerank is None
    server.is_ready = False
    assert connected(server, patience_s=0).services.rerank is None
    del server.configs["embed_document"]
    with pytest.raises(ServerAwayError, match=r"^here:1 is starting, or loads a model again"):
        connected(server, patience_s=0)
    server.is_ready = True
    with pytest.raises(ServerError, match="serves no embed_document"):
        connected(server)
    assert not [step for step in server.steps if isinstance(step, Pause)]


def overloaded(again_ms: int) -> RpcFailedError:
    return RpcFailedError("UNAVAILABLE", f"overloaded: 90 requests wait, for 1.0 s: try again in {again_ms} ms")


def test_a_busy_server_is_asked_again_when_it_said() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [overloaded(400), overloaded(3000)]
    assert server.run(talk.infer(talk.embed_calls(["x"], "query")[0])) is ANSWER
    pauses = [step.seconds for step in server.steps if isinstance(step, Pause)]
    assert 0.2 <= pauses[0] <= 0.4
    assert 1.5 <= pauses[1] <= 3.0
    assert not any(isinstance(step, ReadConfig) for step in server.steps)  # nobody doubts its embedder


def test_a_busy_server_is_told_where_there_is_no_time_to_wait() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [overloaded(4000)]
    with pytest.raises(ServerBusyError, match="refused a request: overloaded: 90 requests wait"):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0], Deadline.after(1.0)))


def late(ahead_s: float) -> RpcFailedError:
    """As a server says it whose clock is so far ahead."""
    clock = 1e3 * (time.time() + ahead_s)
    return RpcFailedError("UNAVAILABLE", f"deadline: passed 9 ms before the work began (server's clock: {clock:.0f})")


@pytest.mark.parametrize("ahead_s", [5.0, -3600.0])
def test_a_clock_that_is_wrong_is_told_by_the_servers_and_corrected(ahead_s: float) -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [late(ahead_s)]
    call = talk.embed_calls(["x"], "query")[0]
    assert server.run(talk.infer(call, Deadline.after(2.0))) is ANSWER
    server.run(talk.infer(call, Deadline.after(2.0)))
    first, second, third = server.steps
    assert first.clock_s == 0
    assert second.clock_s == third.clock_s == pytest.approx(ahead_s, abs=0.5)
    stamps = infer_request(third).parameters
    assert stamps["deadline_ms"].int64_param == pytest.approx(1e3 * (time.time() + ahead_s + 2), abs=500)
    assert stamps["sent_us"].int64_param == pytest.approx(1e6 * (time.time() + ahead_s), abs=5e5)


def test_what_is_late_by_the_same_clock_is_late() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.failures = [late(0.0)]
    with pytest.raises(DeadlineExceededError):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0], Deadline.after(2.0)))
    assert len(server.steps) == 1


def test_the_end_of_grpcs_patience_is_the_deadline_of_a_call_without_one() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    server.run(talk.infer(talk.embed_calls(["x"], "query")[0]))
    stamps = infer_request(server.steps[0]).parameters
    left_ms = stamps["deadline_ms"].int64_param - 1e-3 * stamps["sent_us"].int64_param
    assert left_ms == pytest.approx(1e3 * ANSWER_WITHIN_S, abs=1)


def test_nothing_is_sent_after_the_deadline() -> None:
    server = server_with(v1="a")
    talk = connected(server)
    with pytest.raises(DeadlineExceededError):
        server.run(talk.infer(talk.embed_calls(["x"], "query")[0], Deadline.after(-1)))
    assert server.steps == []


@pytest.mark.parametrize(
    ("url", "target", "tls"),
    [
        ("localhost", "localhost:8001", False),
        ("10.0.0.1:9", "10.0.0.1:9", False),
        ("grpc://triton:8001/", "triton:8001", False),
        ("grpcs://triton", "triton:8001", True),
        ("[::1]", "[::1]:8001", False),
        ("[::1]:7", "[::1]:7", False),
    ],
)
def test_addresses(url: str, target: str, tls: bool) -> None:
    assert ServerAddress.parse(url) == ServerAddress(target, tls)


@pytest.mark.parametrize("url", ["http://localhost:8000", "host:port", "host:0", "", ":8001", "host:70000"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InputError, match="not a gRPC address"):
        ServerAddress.parse(url)


def test_the_pace_decides_the_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    pace = RerankPace()
    assert pace.depth(50, None) == 50
    assert pace.depth(50, Deadline.after(10)) == 8  # a probe, the pace being unknown
    pace.record(10, 1.0)
    assert pace.depth(50, Deadline.after(2.05)) == 17  # 85% of 2.05 s at 0.1 s a pair
    assert pace.depth(5, Deadline.after(2.05)) == 5
    assert pace.depth(50, Deadline.after(0.05)) == 0
    assert pace.depth(50, Deadline.after(-1)) == 0
    pace.record(1, 1.1)
    assert pace.seconds_per_pair == pytest.approx(0.1 + 0.3 * 1.0)


def promoted(model: str, current: str, **digests: str) -> ModelConfig:
    plain = config(model, **digests)
    return ModelConfig(model, {**plain.parameters, "current": current}, plain.max_batch, plain.outputs)


def test_the_promoted_version_is_the_default() -> None:
    services = ("embed_query", "embed_document", "rerank")
    server = Server(**{name: promoted(name, "1", v1="a", v2="b") for name in services})
    services_found = connected(server).services
    assert services_found.embed_query.version == services_found.embed_document.version == 1
    assert services_found.rerank is not None
    assert services_found.rerank.version == 1
    assert connected(server, "b").services.embed_query.version == 2  # an index that wants another gets it
    server.not_ready = {("embed_query", 1), ("rerank", 1)}
    assert connected(server).services.embed_query.version == 2


def test_a_version_asked_for_by_number_is_taken_or_refused() -> None:
    server = server_with(v1="a", v2="b")
    server.configs["rerank"] = config("rerank", v1="r", v2="s")
    talk = Conversation(ServerAddress("here:1"), 0, version=1, rerank_version=1)
    server.run(talk.connect())
    assert talk.services.embed_query.version == 1
    assert talk.services.rerank is not None
    assert talk.services.rerank.version == 1
    with pytest.raises(ServerError, match="has no version 3 of embed_query that is ready, but 1, 2"):
        server.run(Conversation(ServerAddress("here:1"), 0, version=3).connect())
    with pytest.raises(ServerError, match="has no version 9 of rerank"):
        server.run(Conversation(ServerAddress("here:1"), 0, rerank_version=9).connect())
