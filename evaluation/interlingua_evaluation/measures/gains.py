"""What a grade is worth in nDCG.

    linear        the grade itself    as trec_eval, BEIR, MTEB and MIRACL report it; the default
    exponential   2^grade - 1         Burges et al. 2005; grades 1, 2 and 3 gain 1, 3 and 7

Figures of one kind cannot be compared with those of the other. trec_eval counts the documents of every gain up to the
highest, 8 bytes each: so gains have a bound.
"""

from __future__ import annotations

from typing import Literal, get_args

Gains = Literal["linear", "exponential"]

HIGHEST_GAIN = (1 << 20) - 1
DEFAULT: Gains = "linear"
GAINS: tuple[Gains, ...] = get_args(Gains)
FORMULAS: dict[Gains, str] = {"linear": "linear gains (the grade itself)", "exponential": "gains 2^grade - 1"}


def highest_grade(gains: Gains) -> int:
    """The highest grade whose gain is within the bound."""
    return HIGHEST_GAIN if gains == "linear" else HIGHEST_GAIN.bit_length()


def too_high(grade: int, gains: Gains) -> str:
    """What is wrong with a grade, in words; "" where nothing is."""
    highest = highest_grade(gains)
    if grade <= highest:
        return ""
    shown = grade if grade < 10**12 else "over 10^12"
    return f"a grade may be {highest:,} at most with {gains} gains, this is {shown}"


def gain_of(grade: int, gains: Gains) -> int:
    """The gain of a grade that is not too high."""
    return grade if gains == "linear" else (1 << grade) - 1
