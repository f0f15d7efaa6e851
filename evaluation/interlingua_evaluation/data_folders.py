"""Where the evaluation keeps and finds its files."""

from __future__ import annotations

from pathlib import Path

from interlingua.base.paths import PROJECT_ROOT

HELPDESK12 = Path(__file__).with_name("data") / "helpdesk12"
CACHE = PROJECT_ROOT / "var" / "evaluation"
