"""The upper tail of chi-square: statistics and degrees of freedom --> how probable that much or more is by chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.measures.relevance import Values


def chi_square_tail(x: Values, degrees: IntArray) -> Values:
    """The probability of x or more, float64, for 1 degree of freedom or more (1 for 0).

    From 1 or 2 degrees up by twos (Abramowitz and Stegun 1964, 6.5.21): every term is positive, nothing cancels.
    """
    half = x / 2
    odd = degrees % 2 == 1
    tail = np.where(odd, np.array([math.erfc(math.sqrt(value)) for value in half.tolist()]), np.exp(-half))
    for number in range(1, int(degrees.max(initial=0)) // 2 + 1):
        power = np.where(odd, number - 0.5, number)
        gamma = np.where(odd, math.lgamma(number + 0.5), math.lgamma(number + 1))
        with np.errstate(divide="ignore"):
            term = np.exp(power * np.log(half) - half - gamma)
        tail = tail + np.where(2 * power < degrees, term, 0)
    return np.where(degrees > 0, tail, 1.0)
