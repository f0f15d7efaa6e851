"""Units to passages: as full as they may be, cut at the best place in their second half.

    units, tokens of each --as many as there is room for--> the best cut among the last ones --> the next, which begins
    some whole sentences earlier

What is left for two passages is divided in the middle. No search is made beyond a passage's own units.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from interlingua_client.index.passages.breaks import Break, Unit


def packed(
    units: Sequence[Unit], tokens: Sequence[int], room: Callable[[int], int], overlap: int
) -> Iterator[tuple[int, int]]:
    """The first and the last unit, exclusive, of each passage.

    Args:
        tokens: of each unit; none has more than there is room for.
        room: tokens that the units of a passage may have that begins with this one.
        overlap: tokens that a passage may repeat of the one before it.
    """
    sums = [0, *accumulate(max(count, 1) for count in tokens)]
    start, done = -1, 0
    while done < len(units):
        start = _start(units, sums, (start + 1, done), room, overlap)
        most = room(start)
        furthest = max(bisect_right(sums, sums[start] + most) - 1, done + 1)
        done = len(units) if furthest >= len(units) else _cut(units, sums, start, (done, furthest), most)
        yield start, done


def _start(
    units: Sequence[Unit], sums: Sequence[int], between: tuple[int, int], room: Callable[[int], int], overlap: int
) -> int:
    """Where a passage begins: at the second place, or earlier, as far as whole sentences of the section allow."""
    least, done = between
    start = place = done
    while place > least and units[place].level not in (Break.HEADING, Break.UNDER_HEADING):
        place -= 1
        if sums[done] - sums[place] > overlap:
            break
        if units[place].level <= Break.SENTENCE and sums[done + 1] - sums[place] <= room(place):
            start = place
    return start


def _cut(units: Sequence[Unit], sums: Sequence[int], start: int, between: tuple[int, int], most: int) -> int:
    """The best place after the first, up to the last of the two."""
    done, furthest = between
    rest = sums[-1] - sums[start]
    middle = sums[start] + (rest / 2 if rest < 2 * most else most)
    half = sums[start] + most // 2 if rest >= 2 * most else sums[-1] - most
    # A heading may leave a passage shorter than what goes on with the same matter.
    candidates = [
        place
        for place in range(done + 1, furthest + 1)
        if sums[place] >= half or (units[place].level == Break.HEADING and sums[place] - sums[start] >= most // 4)
    ]
    return min(candidates or [furthest], key=lambda place: (units[place].level, abs(sums[place] - middle)))
