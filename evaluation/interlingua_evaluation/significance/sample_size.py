"""How many queries it takes to see a difference.

The standard error of a mean over G groups shrinks with 1 / sqrt(G). A difference d is seen at the 5% level (two sides)
in 80% of all trials once it is z(0.975) + z(0.8) = 2.80 standard errors (Cohen 1988, "Statistical Power Analysis for
the Behavioral Sciences", chapter 2; the normal approximation). The standard error is the bootstrap's, over groups: so
what is counted is groups (topics, pages), and translations of a query do not count as queries of their own.
"""

from __future__ import annotations

import math
from statistics import NormalDist

LEVEL = 0.05
POWER = 0.8

_STANDARD_ERRORS = NormalDist().inv_cdf(1 - LEVEL / 2) + NormalDist().inv_cdf(POWER)


def groups_needed(difference: float, standard_error: float, groups: int) -> int | None:
    """Groups that show such a difference.

    Args:
        difference: that is to be seen; its sign does not matter.
        standard_error: of the difference that was measured on `groups` groups.

    Returns:
        None where no number does: the difference is 0.
    """
    if difference == 0:
        return None
    return max(math.ceil(groups * (_STANDARD_ERRORS * standard_error / difference) ** 2), 2)


def visible_difference(standard_error: float) -> float:
    """The smallest difference that as many groups as were measured show."""
    return _STANDARD_ERRORS * standard_error
