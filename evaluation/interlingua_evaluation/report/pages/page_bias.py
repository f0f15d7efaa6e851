"""A system's language bias as bars.

BiasFigures --> own-language share by query language | share of the first tens by document language
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from interlingua.display.bars import Bar, bars
from interlingua.display.page import Html, tag

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import BiasFigures


def bias_bars(system: str, bias: BiasFigures) -> Html:
    """Both charts of one system."""
    asked = [
        Bar(language, own.mean, own.low, own.high, bias.relevant_own_share)
        for language, own in bias.own_share_by_language.items()
    ]
    found = [
        Bar(language, value, None, None, bias.relevant_share_by_language.get(language, math.nan))
        for language, value in bias.first_share_by_language.items()
    ]
    charts = (
        bars(
            f"{system}: own-language share of the first ten, by query language",
            "A bar is the share, the thin line its interval, the thick mark the share among the relevant.",
            asked,
        ),
        bars(
            f"{system}: share of the first tens, by document language",
            "A bar is the share, the thick mark the language's share among the relevant.",
            found,
        ),
    )
    return tag("div", *charts, class_="figures")
