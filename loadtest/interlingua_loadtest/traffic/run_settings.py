"""What one run does: the same settings for Locust's command line, for `interlingua loadtest`, and in run.json.

options of locust or of interlingua loadtest -> RunSettings -> times (schedule.py), asks (request_stream.py), mode
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from interlingua.base.errors import InputError
from interlingua.base.options import faults, option
from interlingua.base.options import options as options_of
from interlingua_loadtest.traffic.request_kinds import KINDS
from interlingua_loadtest.traffic.traffic_mix import DEFAULT_DEPTH, Repeats

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from interlingua_loadtest.traffic.request_stream import Mix

Mode = Literal["open", "closed", "offline", "users"]
Schedule = Literal["poisson", "constant", "bursts", "replay"]

Named = Callable[[str], str]

# The web page may change these; the others decide how the run is made, and stand when it begins.
_ON_THE_WEB_PAGE = frozenset(
    {"dataset", "languages", "query_kinds", "depth", "lengths", "repeats", "zipf_exponent", "index", "deadline_ms"}
)


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """One run. Every field is a plain string, number or flag, so that Locust can pass it to its workers."""

    rate: float = option(
        0.0,
        "Open loop: requests a second on average, whether or not the last ones are answered.",
        above=0,
        unset="none",
    )
    concurrency: int = option(
        0, "Closed loop: so many at a time, the next one when the last one is answered.", low=1, unset="none"
    )
    offline: int = option(0, "Offline: so many requests, all at once.", low=1, unset="none")
    seconds: float = option(60.0, "How long requests are sent.", above=0, unset="60; a replay: to its end")
    schedule: Schedule = option("poisson", "When they arrive, in an open loop.")
    burst_factor: float = option(4.0, "bursts: rate within a burst over the rate outside of it.", low=1)
    burst_period_s: float = option(10.0, "bursts: seconds from one burst to the next.", above=0)
    burst_share: float = option(0.1, "bursts: share of the period that the burst takes.", above=0, below=1)
    replay_file: str = option("", "replay: a search log, or another run's folder or requests.parquet.", path=True)
    replay_speed: float = option(1.0, "replay: 2 plays it twice as fast.", above=0)
    dataset: str = option("helpdesk12", "Where texts come from: a dataset's name, or a folder in BEIR's layout.")
    kinds: str = option(
        "embed_query=1",
        "Shares of what is asked: embed_query, embed_document, rerank, search.",
        metavar="NAME=SHARE",
        joined=True,
    )
    languages: str = option("", "Shares of languages.", metavar="TAG=SHARE", joined=True, unset="as in the dataset")
    query_kinds: str = option(
        "", "Shares of the dataset's kinds of queries.", metavar="NAME=SHARE", joined=True, unset="as in the dataset"
    )
    depth: str = option(
        str(DEFAULT_DEPTH), "Documents reranked, 0 for none; 10,20,50 draws from these.", metavar="N,N,..."
    )
    lengths: str = option("", "Only texts of so many characters.", metavar="LOW-HIGH", unset="all")
    repeats: Repeats = option("unique", "unique: no text twice. zipf: few texts often, so that caches work.")
    zipf_exponent: float = option(1.0, "How steep zipf is.", above=0)
    seed: int = option(1, "Equal seeds, equal texts at equal times.")
    deadline_ms: float = option(
        0.0,
        "Milliseconds after its scheduled moment in which a request wants its answer.",
        low=0,
        high=1e10,
        unset="none",
    )
    index: str = option("", "Folder of the index, for search.", path=True)
    in_flight: int = option(2000, "Requests that one worker has under way at most.", low=1)
    grace_s: float = option(10.0, "Seconds after the end in which late requests are sent and answers awaited.", low=0)
    record: str = option("", "Folder of the run, which every request is written to.", path=True)

    @classmethod
    def of_options(cls, options: object) -> RunSettings:
        """From a command line's namespace; the web page gives every value as a string.

        Raises:
            InputError: something does not fit.
        """
        values = {}
        for entry in options_of(cls):
            raw = getattr(options, entry.name)
            try:
                values[entry.name] = entry.kind(raw)
            except ValueError:
                raise InputError(f"{_flag(entry.name)} is {raw!r}, which is no number") from None
        settings = cls(**values)
        settings.require_sound()
        return settings

    @classmethod
    def add_to(cls, parser: Any) -> None:
        """The options, for Locust's own parser."""
        for entry in options_of(cls):
            parser.add_argument(
                _flag(entry.name),
                type=entry.kind,
                default=entry.default,
                help=entry.help,
                include_in_web_ui=entry.name in _ON_THE_WEB_PAGE,
            )

    def arguments(self) -> list[str]:
        """The options that say the same; those that stand at their defaults are left out."""
        stated = [(entry, getattr(self, entry.name)) for entry in options_of(RunSettings)]
        # One word each: a value may begin with a dash.
        return [f"{_flag(entry.name)}={value}" for entry, value in stated if value != entry.default]

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

    def require_sound(self, named: Named | None = None) -> None:
        """Raises InputError for every setting that does not fit; `named` gives the flags typed, if not Locust's."""
        named = named or _flag
        if found := [*faults(self, named), *self._wrong_names(named), *self._wrong_together(named)]:
            raise InputError("; ".join(found))

    def times(self) -> npt.NDArray[np.float64]:
        """When requests start, in seconds from the run's start; of a closed loop there is no such thing."""
        import numpy as np

        from interlingua_loadtest.traffic import schedule

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
        from interlingua_loadtest.traffic.request_stream import Mix

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

    def _wrong_names(self, named: Named) -> Iterator[str]:
        for read in (
            lambda: _shares("kinds", self.kinds, KINDS, named),
            lambda: _shares("languages", self.languages, named=named),
            lambda: _shares("query_kinds", self.query_kinds, named=named),
            lambda: _whole_numbers("depth", self.depth, named),
            lambda: _range(self.lengths, named),
        ):
            try:
                read()
            except InputError as error:
                yield str(error)

    def _wrong_together(self, named: Named) -> Iterator[str]:
        if sum((self.rate > 0, self.concurrency > 0, self.offline > 0)) > 1:
            yield f"{named('rate')}, {named('concurrency')} and {named('offline')} exclude each other"
        if self.schedule == "replay" and not self.replay_file:
            yield f"a replay needs the file that it replays: {named('replay_file')}"
        if self.mode != "users" and "search" in self.kinds and not self.index:
            yield f"search needs {named('index')}: make one with `interlingua index`"


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """How to search for the highest rate.

    Attributes:
        seconds: of a run, at least.
        seed: of the first try; every other one has the next.
        tries: it held if most of them did.
    """

    seconds: float = 60.0
    seed: int = 1
    tries: int = option(3, "Searching: runs of a rate at most.", low=1)
    precision: float = option(
        0.05,
        "Searching: share by which the rate that held and the one that did not may differ.",
        low=0.005,
        high=1,
    )
    start_rate: float | None = option(
        None, "Searching: where to begin.", above=0, unset="half of what lone requests allow"
    )
    most_runs: int = option(40, "Searching: then say what was found.", low=1)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _shares(name: str, text: str, allowed: tuple[str, ...] = (), named: Named = _flag) -> Mapping[str, float]:
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
            raise InputError(f"{named(name)}: {part!r} is no NAME=SHARE{names}")
        shares[key] = share
    return shares


def _whole_numbers(name: str, text: str, named: Named = _flag) -> tuple[int, ...]:
    parts = text.replace(",", " ").split()
    if not all(part.isdecimal() for part in parts):
        raise InputError(f"{named(name)} is {text!r}, it must be a whole number from 0 on, or several with commas")
    return tuple(map(int, parts)) or (0,)


def _range(text: str, named: Named = _flag) -> tuple[int, int] | None:
    if not text:
        return None
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal() and 0 < int(low) <= int(high)):
        raise InputError(f"{named('lengths')} is {text!r}, it must be two numbers of characters, as in 20-200")
    return int(low), int(high)
