"""What is done to the server's processes while clients ask: each function one fault, again and again.

a fault -> mended: as many stubs as before, none of them dead -> every client has asked everything once more
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil

from interlingua_benchmarks.faults.healthy_clients import HealthyClients
from interlingua_benchmarks.faults.served_process import instance_of, is_alive

if TYPE_CHECKING:
    from interlingua_benchmarks.faults.served_process import ServedProcess

Facts = dict[str, Any]


def kill_idle_stubs(served: ServedProcess) -> Facts:
    """A stub of each model is killed while nobody asks; then everything is asked."""
    asking = HealthyClients(served.address, 0)
    seconds = {}
    for model in served.models():
        seconds[model] = _seconds_until_mended(served, partial(_first_stub, served, model))
        asking.ask_once()
    return {"seconds_until_mended": seconds} | asking.facts()


def kill_busy_stubs(served: ServedProcess, clients: int) -> Facts:
    """A stub of each model is killed while clients ask."""
    seconds = {}
    with HealthyClients(served.address, clients) as asking:
        for model in served.models():
            asking.go_on(served.wait_until)
            seconds[model] = _seconds_until_mended(served, partial(_first_stub, served, model))
        asking.go_on(served.wait_until)
    return {"seconds_until_mended": seconds} | asking.facts()


def kill_server(served: ServedProcess, clients: int, times: int) -> Facts:
    """`tritonserver` is killed while clients ask, and `interlingua serve` before the restart that it ends at."""
    seconds = []
    with HealthyClients(served.address, clients) as asking:
        for _ in range(times):
            asking.go_on(served.wait_until)
            seconds.append(_seconds_until_mended(served, served.triton))
        asking.go_on(served.wait_until)
    return {"seconds_until_mended": seconds} | asking.facts()


def stop_server(served: ServedProcess, clients: int, seconds: float) -> Facts:
    """`tritonserver` gets no CPU for a while."""
    with HealthyClients(served.address, clients) as asking:
        asking.go_on(served.wait_until)
        _stop_for(seconds, served.triton())
        asking.go_on(served.wait_until)
    return asking.facts()


def stop_stubs(served: ServedProcess, clients: int, seconds: float) -> Facts:
    """A stub of each model gets no CPU for a while; Triton 24.10 gives it up after a second, and may end then."""
    with HealthyClients(served.address, clients) as asking:
        for model in served.models():
            served.renew_restarts()
            _stop_for(seconds, served.stubs(model)[0])
            asking.go_on(served.wait_until)
    return asking.facts()


def _first_stub(served: ServedProcess, model: str) -> psutil.Process:
    return served.stubs(model)[0]


def _stop_for(seconds: float, process: psutil.Process) -> None:
    process.suspend()
    time.sleep(seconds)
    with suppress(psutil.NoSuchProcess):  # a supervisor may have ended it meanwhile
        process.resume()


def _seconds_until_mended(served: ServedProcess, victim: Callable[[], psutil.Process]) -> float:
    served.renew_restarts()
    instances = {instance_of(process) for process in served.stubs()}
    killed, began = victim(), time.monotonic()
    killed.kill()
    served.wait_until(lambda: not is_alive(killed))
    served.wait_until(lambda: instances <= {instance_of(stub) for stub in served.stubs()} and served.answers())
    return round(time.monotonic() - began, 2)
