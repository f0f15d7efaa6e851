"""`python -m interlingua_benchmarks.gpu_bench`: measure, print tables, write the samples.

arguments --> BenchSettings --bench.measure--> BenchReport --> tables or Markdown on the terminal, JSON in a file
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from interlingua.base.errors import InputError, InterlinguaError
from interlingua.base.extras import require
from interlingua.base.paths import PROJECT_ROOT
from interlingua_benchmarks.gpu_bench.settings import (
    ARITHMETICS,
    DEFAULT_ARITHMETICS,
    DEFAULT_MODELS,
    FULL,
    LOOK,
    QUICK,
    RUNTIMES,
    BenchSettings,
    Device,
)

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.records import BenchReport

T = TypeVar("T", bound=str)

_WORK = PROJECT_ROOT / "build" / "gpu_bench"
_INTERRUPTED = 130
_WIDTH = 180  # where no terminal says


def main(arguments: Sequence[str] | None = None) -> int:
    """What a GPU makes of the networks: tokens a second, latency, share of its own matrix rate."""
    asked = _parser().parse_args(arguments)
    try:
        require("export")
        settings = _settings(asked)
        _require_writable(asked.json)
        from interlingua_benchmarks.gpu_bench.bench import measure

        report = measure(settings, _say)
        _write(report, asked.json)
    except InterlinguaError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:  # before anything was measured
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    _show(report, markdown=asked.markdown)
    return _INTERRUPTED if report.interrupted else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m interlingua_benchmarks.gpu_bench", description=main.__doc__)
    parser.add_argument("--device", default="cuda:0", help="cuda:NUMBER, or cpu to look at the way with tiny models")
    parser.add_argument(
        "--models", nargs="+", metavar="ID", help=f"models of the catalogue; {', '.join(DEFAULT_MODELS)}"
    )
    parser.add_argument("--precisions", default=",".join(DEFAULT_ARITHMETICS), help=f"some of {', '.join(ARITHMETICS)}")
    parser.add_argument("--runtimes", default=",".join(RUNTIMES), help="those of them that are found here are used")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and shorter passes")
    parser.add_argument("--budgets", help="padded tokens of a call, with commas")
    parser.add_argument("--minutes", type=float, help="after which nothing new is begun")
    parser.add_argument("--catalog", type=Path, help="a file of your own entries")
    parser.add_argument("--json", type=Path, help="write samples and figures")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    return parser


def _settings(asked: argparse.Namespace) -> BenchSettings:
    """Raises InputError naming every bad argument."""
    device = Device.parse(asked.device)
    scale = LOOK if device.kind == "cpu" else QUICK if asked.quick else FULL
    faults: list[str] = []
    arithmetics = _listed("--precisions", asked.precisions, ARITHMETICS, faults)
    runtimes = _listed("--runtimes", asked.runtimes, RUNTIMES, faults)
    budgets = _numbers("--budgets", asked.budgets, faults) if asked.budgets else scale.budgets
    if device.kind == "cpu" and "tf32" in arithmetics:
        faults.append("--precisions tf32 is of GPUs alone")
    minutes = scale.minutes if asked.minutes is None else asked.minutes
    if not minutes > 0:
        faults.append(f"--minutes {minutes:g} is not more than 0")
    if faults:
        raise InputError("; ".join(faults))
    return BenchSettings(
        device=device,
        models=tuple(dict.fromkeys(asked.models or DEFAULT_MODELS)),
        arithmetics=arithmetics,
        runtimes=runtimes,
        scale=replace(scale, budgets=budgets, minutes=minutes),
        work=_WORK,
        chosen=asked.models is not None,
        catalogue=asked.catalog,
    )


def _listed(option: str, text: str, known: tuple[T, ...], faults: list[str]) -> tuple[T, ...]:
    wanted = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if unknown := [name for name in wanted if name not in known]:
        faults.append(f"{option} {', '.join(unknown)}: known are {', '.join(known)}")
    elif not wanted:
        faults.append(f"{option} names none of {', '.join(known)}")
    return tuple(name for name in known if name in wanted)


def _numbers(option: str, text: str, faults: list[str]) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) >= 1 for part in parts):
        faults.append(f"{option} {text}: not whole numbers of at least 1 with commas between them")
        return ()
    return tuple(sorted({int(part) for part in parts}))


def _require_writable(file: Path | None) -> None:
    """Before twenty minutes are spent. Raises InputError."""
    if file is not None and (file.is_dir() or not file.resolve().parent.is_dir()):
        raise InputError(f"--json {file}: is a folder, or in a folder that does not exist")


def _write(report: BenchReport, file: Path | None) -> None:
    from interlingua_benchmarks.gpu_bench.figures import as_json

    if file is None:
        return
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        print(f"error: {file} cannot be written: {error}", file=sys.stderr)


def _show(report: BenchReport, *, markdown: bool) -> None:
    from interlingua_benchmarks.gpu_bench.tables import as_markdown, grids, header_lines

    if markdown:
        print(as_markdown(report))
        return
    from interlingua.display.terminal import print_parts

    print_parts([*header_lines(report), *grids(report)], _WIDTH)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
