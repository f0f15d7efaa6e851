"""Readiness that asks a question, for the container: `python3 -m interlingua.served.watch.ready`.

    model repository -> its services -> a short text each -> finite values of the right width -> status 0, else 4

A server that is full answers, too: it is ready, and taking it away would only fill the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from interlingua.served.launch_flags import PORTS
from interlingua.served.watch.canary import QUESTIONS, WrongAnswerError, ask_all
from interlingua.served.watch.local_http import AnswerError, LocalTriton

MODELS = "/models"
SERVER_ERROR = 4  # the exit code of interlingua.base.errors.ServerError


def published_services(models: Path) -> list[str]:
    """The services of ours that a repository holds."""
    return [name for name in QUESTIONS if any((models / name).glob("[0-9]*/"))]


def main() -> int:
    """Ask, print what came in a line; the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m interlingua.served.watch.ready", description=main.__doc__)
    parser.add_argument("--port", type=int, default=PORTS["http"], help="Triton's HTTP on this machine.")
    parser.add_argument("--timeout", type=float, default=10.0, help="Seconds that an answer may take.")
    models = os.environ.get("INTERLINGUA_MODELS", MODELS)
    parser.add_argument("--models", type=Path, default=Path(models), help="The model repository.")
    asked = parser.parse_args()
    triton = LocalTriton(asked.port)
    try:
        triton.ask("/v2/health/ready")
        said = ask_all(triton, published_services(asked.models), asked.timeout)
    except (AnswerError, WrongAnswerError) as error:
        sys.stderr.write(f"not ready: {error}\n")
        return SERVER_ERROR
    sys.stdout.write(f"ready: {said or 'no service of ours, nothing was asked'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
