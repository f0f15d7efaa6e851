"""The report's page: whole, safe, readable without colour and without a network."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from interlingua.display.chart import Axis
from interlingua_evaluation.report.pages.page import page
from interlingua_evaluation.report.pages.page_lines import rerank_lines
from interlingua_evaluation.systems.candidate_lists import MIXED
from tests.evaluation.report_sample import ARABIC, ATTACK, BEST, LANGUAGES, MARKUP, bare_report, sample_report

_VOID = {"meta", "link", "br", "wbr", "img", "input", "hr"}
_MANY = ("en", "de", "ar", "es", "fr", "ja", "zh-Hans", "ru", "cs", "sv")
_TEN = (
    "dense",
    "dense+offsets",
    *(f"dense+offsets+rerank@{depth}" for depth in (10, 20, 50, 100)),
    "bm25",
    "hybrid",
    "hybrid+offsets",
    "hybrid+offsets+rerank@50",
)


@dataclass
class Element:
    """A node of the page."""

    name: str
    attributes: dict[str, str | None]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, *names: str) -> list[Element]:
        """Descendants with one of these names, in order; all of them without a name."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if not names or child.name in names else []
                found += child.all(*names)
        return found

    def within(self, class_: str) -> bool:
        return self.parent is not None and (self.parent.attributes.get("class") == class_ or self.parent.within(class_))


class _Tree(HTMLParser):
    """Reads a page whose every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        element = Element(tag, dict(attrs), self.here)
        self.here.children.append(element)
        if tag not in _VOID:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        assert self.here.name == tag, f"</{tag}> within <{self.here.name}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def read(html: str) -> Element:
    tree = _Tree()
    tree.feed(html)
    tree.close()
    assert tree.here is tree.root
    return tree.root


@pytest.fixture(scope="module")
def html() -> str:
    return page(sample_report())


@pytest.fixture(scope="module")
def root(html: str) -> Element:
    return read(html)


def table_called(root: Element, title: str) -> list[list[Element]]:
    """Rows of the table with that caption."""
    table = next(table for table in root.all("table") if table.all("caption")[0].text == title)
    return [row.all("th", "td") for row in table.all("tr")]


def test_sections_come_in_reading_order(root: Element) -> None:
    assert [section.attributes["id"] for section in root.all("section")] == [
        "systems",
        "pairs",
        "bias",
        "reranking",
        "kinds",
        "comparisons",
        "gap",
        "ann",
        "worst",
        "dataset",
        "configuration",
    ]
    links = [link.attributes["href"] for link in root.all("a")]
    assert links == [f"#{section.attributes['id']}" for section in root.all("section")]


def test_nothing_is_loaded(root: Element) -> None:
    for element in root.all():
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
            assert (element.attributes.get(name) or "#").startswith("#"), element
        assert element.name not in {"link", "img", "iframe", "object", "embed"}
        assert not [name for name in element.attributes if name.startswith("on")]
    css = root.all("style")[0].text
    assert "url(" not in css
    assert "@import" not in css
    assert "//" not in css


def test_only_the_pages_own_script_may_run(root: Element) -> None:
    scripts = root.all("script")
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].text.encode()).digest()).decode()
    policies = [
        meta.attributes["content"]
        for meta in root.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"]


def test_texts_of_the_dataset_are_text(html: str, root: Element) -> None:
    assert "<script>alert" not in html
    for place in ("header", "summary", "td"):
        assert any(ATTACK in element.text for element in root.all(place)), place
    assert any(MARKUP in element.text for element in root.all("td"))


def test_texts_have_their_own_direction_and_language(root: Element) -> None:
    spans = [span for span in root.all("span") if span.text == ARABIC]
    assert len(spans) == 2  # the query, and a document that came
    assert {(span.attributes["dir"], span.attributes["lang"]) for span in spans} == {("auto", "ar")}


@pytest.mark.parametrize("report", [sample_report(), bare_report()], ids=["sample", "bare"])
def test_no_figure_is_shown_as_nan_or_none(report: object) -> None:
    root = read(page(report))  # type: ignore[arg-type]
    shown = [
        root.all("body")[0].text,
        *(str(value) for one in root.all() for value in one.attributes.values() if value),
    ]
    for text in shown:
        assert not re.search(r"\b(nan|None|inf)\b", text.replace("none", ""))


def test_every_pair_of_every_system_is_there(root: Element) -> None:
    report = sample_report()
    pools = (*LANGUAGES, MIXED)
    for system in report.systems:
        header, *rows = table_called(root, f"nDCG@10 of {system.name}")
        assert [cell.text for cell in header] == ["query", *pools]
        assert [cells[0].text for cells in rows] == list(LANGUAGES)
        shown = {
            (cells[0].text, pool): cell.children[0]
            for cells in rows
            for pool, cell in zip(pools, cells[1:], strict=True)
        }
        for pair, figure in system.measures["nDCG@10"].pairs.items():
            expected = "–" if math.isnan(figure.mean) else f"{figure.mean:.3f}"
            assert str(shown[tuple(pair)]).rstrip("+-") == expected
        assert shown["de", "en"] == "–"  # no lists


def test_a_pair_says_its_interval_and_whether_it_differs(root: Element) -> None:
    """0.3 + 0.1 x 3 = 0.6 for the fourth system's first pair, +- 0.04; better than the baseline."""
    _, first, *_ = table_called(root, f"nDCG@10 of {BEST}")
    assert first[1].text == "0.600+0.560–0.640"
    assert first[1].attributes["title"] == "en>en: 0.600 (0.560–0.640), 12 lists in 12 groups"
    _, differences, *_ = table_called(root, f"nDCG@10 of {BEST} minus dense")
    assert differences[1].text == "+0.350*+0.310 to +0.390"
    assert "strong" in str(differences[1].attributes["class"])
    assert differences[-1].text == "-0.078*-0.118 to -0.038"
    assert "worse" in str(differences[-1].attributes["class"])


def test_headline_has_the_best_systems_averages(root: Element) -> None:
    """0.2 + 0.1 x 3 = 0.5 for the fourth system, 0.05 more across and again in the mixed pool."""
    _, same, across, mixed = table_called(root, f"Best: {BEST}; baseline: dense")
    assert [cell.text for cell in same] == [
        "same language",
        "0.5000.460–0.540",
        "0.2000.160–0.240",
        "+0.350*+0.310 to +0.390",
        "better",
    ]
    assert [cell.text for cell in across[3:]] == ["+0.012-0.028 to +0.052", "undecided"]
    assert [cell.text for cell in mixed[1:]] == ["0.6000.560–0.640", "0.3000.260–0.340", "–", "–"]


def test_tables_and_charts_can_be_read_aloud(root: Element) -> None:
    for table in root.all("table"):
        header, *rows = (row.all("th", "td") for row in table.all("tr"))
        assert table.within("scroll")
        assert table.all("caption")[0].text
        assert {cell.attributes["scope"] for cell in header} == {"col"}
        assert all(cells[0].attributes["scope"] == "row" and len(cells) == len(header) for cells in rows)
    charts = [svg for svg in root.all("svg") if "aria-hidden" not in svg.attributes]
    assert len(charts) == 2 * 2 + 2 + 2  # bias of best and baseline, two line charts, two pictures
    for chart in charts:
        assert [child.name for child in chart.children[:2] if isinstance(child, Element)] == ["title", "desc"]
        assert all(child.text for child in chart.all("title", "desc"))
        assert chart.attributes["role"] == "img"


def test_languages_differ_in_shape_as_well_as_in_colour(root: Element) -> None:
    picture = root.all("figure")[-1].all("svg")[0]
    looks = set()
    for group in picture.all("g"):
        points = group.all("path")
        assert len(points) == 4
        shapes = {re.sub(r"^M\S+ [-\d.]+m", "", str(point.attributes["d"])) for point in points}
        assert len(shapes) == 1
        looks.add((group.attributes["class"], shapes.pop()))
    assert len({colour for colour, _ in looks}) == len({shape for _, shape in looks}) == len(LANGUAGES)


def test_lines_join_the_depths_of_one_first_stage() -> None:
    """`dense+offsets` without reranking and at 20 and 50: pairs read are 0, 19.5 and 49.5 in the sample."""
    (line,) = rerank_lines(sample_report().systems)
    assert line.name == "dense+offsets"
    assert [pairs for pairs, _ in line.points] == [0, 19.5, 49.5]
    means = [breakdown.mixed.mean for _, breakdown in line.points if breakdown.mixed]
    assert means == pytest.approx([0.4, 0.5, 0.6])


def test_an_axis_has_round_ticks() -> None:
    axis = Axis(0.35, 0.85, 200, 0)
    assert axis.ticks() == [0.4, 0.5, 0.6, 0.7, 0.8]
    assert [axis.at(value) for value in (0.35, 0.6, 0.85)] == [200, 100, 0]
    assert Axis(0, 49.5, 0, 1).ticks(4) == [0, 20, 40]


def _schemes(css: str) -> list[dict[str, tuple[int, ...]]]:
    blocks = re.findall(r":root{([^}]*)}", css)
    return [
        {name: tuple(map(int, value.split())) for name, value in re.findall(r"--(\w+):([\d ]+);", block)}
        for block in blocks
    ]


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG 2's contrast ratio."""

    def luminance(colour: tuple[float, ...]) -> float:
        parts = [part / 255 for part in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_both_schemes_have_enough_contrast(root: Element) -> None:
    css = root.all("style")[0].text
    assert "@media screen and (prefers-color-scheme:dark){:root{" in css
    schemes = _schemes(css)
    assert len(schemes) == 2
    for scheme in schemes:
        paper = scheme["paper"]
        assert all(_contrast(scheme[name], paper) >= 4.5 for name in ("ink", "faint", "accent"))
        assert all(_contrast(value, paper) >= 3 for name, value in scheme.items() if name.startswith("series"))
        for heat in ("heat", "worse"):
            for step in range(11):
                mixed = tuple(
                    below + (above - below) * step / 10 for below, above in zip(paper, scheme[heat], strict=True)
                )
                assert _contrast(scheme["ink"], mixed) >= 4.5, (heat, step)
                assert f".{heat}{step}{{" in css


def test_page_fits_a_phone(root: Element) -> None:
    assert any(meta.attributes.get("name") == "viewport" for meta in root.all("meta"))
    css = root.all("style")[0].text
    assert re.search(r"\.scroll\{[^}]*overflow-x:auto", css)
    assert not re.search(r"(?<!-)\b(min-)?width:\s*(\d{4,}px|[3-9]\d\dpx)", css)
    assert "@media print" in css


def test_page_of_ten_languages_and_systems_is_small() -> None:
    html = page(sample_report(_MANY, _TEN, points=60))
    assert len(html.encode()) < 2_000_000
    root = read(html)
    assert len([table for table in root.all("table") if table.all("caption")[0].text.startswith("nDCG@10 of ")]) == 19


def test_parts_that_were_not_measured_are_said_to_be_missing() -> None:
    root = read(page(bare_report()))
    missing = {
        str(section.attributes["id"])
        for section in root.all("section")
        if "Not part of this evaluation." in section.text
    }
    assert missing == {"bias", "reranking", "kinds", "comparisons", "gap", "ann", "worst"}
    _, same, across, _ = table_called(root, "Best: dense; baseline: dense")
    assert [cell.text for cell in same[1:4]] == ["0.5000.460–0.540", "0.5000.460–0.540", "–"]
    assert [cell.text for cell in across[1:4]] == ["–", "–", "–"]


def test_details_are_in_the_order_of_interest(root: Element) -> None:
    summaries = [details.all("summary")[0].text for details in root.all("details")]
    systems = [summary for summary in summaries if summary.split(" (")[0] in {s.name for s in sample_report().systems}]
    assert systems[0] == f"{BEST} (best)"
    assert all(earlier != later for earlier, later in pairwise(systems))


def test_no_markup_of_ours_is_shown_as_text(root: Element) -> None:
    """A piece that was escaped by mistake would stand on the page as tags to read."""
    (body,) = root.all("body")
    assert re.findall(r"</?(?:div|table|t[dhr]|p|svg|span|small)\b[^>]*>", body.text) == []
