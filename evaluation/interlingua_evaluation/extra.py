"""How an evaluation's commands start: with the packages that only they need, and without a traceback."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

from interlingua.base.errors import InputError, InterlinguaError

_PACKAGES = (
    "Stemmer",
    "bm25s",
    "ir_measures",
    "langcodes",
    "lxml",
    "regex",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)


def require_evaluate_extra() -> None:
    """Raises InputError naming what is missing and the command that installs it."""
    if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        raise InputError(f"evaluating needs {', '.join(missing)}: pip install 'interlingua[evaluate]'")


def run(main: Callable[[], object]) -> None:
    """Run a command of this package; what is the user's to mend is one line and an exit code."""
    try:
        main()
    except InterlinguaError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
