"""Filters as they are typed."""

from __future__ import annotations

from typing import Any

import click
import pytest

from interlingua_cli.options.click_options import chosen, click_options
from interlingua_client.search.search_options import SearchOptions


def typed(*filters: str) -> Any:
    """What a search is asked for."""

    @click.command()
    @click_options(SearchOptions)
    def command(**given: Any) -> Any:
        return chosen(SearchOptions, given).filter

    return command.main([part for text in filters for part in ("--filter", text)], standalone_mode=False)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tenant=acme", {"tenant": "acme"}),
        ("year=2024", {"year": ["2024", 2024]}),
        ("public=true", {"public": ["true", True]}),
        ("tenant=", {"tenant": ""}),
        ("q=a=b", {"q": "a=b"}),
        ("x=null", {"x": "null"}),
        ("x=NaN", {"x": "NaN"}),
        ("x=Infinity", {"x": "Infinity"}),
        ("x=-1e999", {"x": "-1e999"}),
        ("x=" + "9" * 400, {"x": ["9" * 400, int("9" * 400)]}),
        ('x=["a"]', {"x": '["a"]'}),
        ('{"year": {"gte": 2024}}', {"year": {"gte": 2024}}),
        (" {}", {}),
    ],
)
def test_one_filter(text: str, wanted: dict[str, Any]) -> None:
    assert typed(text) == (wanted or None)


def test_several_hold_together_and_none_is_none() -> None:
    assert typed("a=x", '{"b": {"exists": true}}') == {"and": [{"a": "x"}, {"b": {"exists": True}}]}
    assert typed() is None
