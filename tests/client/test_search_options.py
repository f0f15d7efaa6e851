"""One list of search options: whoever takes them by name takes all of them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from interlingua.base.errors import RequestRejectedError
from interlingua.base.options import options
from interlingua_cli.search import command
from interlingua_client.search.search_log import SearchLog
from interlingua_client.search.search_options import SearchChanges, SearchOptions
from tests.client.test_search_log import Client, lines, opened

NAMES = [entry.name for entry in fields(SearchOptions)]


def test_the_keywords_are_the_record_s() -> None:
    assert get_type_hints(SearchChanges) == get_type_hints(SearchOptions)


def test_every_field_is_an_option_of_the_command() -> None:
    assert [entry.name for entry in options(SearchOptions)] == NAMES
    assert set(NAMES) <= {parameter.name for parameter in command.params}


def test_a_line_of_the_log_has_every_option_found_or_not(index_dir: Path, tmp_path: Path) -> None:
    client, path = Client(), tmp_path / "search.log"
    asked = {"k": 3, "candidates": 20, "languages": ["fr"], "query_language": "en", "rerank": False}
    asked |= {"rerank_weight": 0.25, "balance": False, "quota": 0.5}
    with opened(index_dir, SearchLog(path), client) as retriever:
        retriever.search("cat", options=SearchOptions(**asked))
        client.embed_error = RequestRejectedError("no")
        with pytest.raises(RequestRejectedError):
            retriever.search("cat", **asked)
    for line in lines(path):
        assert {name: line[name] for name in asked} == json.loads(json.dumps(asked))
        assert set(NAMES) <= line.keys()


def test_the_first_three_may_be_given_by_place(index_dir: Path) -> None:
    with opened(index_dir, None) as retriever:  # type: ignore[arg-type]
        by_name = retriever.search("en:cat", k=2, candidates=7, languages=["en"], query_language="en")
        by_place = retriever.search("en:cat", 2, 7, ["en"], query_language="en")
        (among,) = retriever.search_many(["en:cat"], 2, 7, ["en"], query_language="en")
        with pytest.raises(TypeError, match="k, candidates, languages"):
            retriever.search("en:cat", 2, 7, ["en"], "en")
        with pytest.raises(TypeError, match="multiple values"):
            retriever.search("en:cat", 2, k=3)
    assert by_name.hits == by_place.hits == among.hits
    assert (len(by_name.hits), by_name.reranking.wanted) == (2, 7)
