"""What a service does with more than it can do: `python -m interlingua_benchmarks.overload`.

    clients in a closed loop --> capacity;  lone queries --> what is usual
    2 and 4 times the capacity, with deadlines and without --open loop--> goodput, then a lone query, memory

Goodput is what was answered in time while the load was offered, in answers a second; without a deadline in time is
within the service's own bound (docs/serving.md). The generator shares the machine with the server: its own work is in
the overloaded runs' figures, and more of it than in the capacity's.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import grpc  # type: ignore[import-untyped]
from tritonclient.grpc import service_pb2, service_pb2_grpc

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua.repository.published import Published
from interlingua.served.graph_names import DEADLINE
from interlingua.served.service import longest_wait_s
from interlingua_benchmarks import command
from interlingua_benchmarks.changed_repository import spared_repository
from interlingua_benchmarks.closed_loop import run_closed_loop
from interlingua_benchmarks.process_times import cpu_seconds
from interlingua_benchmarks.serving_benchmark import memory
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE = "embed_query"
_CLIENTS = 64
_LONE = 40
_PAUSE_S = 2.0
_AFTER = 9
_SEED = 7
_SHOWN_CORES = 0.01
_OUTCOMES = (
    ("before the work began", "late"),
    ("cannot be met", "shed"),
    ("before the answer was there", "computed in vain"),
)


@dataclass(kw_only=True)
class Offered:
    """What became of the requests of one run.

    Attributes:
        in_time: answers within the bound, before the run's end.
        outcomes: of all requests, by what they were told.
        latest_s: that an answer came after its deadline.
        lone_s: of one request two seconds after the end, and of some after it, one by one.
        lone: what became of the first.
        memory_mb: resident memory of each of the server's processes, before and after.
        cores: that this process ("generator"), each model's and tritonserver kept busy meanwhile.
    """

    rate: float
    seconds: float
    deadline_s: float | None
    in_time: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    latest_s: float = 0.0
    lone_s: list[float] = field(default_factory=list)
    lone: str = ""
    memory_mb: tuple[float, float] = (0.0, 0.0)
    cores: dict[str, float] = field(default_factory=dict)

    @property
    def goodput(self) -> float:
        return self.in_time / self.seconds


class Client:
    """Sends texts, without waiting for answers."""

    def __init__(self, address: str, texts: list[str]) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._messages = [_message(text) for text in texts]

    def send(self, number: int, deadline: float | None = None) -> Any:
        """A future; `deadline` in Unix seconds."""
        message = service_pb2.ModelInferRequest()
        message.CopyFrom(self._messages[number % len(self._messages)])
        if deadline is not None:
            message.parameters[DEADLINE].int64_param = round(1e3 * deadline)
        return self._stub.ModelInfer.future(message, timeout=300)

    def lone_s(self, number: int) -> tuple[float, str]:
        """Seconds, and what became of it."""
        began = time.perf_counter()
        became = _outcome(self.send(number))
        return time.perf_counter() - began, became

    def close(self) -> None:
        self._channel.close()


def offer(client: Client, run: Offered, bound_s: float, spent_s: Callable[[], dict[str, float]]) -> None:
    """Send at the run's rate, in an open loop, and wait for all answers; a lone one is sent meanwhile."""
    rng, guard, left = random.Random(_SEED), threading.Lock(), threading.Semaphore(0)
    before_s, began = spent_s(), time.time()
    due, sent = began, 0
    while due < began + run.seconds:
        time.sleep(max(due - time.time(), 0))
        deadline = None if run.deadline_s is None else due + run.deadline_s
        future = client.send(sent, deadline)

        def ended(future: Any, latest: float = due + (run.deadline_s or bound_s)) -> None:
            now, became = time.time(), _outcome(future)
            with guard:
                run.outcomes[became] += 1
                if became == "answered":
                    run.in_time += now <= min(latest, began + run.seconds)
                    run.latest_s = max(run.latest_s, now - latest)
            left.release()

        future.add_done_callback(ended)
        sent += 1
        due += rng.expovariate(run.rate)
    run.cores = {name: (seconds - before_s.get(name, 0.0)) / run.seconds for name, seconds in spent_s().items()}
    time.sleep(_PAUSE_S)
    first_s, run.lone = client.lone_s(sent)
    run.lone_s = [first_s, *(client.lone_s(sent + number)[0] for number in range(_AFTER))]
    for _ in range(sent):
        left.acquire()


def _memory_mb(pid: int) -> float:
    """Resident memory of a server and its processes, each counted with what it shares."""
    return float(sum(process.resident_mb for process in memory(pid)))


def _message(text: str) -> Any:
    message = service_pb2.ModelInferRequest(model_name=_SERVICE)
    message.inputs.add(name="text", datatype="BYTES", shape=[1, 1])
    raw = text.encode()
    message.raw_input_contents.append(len(raw).to_bytes(4, "little") + raw)
    message.outputs.add(name="embedding")
    return message


def _outcome(future: Any) -> str:
    error = future.exception()
    message = str(error.details()) if error else "answered"
    return next((outcome for words, outcome in _OUTCOMES if words in message), message.split(":")[0])


@click.command()
@click.option(
    "--model-repository",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_MODEL_REPOSITORY,
    help="The repository that is served.  [default: model_repository]",
)
@click.option("--spare", type=int, help="Spare instances of the networks.  [default: as exported]")
@click.option("--seconds", default=20.0, show_default=True, help="How long each load is offered.")
@click.option("--deadline", default=0.5, show_default=True, help="Seconds of the runs with deadlines.")
def main(model_repository: Path, spare: int | None, seconds: float, deadline: float) -> None:
    """Offer embed_query 2 and 4 times its capacity; prints a table in Markdown."""
    with spared_repository(model_repository, spare) as repository:
        _measure(repository, seconds, deadline)


def _measure(model_repository: Path, seconds: float, deadline: float) -> None:
    ports = dict(zip(("grpc_port", "http_port", "metrics_port"), free_ports(3), strict=True))
    settings = ServerSettings(model_repository=model_repository, **ports)  # type: ignore[arg-type]
    bound_s = longest_wait_s(Published.read(model_repository).models[_SERVICE].parameters, _SERVICE)
    texts = [" ".join(list(row.values())[:3]) for row in sentences()]
    with EmbeddedServer(settings) as server:
        address = settings.grpc_address
        client = Client(address, texts)
        run_closed_loop(address, _SERVICE, texts, _CLIENTS, 4 * _CLIENTS)
        probe = run_closed_loop(address, _SERVICE, texts, _CLIENTS, 4 * _CLIENTS).texts_per_second
        requests = max(round(probe * seconds / 2), _CLIENTS)
        capacity = run_closed_loop(address, _SERVICE, texts, _CLIENTS, requests).texts_per_second
        usual_s = statistics.median(client.lone_s(number)[0] for number in range(_LONE))
        click.echo(
            f"capacity {capacity:.0f} texts/s with {_CLIENTS} clients; a lone query {1e3 * usual_s:.1f} ms (p50)\n"
        )
        click.echo(
            "| offered | deadline | goodput | of capacity | cores | outcomes | latest answer "
            "| lone query 2 s later | memory |"
        )
        click.echo(f"|{9 * '---|'}")
        for limit in (deadline, None):
            for factor in (2, 4):
                run = Offered(rate=factor * capacity, seconds=seconds, deadline_s=limit)
                before = _memory_mb(server.pid)
                offer(client, run, bound_s, lambda: {"generator": time.process_time()} | cpu_seconds(server))
                run.memory_mb = (before, _memory_mb(server.pid))
                click.echo(_row(run, factor, capacity, usual_s))
        client.close()


def _row(run: Offered, factor: int, capacity: float, usual_s: float) -> str:
    after_s = statistics.median(run.lone_s[1:])
    outcomes = ", ".join(f"{number} {name}" for name, number in run.outcomes.most_common())
    cells = (
        f"{factor}x, {run.seconds:.0f} s",
        "none" if run.deadline_s is None else f"{1e3 * run.deadline_s:.0f} ms",
        f"{run.goodput:.0f}/s",
        f"{run.goodput / capacity:.2f}",
        ", ".join(f"{name} {cores:.2f}" for name, cores in run.cores.items() if cores >= _SHOWN_CORES),
        outcomes,
        "in time" if run.latest_s <= 0 else f"{1e3 * run.latest_s:.0f} ms late",
        f"{run.lone} in {1e3 * run.lone_s[0]:.0f} ms, then {1e3 * after_s:.0f} ({after_s / usual_s:.1f} times)",
        "{:.0f} MB, then {:.0f}".format(*run.memory_mb),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    command.run(main)
