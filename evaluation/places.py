"""Where the evaluation keeps and finds its files."""

from __future__ import annotations

from interlingua.paths import PROJECT_ROOT

HELPDESK12 = PROJECT_ROOT / "evaluation" / "data" / "helpdesk12"
CACHE = PROJECT_ROOT / "var" / "evaluation"
