"""What one run does: the same settings for Locust's command line, for `interlingua loadtest`, and in run.json.

options of locust or of interlingua loadtest -> RunSettings -> times (schedule.py), asks (traffic.py), mode
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from interlingua.base.errors import InputError
from interlingua_loadtest.request_kinds import KINDS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from interlingua_loadtest.traffic import Mix

Mode = Literal["open", "closed", "offline", "users"]
Schedule = Literal["poisson", "constant", "bursts", "replay"]

SCHEDULES: tuple[str, ...] = get_args(Schedule)
_TYPES: Mapping[str, type] = {"str": str, "int": int, "float": float}

# The web page may change these; the others decide how the run is made, and stand when it begins.
_ON_THE_WEB_PAGE = frozenset(
    {"dataset", "languages", "query_kinds", "depth", "lengths", "repeats", "zipf_exponent", "index", "deadline_ms"}
)


def _setting(default: Any, help_: str) -> Any:
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """One run. Every field is a plain string, number or flag, so that Locust can pass it to its workers."""

    dataset: str = _setting("helpdesk12", "Where the texts come from: a dataset's name or a folder in BEIR's layout.")
    languages: str = _setting("", "Shares of languages, as in de=3,sw=1, or just de,sw. Without: as in the dataset.")
    query_kinds: str = _setting("", "Shares of the dataset's kinds of queries, as in plain=3,jargon=1.")
    kinds: str = _setting("embed_query=1", "Shares of what is asked: embed_query, embed_document, rerank, search.")
    depth: str = _setting("20", "Documents that are reranked, or several depths to draw from, as in 10,20,50.")
    lengths: str = _setting("", "Only texts of so many characters, as in 20-200.")
    repeats: str = _setting("unique", "unique: no text twice. zipf: few texts often, so that caches work.")
    zipf_exponent: float = _setting(1.0, "How steep zipf is.")
    seed: int = _setting(1, "Equal seeds, equal texts at equal times.")
    index: str = _setting("", "Folder of the index, for search.")
    deadline_ms: float = _setting(0.0, "Milliseconds after its scheduled moment in which a request wants its answer.")
    rate: float = _setting(0.0, "Open loop: requests a second on average, whether or not the last ones are answered.")
    schedule: str = _setting("poisson", "Arrivals of the open loop: poisson, constant, bursts or replay.")
    seconds: float = _setting(60.0, "How long requests are sent.")
    concurrency: int = _setting(0, "Closed loop: so many at a time, the next one when the last one is answered.")
    offline: int = _setting(0, "Offline: so many requests, all at once.")
    burst_factor: float = _setting(4.0, "bursts: rate within a burst over the rate outside of it, at least 1.")
    burst_period_s: float = _setting(10.0, "bursts: seconds from one burst to the next.")
    burst_share: float = _setting(0.1, "bursts: share of the period that the burst takes, below 1.")
    replay_file: str = _setting("", "replay: a search log, or the requests.parquet of another run.")
    replay_speed: float = _setting(1.0, "replay: 2 plays it twice as fast.")
    grace_s: float = _setting(10.0, "Seconds after the end in which late requests are sent and answers awaited.")
    in_flight: int = _setting(2000, "Requests that one worker has under way at most.")
    record: str = _setting("", "Folder of the run, which every request is written to.")

    @classmethod
    def of_options(cls, options: object) -> RunSettings:
        """From a command line's namespace; the web page gives every value as a string.

        Raises:
            InputError: something does not fit.
        """
        values = {}
        for entry in fields(cls):
            raw, kind = getattr(options, entry.name), _TYPES[str(entry.type)]
            try:
                values[entry.name] = kind(raw)
            except ValueError:
                raise InputError(f"{_flag(entry.name)} is {raw!r}, which is no number") from None
        settings = cls(**values)
        settings.require_sound()
        return settings

    @classmethod
    def add_to(cls, parser: Any) -> None:
        """The options, for Locust's own parser."""
        for entry in fields(cls):
            parser.add_argument(
                _flag(entry.name),
                type=_TYPES[str(entry.type)],
                default=entry.default,
                help=entry.metadata["help"],
                include_in_web_ui=entry.name in _ON_THE_WEB_PAGE,
            )

    def arguments(self) -> list[str]:
        """The options that say the same; those that stand at their defaults are left out."""
        stated = [(entry.name, getattr(self, entry.name)) for entry in fields(self)]
        defaults = {entry.name: entry.default for entry in fields(self)}
        # One word each: a value may begin with a dash.
        return [f"{_flag(name)}={value}" for name, value in stated if value != defaults[name]]

    @property
    def mode(self) -> Mode:
        """How requests come: by a schedule, after one another, all at once; or by Locust's own users."""
        if self.rate > 0 or self.schedule == "replay":
            return "open"
        if self.concurrency > 0:
            return "closed"
        return "offline" if self.offline > 0 else "users"

    @property
    def shares(self) -> Mapping[str, float]:
        """What is asked, and how often."""
        return _shares("kinds", self.kinds, KINDS)

    def require_sound(self) -> None:
        """Raises InputError naming every setting that does not fit."""
        faults = [*self._wrong_numbers(), *self._wrong_names(), *self._wrong_together()]
        if faults:
            raise InputError("; ".join(faults))

    def times(self) -> npt.NDArray[np.float64]:
        """When requests start, in seconds from the run's start; of a closed loop there is no such thing."""
        import numpy as np

        from interlingua_loadtest import schedule

        if self.mode == "offline":
            return np.zeros(self.offline)
        if self.schedule == "replay":
            times = schedule.replay(Path(self.replay_file), speed=self.replay_speed)
            return times[times < self.seconds]
        if self.schedule == "constant":
            return schedule.constant(self.rate, self.seconds)
        if self.schedule == "bursts":
            bursts = {"factor": self.burst_factor, "period_s": self.burst_period_s, "share": self.burst_share}
            return schedule.bursts(self.rate, self.seconds, self.seed, **bursts)
        return schedule.poisson(self.rate, self.seconds, self.seed)

    def mix(self, *only: str) -> Mix:
        """What is asked; `only` names kinds that share the requests evenly, in place of `kinds`."""
        from interlingua_loadtest.traffic import Mix

        depths = _whole_numbers("depth", self.depth)
        return Mix(
            languages=_shares("languages", self.languages) or None,
            query_kinds=_shares("query_kinds", self.query_kinds) or None,
            kinds=dict.fromkeys(only, 1.0) if only else self.shares,  # type: ignore[arg-type]
            depth=depths[0] if len(depths) == 1 else depths,
            lengths=_range(self.lengths),
            repeats="zipf" if self.repeats == "zipf" else "unique",
            zipf_exponent=self.zipf_exponent,
        )

    def _wrong_numbers(self) -> list[str]:
        positive = ("seconds", "zipf_exponent", "burst_factor", "burst_period_s", "burst_share", "replay_speed")
        least = dict.fromkeys(("deadline_ms", "rate", "concurrency", "offline", "grace_s"), 0) | {"in_flight": 1}
        return [
            f"{_flag(name)} is {getattr(self, name):g}, it must be above 0"
            for name in positive
            if not 0 < getattr(self, name) < float("inf")
        ] + [
            f"{_flag(name)} is {getattr(self, name):g}, it must be at least {low}"
            for name, low in least.items()
            if not low <= getattr(self, name) < float("inf")
        ]

    def _wrong_names(self) -> list[str]:
        chosen = (("schedule", SCHEDULES), ("repeats", ("unique", "zipf")))
        faults = [
            f"{_flag(name)} is {getattr(self, name)!r}, it must be one of {', '.join(allowed)}"
            for name, allowed in chosen
            if getattr(self, name) not in allowed
        ]
        for read in (lambda: self.shares, lambda: _shares("languages", self.languages), self._depths, self._lengths):
            try:
                read()
            except InputError as error:
                faults.append(str(error))
        return faults

    def _wrong_together(self) -> list[str]:
        faults = []
        if sum((self.rate > 0, self.concurrency > 0, self.offline > 0)) > 1:
            faults.append("--rate, --concurrency and --offline exclude each other")
        if self.schedule == "replay" and not self.replay_file:
            faults.append("a replay needs the file that it replays: --replay (locust: --replay-file)")
        if self.mode != "users" and "search" in self.kinds and not self.index:
            faults.append("search needs --index: make one with `interlingua index`")
        return faults

    def _depths(self) -> None:
        if not all(depth >= 0 for depth in _whole_numbers("depth", self.depth)):
            raise InputError(f"--depth is {self.depth!r}, it must be at least 0")

    def _lengths(self) -> None:
        _range(self.lengths)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _shares(name: str, text: str, allowed: tuple[str, ...] = ()) -> Mapping[str, float]:
    """`a=2,b` as {a: 2, b: 1}."""
    shares: dict[str, float] = {}
    for part in filter(None, text.replace(",", " ").split()):
        key, equals, number = part.partition("=")
        try:
            share = float(number) if equals else 1.0
        except ValueError:
            share = -1.0
        if not 0 < share < float("inf") or (allowed and key not in allowed):
            names = f" with a name of {', '.join(allowed)}" if allowed else ""
            raise InputError(f"{_flag(name)}: {part!r} is no NAME=SHARE{names}")
        shares[key] = share
    return shares


def _whole_numbers(name: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(",", " ").split()) or (0,)
    except ValueError:
        raise InputError(f"{_flag(name)} is {text!r}, it must be a whole number, or several with commas") from None


def _range(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal() and 0 < int(low) <= int(high)):
        raise InputError(f"--lengths is {text!r}, it must be two numbers of characters, as in 20-200")
    return int(low), int(high)
