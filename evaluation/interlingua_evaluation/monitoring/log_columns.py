"""A log's numbers by query language: all that is kept of it, some 80 bytes a search.

LogRecord ... -> GroupColumns of its language (arrays of float32, counters) -> merged for all languages
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua_client.language_tag import base_language
from interlingua_evaluation.monitoring.log_records import STAGES, UNDETECTED, UNSURE, LoggedAnswer, LogRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_client.search.search_log import Setting

Numbers = npt.NDArray[np.float32]

SCORES = ("dense_score", "rerank_logit", "margin", "own_share")

# Reranking that was wanted and possible, and was not complete.
_DEGRADED = ("deadline", "failed", "other")
_NOT_WANTED = ("not asked", "no reranker", "no candidates")


def _floats() -> array[float]:
    return array("f")


@dataclass(kw_only=True)
class GroupColumns:
    """Searches of one query language.

    Attributes:
        answered: searches that did not fail.
        sources: how the language came to be known.
        reasons: why reranking was not complete.
        hit_languages: hits by language, in searches that were not filtered (LoggedAnswer).
        top_languages: the same of first hits alone: one a search, so that they are independent of each other.
        scores: float32 arrays by SCORES, of the searches that have them. Own share: hits in the query's language
            (variants count) among the hits of one search that was not filtered.
        times: float32, seconds, [answered * stages] row by row; NaN where a stage did not report.
    """

    searches: int = 0
    answered: int = 0
    empty: int = 0
    truncated: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    hit_languages: Counter[str] = field(default_factory=Counter)
    top_languages: Counter[str] = field(default_factory=Counter)
    scores: dict[str, array[float]] = field(default_factory=lambda: {name: _floats() for name in SCORES})
    times: array[float] = field(default_factory=_floats)

    def add(self, record: LogRecord) -> None:
        """Take one search in."""
        self.searches += 1
        self.sources[record.source] += 1
        if record.answer is None:
            self.errors[record.error] += 1
        else:
            self._add_answer(record.group, record.answer)

    def _add_answer(self, group: str, answer: LoggedAnswer) -> None:
        self.answered += 1
        self.empty += not answer.hit_languages
        self.truncated += answer.truncated
        self.reasons[answer.reason] += 1
        self.times.extend(answer.times)
        values = (answer.dense, answer.logit, answer.margin)
        for name, value in zip(SCORES, values, strict=False):
            if value == value:  # not NaN
                self.scores[name].append(value)
        if answer.hit_languages and not answer.filtered:
            self._add_languages(group, answer.hit_languages)

    def _add_languages(self, group: str, languages: tuple[str, ...]) -> None:
        self.hit_languages.update(languages)
        self.top_languages[languages[0]] += 1
        if group not in (UNSURE, UNDETECTED):
            own = base_language(group)
            share = sum(base_language(language) == own for language in languages) / len(languages)
            self.scores["own_share"].append(share)

    def score(self, name: str) -> Numbers:
        """One of SCORES, float32 [searches that have it]."""
        return np.frombuffer(self.scores[name], np.float32)

    def stage_times(self) -> dict[str, Numbers]:
        """Seconds by stage, of the searches that report it; stages that none reports are left out."""
        table = np.frombuffer(self.times, np.float32).reshape(-1, len(STAGES))
        known = {stage: column[~np.isnan(column)] for stage, column in zip(STAGES, table.T, strict=True)}
        return {stage: column for stage, column in known.items() if len(column)}

    @property
    def failed(self) -> int:
        """Searches without an answer."""
        return self.searches - self.answered

    @property
    def reranks(self) -> int:
        """Searches whose hits were to be reranked."""
        return self.answered - sum(self.reasons[reason] for reason in _NOT_WANTED)

    @property
    def degraded(self) -> int:
        """Searches whose hits were reranked in part, or not at all."""
        return sum(self.reasons[reason] for reason in _DEGRADED)

    @property
    def detections(self) -> int:
        """Searches whose language was to be detected."""
        return self.sources["detected"] + self.sources["unsure"]


@dataclass
class LogColumns:
    """A log's searches, by query language and by what answered them."""

    groups: dict[str, GroupColumns] = field(default_factory=dict)
    settings: Counter[Setting] = field(default_factory=Counter)

    @classmethod
    def of(cls, records: Iterable[LogRecord]) -> LogColumns:
        """Columns of all records."""
        columns = cls()
        for record in records:
            columns.settings[record.setting] += 1
            group = columns.groups.get(record.group)
            if group is None:
                group = columns.groups[record.group] = GroupColumns()
            group.add(record)
        columns.groups = dict(sorted(columns.groups.items(), key=lambda item: (-item[1].searches, item[0])))
        return columns

    @property
    def searches(self) -> int:
        """Searches in all languages."""
        return sum(group.searches for group in self.groups.values())

    def merged(self) -> GroupColumns:
        """All languages as one."""
        whole = GroupColumns()
        for group in self.groups.values():
            for name in ("searches", "answered", "empty", "truncated"):
                setattr(whole, name, getattr(whole, name) + getattr(group, name))
            for name in ("errors", "sources", "reasons", "hit_languages", "top_languages"):
                getattr(whole, name).update(getattr(group, name))
            whole.times.extend(group.times)
            for name in SCORES:
                whole.scores[name].extend(group.scores[name])
        return whole
