"""The whole of linting: ask every rule, sort what they say.

Repository --every chosen Rule--> findings, errors first
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_exporter.lint.catalogue import RULES
from interlingua_exporter.lint.finding import SEVERITIES, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_exporter.lint.repository import Repository


def lint(repository: Repository, *, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Finding]:
    """What is wrong with a model repository; nothing in it is loaded, run or changed.

    Args:
        select: codes, or their beginnings (`TRT`); all where there are none.
        ignore: codes, or their beginnings, to leave out.

    Returns:
        Errors first, then warnings, then notes; within each by model, file and code.

    Raises:
        InputError: there is no rule of such a code.
    """
    rules = chosen(select, ignore)
    findings = (rule.finding(hit) for rule in rules for hit in rule.check(repository))
    return sorted(dict.fromkeys(findings), key=_order)


def chosen(select: Iterable[str], ignore: Iterable[str]) -> list[Rule]:
    """The rules of those codes. Raises InputError: a code is the beginning of none."""
    wanted, unwanted = ([code.upper() for code in codes] for codes in (select, ignore))
    unknown = [code for code in (*wanted, *unwanted) if not any(name.startswith(code) for name in RULES)]
    if unknown:
        raise InputError(f"there is no rule {', '.join(unknown)}: docs/lint.md lists them")
    return [
        rule
        for code, rule in RULES.items()
        if (not wanted or code.startswith(tuple(wanted))) and not code.startswith(tuple(unwanted))
    ]


def _order(finding: Finding) -> tuple[int, str, str, str, str, str]:
    rank = SEVERITIES.index(finding.severity)
    return rank, finding.model, finding.file, finding.code, finding.field, finding.what
