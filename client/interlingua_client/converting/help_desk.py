"""What three help desks' interfaces give for their articles, saved as JSON.

Zendesk Help Center: GET /api/v2/help_center/articles          {"articles": [{"title", "body", "locale", ...}]}
Freshdesk Solutions: GET /api/v2/solutions/folders/ID/articles  [{"title", "description", "folder_id", ...}]
Intercom:            GET /articles                              {"type": "list", "data": [{"type": "article", ...}]}

Drafts are left out. An article's HTML is read as a page's is; its url, date and tags become metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from interlingua_client.converting.converted import Converted, UnreadableFileError
from interlingua_client.converting.html_page import html_text

Article = Mapping[str, object]
_MILLISECONDS = 10**11  # in seconds, the year 5138


class Exported(NamedTuple):
    """What an export holds: documents, and how many drafts were left out."""

    documents: list[Converted]
    drafts: int


class UnknownExportError(UnreadableFileError):
    """JSON that is none of a help desk's answers."""


def help_desk_export(text: str) -> Exported:
    """The documents of one saved answer, or of several in a list.

    Raises:
        UnreadableFileError: it is no JSON, or an article in it is none.
        UnknownExportError: it is JSON of no help desk that is known.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"no JSON: {error}") from error
    answers = content if isinstance(content, list) and content and not _is_freshdesk(content[0]) else [content]
    documents, drafts = list[Converted](), 0
    for answer in answers:
        for found in _read(answer):
            documents += found.documents
            drafts += found.drafts
    return Exported(documents, drafts)


def _read(answer: object) -> Iterator[Exported]:
    if isinstance(answer, list) and all(map(_is_freshdesk, answer)):
        yield from (_freshdesk(article) for article in answer)
    elif isinstance(answer, dict) and isinstance(answer.get("articles"), list):
        yield from (_zendesk(article) for article in answer["articles"])
    elif isinstance(answer, dict) and answer.get("type") == "list" and isinstance(answer.get("data"), list):
        yield from (_intercom(article) for article in answer["data"])
    else:
        raise UnknownExportError(
            "no answer of a help desk that is known: Zendesk's has `articles`, Intercom's `type` list and `data`, "
            "Freshdesk's is a list of articles with `description` and `folder_id`"
        )


def _is_freshdesk(article: object) -> bool:
    return isinstance(article, dict) and "description" in article and "folder_id" in article


def _zendesk(article: object) -> Exported:
    row = _mapping(article)
    if row.get("draft") is True:
        return Exported([], 1)
    language = _text(row, "locale")
    metadata = {
        "url": row.get("html_url"),
        "date": row.get("edited_at", row.get("updated_at")),
        "tags": row.get("label_names"),
        "section_id": row.get("section_id"),
    }
    made = Converted(_text(row, "title"), html_text(_text(row, "body")), language, metadata, f"{_id(row)}.{language}")
    return Exported([made], 0)


def _freshdesk(article: object) -> Exported:
    row = _mapping(article)
    if row.get("status") == 1:
        return Exported([], 1)
    places = row.get("hierarchy")
    levels = [_mapping(_mapping(place).get("data")) for place in places] if isinstance(places, list) else []
    language = next((_text(level, "language") for level in levels if "language" in level), "")
    metadata = {
        "date": row.get("updated_at"),
        "tags": row.get("tags"),
        "folder_id": row.get("folder_id"),
        "category_id": row.get("category_id"),
        "section": [_text(level, "name") for level in levels],
    }
    id_ = f"{_id(row)}.{language}" if language else _id(row)  # translations share the number
    made = Converted(_text(row, "title"), html_text(_text(row, "description")), language, metadata, id_)
    return Exported([made], 0)


def _intercom(article: object) -> Exported:
    row = _mapping(article)
    translated = row.get("translated_content")
    versions = {
        language: content
        for language, content in (translated.items() if isinstance(translated, dict) else ())
        if isinstance(content, dict)
    }
    if not versions:
        return _intercom_version(row, _id(row), _text(row, "default_locale"), row)
    made = [_intercom_version(one, f"{_id(row)}.{language}", language, row) for language, one in versions.items()]
    return Exported([document for found in made for document in found.documents], sum(found.drafts for found in made))


def _intercom_version(row: Article, id_: str, language: str, article: Article) -> Exported:
    if row.get("state") == "draft":
        return Exported([], 1)
    metadata = {
        "url": row.get("url"),
        "date": _moment(row.get("updated_at")),
        "description": row.get("description"),
        "parent_id": article.get("parent_id"),
    }
    return Exported([Converted(_text(row, "title"), html_text(_text(row, "body")), language, metadata, id_)], 0)


def _moment(said: object) -> object:
    """Seconds, or milliseconds, since 1970 in ISO 8601; anything else as it is."""
    if isinstance(said, bool) or not isinstance(said, int):
        return said
    try:
        return datetime.fromtimestamp(said / 1000 if abs(said) >= _MILLISECONDS else said, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return said


def _mapping(value: object) -> Article:
    if not isinstance(value, dict):
        raise UnreadableFileError(f"{value!r:.60} stands where an article is expected")
    return value


def _text(row: Article, name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableFileError(f"article {row.get('id')}: `{name}` is {value!r:.60}, it must be a string")
    return value or ""


def _id(row: Article) -> str:
    value = row.get("id")
    if not isinstance(value, int | str):
        raise UnreadableFileError(f"an article has no `id`: {row!r:.80}")
    return f"{value}"
