"""What a run says of its server's faults: when, how many, of which kinds."""

from __future__ import annotations

import math
import subprocess
import sys

from interlingua.base.errors import RequestRejectedError, ServerError
from interlingua_client.triton.server_failures import RpcFailedError, translated
from interlingua_loadtest.generator.timed_request import _reason
from interlingua_loadtest.record.outages import outage_sentences
from interlingua_loadtest.record.request_columns import Requests
from interlingua_loadtest.run.target import Target
from interlingua_server.ports import free_ports
from tests.loadtest.written_runs import outcome


def test_a_run_without_faults_says_nothing() -> None:
    rows = [outcome(0, 0.0, 0.1), outcome(1, 1.0, 0.1, status="rejected", detail="queue full")]
    rows += [outcome(2, 2.0, 0.5, status="deadline")]
    assert list(outage_sentences(Requests.of(rows))) == []


def test_each_stretch_of_failures_is_told_with_its_kinds() -> None:
    rows = [outcome(n, 0.5 * n, 0.1) for n in range(40)]
    for n, detail in ((10, "process ended"), (11, "model loading"), (12, "model loading"), (14, "no connection")):
        rows[n] = outcome(n, 0.5 * n, 0.2, status="away", detail=detail)
    rows[30] = outcome(30, 15.0, 1.0, status="rejected", detail="batch")
    rows[39] = outcome(39, 19.5, math.nan, status="error", detail="unanswered")
    assert list(outage_sentences(Requests.of(rows))) == [
        # of those that ended in it, number 13 was answered
        "5.2 to 7.2 s: 4 of 5 requests failed (away: model loading 2, away: process ended 1, away: no connection 1)",
        "16.0 to 16.0 s: 1 of 1 requests failed (rejected: batch 1)",
        "19.5 to 19.5 s: 1 of 1 requests failed (error: unanswered 1)",
        "what the server counted may have begun anew in between",
    ]


def test_many_stretches_are_summed_up() -> None:
    rows = [outcome(n, 5.0 * n, 0.0, status="error", detail="server") for n in range(9)]
    told = list(outage_sentences(Requests.of(rows)))
    assert len(told) == 6
    assert told[-1] == "requests failed in 4 further stretches, until 40.0 s"


def test_kinds_are_read_from_what_triton_says() -> None:
    def kind(code: str, details: str) -> str:
        error: ServerError = translated(RpcFailedError(code, details), "here:1", None)
        return _reason("rejected" if isinstance(error, RequestRejectedError) else "away", str(error))

    assert kind("INTERNAL", "Stub process 'embed_query_0_0' is not healthy.") == "process ended"
    assert kind("UNAVAILABLE", "network e: Stub process 'e_0_0' is not healthy.") == "process ended"
    assert kind("NOT_FOUND", "Request for unknown model: 'e' has no available versions") == "model loading"
    assert kind("UNAVAILABLE", "network e: Model e - Error: Model 'e' is not ready.") == "model loading"
    assert kind("UNAVAILABLE", "failed to connect to all addresses; Connection refused") == "no connection"
    assert kind("UNAVAILABLE", "network e: out of memory") == "network"
    assert kind("INVALID_ARGUMENT", "incomplete string data for inference input 'text'") == "batch"
    assert kind("INVALID_ARGUMENT", "anything") == "other"


LISTEN = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(flush=True); input()"


def test_a_server_that_is_started_again_is_followed() -> None:
    (port,) = free_ports(1)

    def listen() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", LISTEN, str(port)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    first = listen()
    find = Target(f"127.0.0.1:{port}", None, first.pid, None).follow()
    assert find() == first.pid
    first.communicate(b"\n")
    assert find() == first.pid  # there is no other
    second = listen()
    assert find() == second.pid
    second.communicate(b"\n")
