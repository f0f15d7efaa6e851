"""A line of JSON from outside: presence, not truth, and nothing made a text that is none."""

from __future__ import annotations

import pytest

from interlingua.base.json_row import JsonRow


def row(text: str) -> JsonRow:
    return JsonRow.parse(text.encode(), 1)


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        ('{"id": null, "_id": "a"}', "a"),
        ('{"_id": 0}', "0"),
        ('{"id": 7, "_id": "7"}', "7"),
        ('\ufeff{"_id": " x "}', " x "),
    ],
)
def test_an_id_is_there_or_not(line: str, id_: str) -> None:
    assert row(line).id() == id_


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": null}', "there is no `id`"),
        ('{"id": ["a"]}', "`id` must be a string, this is a list"),
        ('{"_id": {"$oid": "5f"}}', "`_id` must be a string, this is an object"),
        ('{"_id": 1.0}', "`_id` must be a string, this is a number"),
        ('{"id": false}', "`id` must be a string, this is true or false"),
        ('{"id": ""}', "`id` is empty"),
        ('{"id": "a", "_id": "b"}', "`id` is 'a' and `_id` is 'b': leave one out"),
        ('{"id": "a", "id": "b"}', "`id` is there twice"),
        ('{"id": ' + "9" * 5000 + "}", "not JSON that can be read: a number has too many digits"),
    ],
)
def test_an_id_that_is_none(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        row(line).id()


def test_null_is_nothing_and_zero_and_the_empty_text_are_something() -> None:
    fields = row('{"group": 0, "kind": null, "title": ""}')
    assert (fields.name("group"), fields.name("kind"), fields.text("title"), fields.text("text")) == (
        "0",
        None,
        "",
        None,
    )
    with pytest.raises(ValueError, match="`title` is empty"):
        fields.name("title")


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ('{"language": "de", "metadata": {"language": "fr"}}', "de"),
        ('{"language": "", "metadata": {"language": "fr"}}', "fr"),
        ('{"language": null, "metadata": {"language": null}}', ""),
        ('{"metadata": "language: fr"}', ""),
        ('{"lang": "de"}', "de"),
        ('{"language": " ", "lang_code": "por_Latn", "metadata": {"lang": "fr"}}', "por_Latn"),
        ('{"metadata": {"language_code": "fr"}}', "fr"),
    ],
)
def test_the_language_has_names_and_places(line: str, language: str) -> None:
    assert row(line).language() == language


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('{"passage": "short"}', ["passage"]),
        ('{"sentences": ["One.", "Two."]}', ["sentences"]),
        ('{"anything": "some words that go on for more than forty characters"}', ["anything"]),
        ('{"beliebig": "' + "文" * 40 + '"}', ["beliebig"]),
        (
            '{"sections": [{"h": "A", "p": ["short", "some words that go on for more than forty characters"]}]}',
            ["sections"],
        ),
        ('{"data": {"x": "some words that go on for more than forty characters"}}', ["data"]),
        ('{"authors": [{"name": "Ada", "born": 1815}, {"name": null}]}', []),
        ('{"link": "https://example.org/a/very/long/address/without/any/space"}', []),
        ('{"author": "Ada Lovelace", "tags": ["a", "b"], "year": 1843, "body": " ", "plain": null}', []),
    ],
)
def test_what_looks_like_the_text(line: str, fields: list[str]) -> None:
    assert list(row(line).texts_beside({"id"})) == fields
