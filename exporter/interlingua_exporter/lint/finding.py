"""What a rule is, what it sees, and what it says.

Repository --Rule.check--> RuleHit (where, what) --Rule.finding--> Finding (with code, severity, why and mend)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from interlingua_exporter.lint.model import Model
    from interlingua_exporter.lint.repository import Repository

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class RuleHit(NamedTuple):
    """One place where a rule applies. `model` is "" for the repository or the launch line as a whole.

    Attributes:
        file: relative to the repository, "" where there is none.
        field: of config.pbtxt, as protobuf names it, or a flag.
        mend: the lines to write, where they can be said better than the rule's own.
    """

    model: str
    file: str
    field: str
    what: str
    mend: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A hit with all that a reader needs."""

    code: str
    severity: Severity
    model: str
    file: str
    field: str
    what: str
    why: str
    mend: str

    def facts(self) -> dict[str, str]:
        """The finding as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A trap of Triton, ONNX Runtime or TensorRT that can be seen in files.

    Attributes:
        severity: error: it does not load, or answers wrongly; warning: it works, and hurts; note: look at it.
        title: what is looked for, for the table of rules.
        why: what it costs, in one or two sentences.
        mend: what to write instead.
    """

    code: str
    severity: Severity
    title: str
    why: str
    mend: str
    check: Callable[[Repository], Iterator[RuleHit]]

    def finding(self, hit: RuleHit) -> Finding:
        """The hit in full."""
        return Finding(
            code=self.code,
            severity=self.severity,
            model=hit.model,
            file=hit.file,
            field=hit.field,
            what=hit.what,
            why=self.why,
            mend=hit.mend or self.mend,
        )


Check = Callable[["Repository"], Iterator[RuleHit]]


def each_model(check: Callable[[Model], Iterator[RuleHit]]) -> Check:
    """Makes a check of one configured model one of all; models without a readable configuration are left out."""
    return each_model_in(lambda model, _: check(model))


def each_model_in(check: Callable[[Model, Repository], Iterator[RuleHit]]) -> Check:
    """Does the same for a check that has to see the model's repository, too."""

    def run(repository: Repository) -> Iterator[RuleHit]:
        for model in repository.configured:
            yield from check(model, repository)

    return run
