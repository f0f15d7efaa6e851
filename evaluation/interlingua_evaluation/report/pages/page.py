"""The report as one page that needs nothing else: no network, no script to be read, one file to send.

Report --> PageSection ... --> HTML

Texts of the dataset are escaped; what else keeps the page to itself is in page.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interlingua.display.page import Html, PageSection, document, section_html, table, tag
from interlingua_evaluation.report import facts_tables, quality_tables
from interlingua_evaluation.report.pages.page_sections import sections

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Report

_HOW = "nDCG@10 is 1 where the relevant documents come first; the second line is its 95% interval."
_ABSENT = "Not part of this evaluation."


def page(report: Report) -> str:
    """The whole page."""
    title = f"Retrieval between languages: {report.dataset.name}"
    parts = list(sections(report))
    main = tag("main", *(section_html(part, absent=_ABSENT) for part in parts))
    return document(title, _header(report, title, parts), main)


def _header(report: Report, title: str, parts: Sequence[PageSection]) -> Html:
    advice = tag("ul", *(tag("li", sentence) for sentence in report.advice))
    links = (tag("li", tag("a", section.title, href=f"#{section.id}")) for section in parts)
    return tag(
        "header",
        tag("h1", title),
        tag("p", f"{facts_tables.summary(report)}. Made {report.created}."),
        tag("p", _HOW, class_="how"),
        table(quality_tables.headline(report)),
        *([tag("h2", "What to do"), advice] if report.advice else []),
        tag("nav", tag("ul", *links), aria_label="Sections"),
    )
