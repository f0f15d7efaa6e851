"""`interlingua export --lengths`: its options, and what was found; lengths, the best buckets, a plan's build folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua_exporter.tensorrt.sized_serving import LengthReport, LengthWishes

_QUANTILES = (0.5, 0.9, 0.99, 1.0)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OPTIONS = (
    click.option("--lengths", type=_FILE, help="Corpus to measure lengths on, as `interlingua index` reads it."),
    click.option("--queries", type=_FILE, help="Queries for --lengths, in the same form.  [default: titles]"),
    click.option("--buckets", help="How many length buckets, or the longest length of each: 32,128,512.  [default: 4]"),
    click.option(
        "--provider",
        type=click.Choice(["cuda", "tensorrt", "tensorrt-plan"]),
        help="What runs the network, with --kind gpu: ONNX Runtime alone, or with its TensorRT provider; tensorrt-plan "
        "writes a folder to build a plan in.  [default: cuda]",
    ),
    click.option("--tensorrt-cache", help="The server's folder for engines of --provider tensorrt."),
)


def length_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds what `interlingua export` is asked about lengths and TensorRT."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wishes_of(options: dict[str, Any]) -> LengthWishes:
    """What was asked about lengths. Raises InputError: --buckets is neither a number nor lengths."""
    from interlingua_exporter.publication.tensorrt_serving import CACHE
    from interlingua_exporter.tensorrt.sized_serving import DEFAULT_BUCKETS, LengthWishes

    if options["queries"] and not options["lengths"]:
        raise click.UsageError("--queries goes with --lengths")
    buckets, edges = parse_buckets(options["buckets"] or str(DEFAULT_BUCKETS))
    if options["buckets"] and not options["lengths"] and not edges:
        raise click.UsageError("--buckets as a number goes with --lengths; without it give their longest lengths")
    cache = options["tensorrt_cache"] or CACHE
    if not cache.startswith("/"):
        raise click.UsageError(f"--tensorrt-cache {cache} is relative: it would depend on where the server was started")
    provider = options["provider"]
    return LengthWishes(
        corpus=options["lengths"],
        queries=options["queries"],
        buckets=buckets,
        edges=edges,
        runner=None if provider == "cuda" else provider,
        cache=cache,
    )


def parse_buckets(text: str) -> tuple[int, tuple[int, ...]]:
    """`4` is a number of buckets, `32,128,512` are their longest lengths; (number, lengths). Raises InputError."""
    parts = text.split(",")
    if not all(part.strip().isascii() and part.strip().isdecimal() for part in parts) or "0" in parts:
        raise InputError(f"--buckets is {text!r}: give a number of buckets (4), or their longest lengths (32,128,512)")
    numbers = tuple(int(part) for part in parts)
    return (numbers[0], ()) if len(numbers) == 1 else (len(numbers), numbers)


def print_lengths(report: LengthReport) -> None:
    """The lengths, then a row for each number of buckets."""
    from rich.table import Table

    from interlingua.display.terminal import console

    histogram = report.histogram
    if histogram is not None:
        shown = ", ".join(f"{share:.0%} up to {histogram.quantile(share)}" for share in _QUANTILES)
        click.echo(f"{histogram.texts} texts of {histogram.tokens / histogram.texts:.1f} tokens on average: {shown}")
        click.echo(f"{histogram.full} at the limit of {histogram.max_tokens} tokens")
        table = Table(title="padding with every text padded to its bucket's edge", title_justify="left")
        for heading in ("buckets", "longest length of each", "padding"):
            table.add_column(heading)
        for choice in report.choices:
            table.add_row(str(len(choice.edges)), _joined(choice.edges), f"{choice.padding:.1%}")
        console().print(table)
    padding = f", {report.chosen.padding:.1%} padding" if report.chosen else ""
    click.echo(f"length buckets: {_joined(report.edges)}{padding}")


def length_facts(report: LengthReport | None) -> dict[str, Any] | None:
    """The lengths as JSON has them."""
    if report is None:
        return None
    histogram = report.histogram
    return {
        "edges": list(report.edges),
        "padding": report.chosen.padding if report.chosen else None,
        "texts": histogram.texts if histogram else None,
        "tokens": histogram.tokens if histogram else None,
        "at_the_limit": histogram.full if histogram else None,
        "histogram": [list(pair) for pair in histogram.counts] if histogram else None,
        "choices": [{"edges": list(choice.edges), "padding": choice.padding} for choice in report.choices],
    }


def print_build(folder: Path) -> None:
    """What to do with a build folder."""
    click.echo(f"nothing is published yet; the plan's build folder is {folder}")
    click.echo("1. build the plan in the serving container, on the serving GPU (docs/tensorrt.md has the docker line):")
    click.echo("   ./build_plan.sh")
    click.echo(f"2. publish it: interlingua export plan {folder}")


def _joined(edges: tuple[int, ...]) -> str:
    return ", ".join(map(str, edges))
