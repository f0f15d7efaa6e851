"""How a benchmark's command ends: what is the user's to mend is one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable

from interlingua.base.errors import InterlinguaError


def run(main: Callable[[], object]) -> None:
    """Run a benchmark without a traceback for errors of ours."""
    try:
        main()
    except InterlinguaError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
