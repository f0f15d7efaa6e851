"""A filter that is pinned: every search has to meet it, and no filter of a caller's takes any of it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_client.filtering.filter_parsing import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua_client.filtering.filter_tree import DocumentFilter
    from interlingua_client.index.search_index import SearchIndex


def require_pinned(index: SearchIndex, pinned: DocumentFilter | None) -> None:
    """Look at a pin again before another index, or generation, is searched with it. Raises InputError: it fits no more.

    A name that has gone there would leave a `not` without effect.
    """
    if pinned is None:
        return
    try:
        index.require_filter(pinned)
    except InputError as error:
        raise InputError(f"the index in {index.directory} has no longer what is pinned: {error}") from None


def pinned_to(
    index: SearchIndex, given: Mapping[str, Any] | None, within: DocumentFilter | None
) -> DocumentFilter | None:
    """A filter together with what is pinned already.

    Raises:
        InputError: it is none, or asks for nothing, or for what no document within has: a slip in a name must not leave
            a `not` without effect.
    """
    if given is None:
        return within
    pinned = parse(given)
    if pinned.is_empty:
        raise InputError("the pinned filter is {}: it must have a condition, as in {'tenant': 'acme'}")
    index.require_filter(pinned, within)
    return pinned.also(within)
