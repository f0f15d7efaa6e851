"""The flags of `tritonserver` (--launch): what is open to whom, and what is left to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.lint.finding import Rule, RuleHit
from interlingua_exporter.lint.launch_line import ADDRESSES, LaunchLine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.lint.repository import Repository

MANAGEMENT = ("model-repository", "shared-memory", "trace", "logging")
_RESTRICTION = {"http": "--http-restricted-api", "grpc": "--grpc-restricted-protocol"}
_DEPRECATED = {
    "--strict-model-config": "--disable-auto-complete-config",
    "--response-cache-byte-size": "--cache-config=local,size=<bytes>",
    "--model-store": "--model-repository",
    "--trace-file": "--trace-config=triton,file=<path>",
    "--trace-level": "--trace-config=level=<level>",
    "--trace-rate": "--trace-config=rate=<n>",
}


def _hit(flag: str, what: str, mend: str = "") -> RuleHit:
    return RuleHit("", "", flag, what, mend)


def _launch(repository: Repository) -> Iterator[LaunchLine]:
    if repository.settings.launch is not None:
        yield repository.settings.launch


def _exposed(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        for protocol, flag in _RESTRICTION.items():
            free = [api for api in MANAGEMENT if api not in launch.restricted(flag)]
            if launch.open_to_all(protocol) and free:
                address = launch.value(ADDRESSES[protocol], "0.0.0.0")  # noqa: S104 - read, not bound
                what = f"{protocol} listens on {address}, with {', '.join(free)} open"
                yield _hit(ADDRESSES[protocol], what, f"{ADDRESSES[protocol]}=127.0.0.1 or {flag}={','.join(free)}:k=v")


def _control(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        mode = launch.value("--model-control-mode", "none")
        open_to = [name for name, flag in _RESTRICTION.items() if "model-repository" not in launch.restricted(flag)]
        reached = [name for name in open_to if launch.on(f"--allow-{name}", default=True)]
        if mode != "none" and reached:
            yield _hit("--model-control-mode", f"{mode}, and {' and '.join(reached)} let anyone load and unload models")


def _poll(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        if launch.value("--model-control-mode") == "poll":
            yield _hit("--model-control-mode", "it is poll")


def _completes(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        strict = launch.on("--strict-model-config", default=False)
        if not launch.has("--disable-auto-complete-config") and not strict:
            yield _hit("--disable-auto-complete-config", "it is left out")


def _deprecated(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        for flag, instead in _DEPRECATED.items():
            if launch.has(flag):
                yield _hit(flag, "it is deprecated", instead)


def _metrics(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        if launch.open_to_all("metrics") and not launch.value("--metrics-address") and launch.value("--http-address"):
            continue  # without an address of their own they listen where HTTP does
        if launch.open_to_all("metrics"):
            yield _hit("--metrics-address", "the metrics page is open to all")


def _plain_grpc(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        if launch.open_to_all("grpc") and not launch.on("--grpc-use-ssl", default=False):
            yield _hit("--grpc-use-ssl", "gRPC leaves the machine unencrypted")


def _not_strict(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        for flag in ("--strict-readiness", "--exit-on-error"):
            if not launch.on(flag, default=True):
                yield _hit(flag, "it is off")


def _no_limiter(repository: Repository) -> Iterator[RuleHit]:
    for launch in _launch(repository):
        if launch.value("--rate-limit", "off") != "off":
            continue
        for model in repository.configured:
            if any(group.HasField("rate_limiter") for group in model.config.instance_group):
                yield model.hit("instance_group.rate_limiter", "the server is started without --rate-limit")


RULES = (
    Rule(
        code="LCH001",
        severity="warning",
        title="management APIs open on the network",
        why="Anyone who reaches the port can register shared memory, change logging and tracing (which write files) "
        "and, where model control allows it, load models, which is running code.",
        mend="Listen on loopback, behind a gateway, or restrict the APIs.",
        check=_exposed,
    ),
    Rule(
        code="LCH002",
        severity="warning",
        title="model control without a key",
        why="Loading a Python model is running its code, and unloading one is an outage.",
        mend="--http-restricted-api=model-repository:key=<secret> "
        "--grpc-restricted-protocol=model-repository:key=<secret>",
        check=_control,
    ),
    Rule(
        code="LCH003",
        severity="warning",
        title="model control by polling",
        why="Triton reads the repository while files are being written to it, and loads halves; it is not meant for "
        "production.",
        mend="--model-control-mode=explicit, and load a version when it is there",
        check=_poll,
    ),
    Rule(
        code="LCH004",
        severity="note",
        title="auto-complete is on",
        why="What a configuration leaves out is guessed, and another release may guess otherwise.",
        mend="--disable-auto-complete-config",
        check=_completes,
    ),
    Rule(
        code="LCH005",
        severity="note",
        title="deprecated flags",
        why="A later release may not start with them.",
        mend="The flag that replaces it.",
        check=_deprecated,
    ),
    Rule(
        code="LCH006",
        severity="note",
        title="the metrics page is open to all",
        why="It names every model and version, and how much each one is used.",
        mend="--metrics-address=127.0.0.1, or let only the scraper reach the port",
        check=_metrics,
    ),
    Rule(
        code="LCH007",
        severity="note",
        title="gRPC without encryption on the network",
        why="Texts, vectors and the keys of restricted APIs can be read on the way.",
        mend="--grpc-use-ssl=true --grpc-server-cert=... --grpc-server-key=..., or a gateway that ends TLS",
        check=_plain_grpc,
    ),
    Rule(
        code="LCH008",
        severity="note",
        title="a server that is ready without all its models",
        why="A balancer sends requests to a replica that cannot answer them.",
        mend="Leave --strict-readiness and --exit-on-error at their defaults.",
        check=_not_strict,
    ),
    Rule(
        code="LCH009",
        severity="warning",
        title="a rate limiter that is switched off",
        why="Without --rate-limit=execution_count Triton ignores the resources and priorities that are configured.",
        mend="--rate-limit=execution_count",
        check=_no_limiter,
    ),
)
