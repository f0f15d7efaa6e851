"""For every rule a repository that has the trap and one that has not."""

from __future__ import annotations

from tests.exporter.lint.lint_cases_loading import CASES as LOADING_CASES
from tests.exporter.lint.lint_cases_networks import CASES as NETWORK_CASES
from tests.exporter.lint.lint_cases_serving import CASES as SERVING_CASES

CASES = {**NETWORK_CASES, **SERVING_CASES, **LOADING_CASES}
