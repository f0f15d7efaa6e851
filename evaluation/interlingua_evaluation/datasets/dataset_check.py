"""What to know about a dataset before believing its figures.

Dataset --texts, labels, judgments--> findings, the worst first
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_evaluation.datasets.finding import SEVERITIES, DatasetFinding
from interlingua_evaluation.datasets.judgment_checks import check_judgments
from interlingua_evaluation.datasets.language_checks import check_languages
from interlingua_evaluation.datasets.text_checks import check_texts

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset

__all__ = ["DatasetFinding", "check"]


def check(dataset: Dataset) -> tuple[DatasetFinding, ...]:
    """All findings: errors, then warnings, then notes."""
    findings = [*check_texts(dataset), *check_languages(dataset), *check_judgments(dataset)]
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
