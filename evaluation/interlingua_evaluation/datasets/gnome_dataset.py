"""GNOME help as a Dataset: a page's title or summary asks, in every language, for the page in every language.

    pages of gnome_help.py --translated enough--> documents (bodies) and queries, development and test half

A page counts in a language when its title and at least half of its texts are translated. Each language has its own
pages then, and a language pair is measured on the pages that both have; what was measured, and what was left out, is
in `facts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query, half_of
from interlingua_evaluation.datasets.gnome_help import LICENCE, PACKAGE, HelpPage, PagesByName, read_pages
from interlingua_evaluation.datasets.plain_text import plain_text

LANGUAGES = ("en", "es", "de", "fr", "pt-BR", "ru", "cs", "sv", "uk", "el")
LEAST_SHARE = 0.5

QueryKind = Literal["title", "description"]
_NAMES: Mapping[QueryKind, str] = {"title": "gnome-help", "description": "gnome-help-descriptions"}

_ASKED = ""


def gnome_dataset(
    folder: Path,
    languages: Sequence[str] = LANGUAGES,
    *,
    least_share: float = LEAST_SHARE,
    queries: QueryKind = "title",
    see_also: bool = False,
) -> Dataset:
    """The dataset from an unpacked `gnome-user-docs`.

    Args:
        least_share: of a page's texts, those that must be translated for it to count.
        queries: what asks. A description that is missing, untranslated, or a sentence of its page's body asks nothing.
        see_also: also judge the pages that the English page points to: they have grade 1 then, the page itself 2. Both
            in every language that has them.

    Raises:
        InputError: there is no GNOME help in the folder, or not in these languages.
    """
    pages = read_pages(folder, list(languages))
    kept = [
        version
        for tag in languages
        for name, versions in pages.items()
        if (version := versions.get(tag)) is not None and _is_translated(version, versions["en"], least_share)
    ]
    unasked = {_id(page): _unasked(page, pages[page.name]["en"], queries) for page in kept}
    asking = [page for page in kept if unasked[_id(page)] == _ASKED]
    related = {
        name: (versions["en"].see_also & pages.keys()) - {name} if see_also else frozenset()
        for name, versions in pages.items()
    }
    grades = _grades(kept, related, itself=2 if see_also else 1)
    return Dataset(
        name=_NAMES[queries],
        documents=tuple(JudgedDocument(_id(page), page.language, "", page.body, page.name) for page in kept),
        queries=tuple(
            Query(_id(page), page.language, _question(page, queries), queries, page.name, half_of(page.name))
            for page in asking
        ),
        qrels={_id(page): grades[page.name] for page in asking},
        facts={
            "source": PACKAGE,
            "licence": LICENCE,
            "pages": len(pages),
            "least_share": least_share,
            "pages_by_language": {tag: sum(page.language == tag for page in kept) for tag in languages},
            "share_by_language": {tag: _mean_share(pages, tag) for tag in languages},
            **({"related_pages": sum(map(len, related.values()))} if see_also else {}),
            **({"queries_left_out": dict(Counter(filter(None, unasked.values())))} if queries == "description" else {}),
        },
    )


def _is_translated(page: HelpPage, english: HelpPage, least_share: float) -> bool:
    if page.language == "en":
        return True
    return page.title != english.title and page.translated_share >= least_share


def _question(page: HelpPage, queries: QueryKind) -> str:
    return page.title if queries == "title" else page.description


def _unasked(page: HelpPage, english: HelpPage, queries: QueryKind) -> str:
    """Why the page asks nothing; _ASKED if it does."""
    if queries == "title":
        return _ASKED
    if not page.description:
        return "missing"
    if page is not english and page.description == english.description:
        return "untranslated"
    return "in_its_body" if plain_text(page.description) in plain_text(page.body) else _ASKED


def _grades(
    kept: Sequence[HelpPage], related: Mapping[str, frozenset[str]], *, itself: int
) -> dict[str, dict[str, int]]:
    """The judgments that a page's queries share, by its name."""
    versions: dict[str, list[str]] = {}
    for page in sorted(kept, key=lambda page: page.language):
        versions.setdefault(page.name, []).append(_id(page))
    return {
        name: dict.fromkeys(ids, itself)
        | {id_: 1 for other in sorted(related[name]) for id_ in versions.get(other, ())}
        for name, ids in versions.items()
    }


def _mean_share(pages: PagesByName, tag: str) -> float:
    """Over all English pages: the share of texts that are translated; a page that is not there has none."""
    shares = [versions[tag].translated_share if tag in versions else 0.0 for versions in pages.values()]
    return round(sum(shares) / len(shares), 3)


def _id(page: HelpPage) -> str:
    return f"{page.name}.{page.language}"
