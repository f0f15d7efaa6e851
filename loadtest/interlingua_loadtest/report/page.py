"""The report as one page that needs nothing else: no network, one file to send.

LoadReport --> PageSection ... --> HTML
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole
from interlingua.display.page import Html, PageSection, all_tables, document, folded, joined, section_html, table, tag
from interlingua_loadtest.report import tables
from interlingua_loadtest.report.comparison_tables import comparison_grids, summary
from interlingua_loadtest.report.page_budget import budget_charts, group_chart
from interlingua_loadtest.report.page_lines import load_charts, percentile_chart
from interlingua_loadtest.report.sentences import knee_sentence, run_remarks, search_sentence

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import LoadReport, RunFigures

_RULES = (
    "svg .stage{stroke:rgb(var(--paper))}svg text.within{fill:rgb(var(--paper))}"
    "svg .mark.knee{stroke-width:1.5;stroke-dasharray:4 3}"
)
_ABSENT = "Not part of these runs."


def write_page(report: LoadReport, file: Path) -> None:
    """Write the page, whole or not at all; raises InputError where it cannot be written."""
    try:
        with whole(file) as partial:
            partial.write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error


def page(report: LoadReport) -> str:
    """The whole page."""
    parts = list(_sections(report))
    title = f"Load test: {', '.join(Path(folder).resolve().name for folder in report.folders)}"
    main = tag("main", *(section_html(part, absent=_ABSENT) for part in parts))
    return document(title, _header(report, title, parts), main, rules=_RULES)


def _header(report: LoadReport, title: str, parts: list[PageSection]) -> Html:
    links = (tag("li", tag("a", section.title, href=f"#{section.id}")) for section in parts)
    found = (tag("p", search_sentence(search)) for search in report.searches)
    return tag(
        "header",
        tag("h1", title),
        tag("p", f"{len(report.runs)} run{'s' * (len(report.runs) != 1)}. Made {report.created}."),
        *(tag("p", warning, class_="warning") for warning in report.warnings),
        tag("p", knee_sentence(report)),
        *found,
        table(tables.overview(report)),
        *map(_remarks, report.runs),
        tag("nav", tag("ul", *links), aria_label="Sections"),
    )


def _sections(report: LoadReport) -> Iterator[PageSection]:
    used = report.used
    yield PageSection(
        "load",
        "Latency and load",
        "Each point is a run. Time is on a logarithmic scale; what the achieved rate lacks is waiting.",
        load_charts(report),
    )
    yield PageSection(
        "percentiles",
        "Percentiles",
        "From one line to the next, a tenth of the slower requests is left. A curve ends at the slowest request.",
        percentile_chart(used),
    )
    yield PageSection(
        "stages",
        "Where the time goes",
        "Means over the requests around the percentile, which add up to their latency. lag is the generator's, client "
        "is what the other stages leave.",
        joined([budget_charts(used), table(tables.budget_table(used or report.runs))]),
    )
    yield PageSection(
        "groups",
        "Languages, lengths and kinds",
        f"{report.focus.name} is unfolded. Texts of some languages take several times as many tokens.",
        joined(_groups(report)),
    )
    answers = all_tables([tables.answers(report), tables.reranking(report.runs)])
    yield PageSection("answers", "Answers", "What came of the requests.", answers)
    if report.comparison is not None:
        yield PageSection(
            "comparison",
            "Comparison",
            summary(report.comparison),
            all_tables(comparison_grids(report.comparison)),
        )
    yield PageSection(
        "server",
        "Server and processes",
        "What Triton counted, and what its processes and the generator's took.",
        all_tables([tables.server(report.runs), tables.processes(report.runs)]),
    )
    yield PageSection(
        "settings", "Settings", "What was run, and where.", table(tables.settings(report), class_="prose")
    )


def _groups(report: LoadReport) -> Iterator[Html]:
    focus = report.focus
    yield _of_groups(focus, is_open=True)
    for run in report.used:
        if run.name != focus.name:
            yield _of_groups(run, is_open=False)


def _of_groups(run: RunFigures, *, is_open: bool) -> Html:
    charts = [
        group_chart(f"{run.name}: latency by language", run.by_language),
        group_chart(f"{run.name}: latency by tokens of the text", run.by_length),
    ]
    grids = [
        tables.groups(run, "By language", run.by_language),
        tables.groups(run, "By tokens of the text", run.by_length),
        tables.groups(run, "By kind", run.by_kind) if len(run.by_kind) > 1 else None,
        tables.group_budgets(run, "language"),
        tables.group_budgets(run, "tokens"),
    ]
    return folded(f"{run.name} ({run.load})", *charts, all_tables(grids), is_open=is_open)


def _remarks(run: RunFigures) -> Html:
    return joined(tag("p", f"{run.name}: {remark}", class_="warning") for remark in run_remarks(run))
