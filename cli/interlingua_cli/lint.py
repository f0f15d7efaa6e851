"""`interlingua lint`: what is wrong with a Triton model repository."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.counted import counted
from interlingua.base.errors import InputError
from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua.base.processor import this_processor

if TYPE_CHECKING:
    from interlingua_exporter.lint import Finding

_UNITS = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30}


@click.command()
@click.argument("repository", type=click.Path(path_type=Path), default=DEFAULT_MODEL_REPOSITORY)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--select", multiple=True, metavar="CODE", help="Ask only these rules (or TRT, BAT, ...); repeat.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave these rules out; repeat.")
@click.option("--explain", metavar="CODE", help="Say what a rule looks for and why, and end.")
@click.option("--launch", metavar="FLAGS", help='How the server is started: "tritonserver --http-address=...".')
@click.option("--shm-size", metavar="SIZE", help="Shared memory of the server's container: 64m, 1g.")
@click.option("--gpu/--no-gpu", default=None, help="Whether the machine that serves has a GPU.  [default: unknown]")
@click.option(
    "--vnni/--no-vnni", default=None, help="Whether its CPU multiplies int8 exactly.  [default: as this machine's]"
)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings as well.")
@click.pass_context
def command(
    context: click.Context,
    repository: Path,
    as_json: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    explain: str | None,
    launch: str | None,
    shm_size: str | None,
    gpu: bool | None,
    vnni: bool | None,
    strict: bool,
) -> None:
    """Say what is wrong with the Triton model REPOSITORY: what, where, why it hurts, and what to write.

    Nothing in it is loaded, run or changed. Exits with 1 where there is an error, 2 for wrong use; docs/lint.md lists
    the rules. Without REPOSITORY it is model_repository.
    """
    if explain:
        _explain(explain)
        return
    from interlingua_exporter.lint import LaunchLine, LintSettings, Repository, lint
    from interlingua_exporter.lint.onnx_file import onnx_is_installed

    try:
        exact = not this_processor().saturates if vnni is None else vnni
        flags = LaunchLine.parse(launch) if launch is not None else None
        settings = LintSettings(flags, _bytes(shm_size), gpu, exact)
        read = Repository.read(repository, settings)
        findings = lint(read, select=_codes(select), ignore=_codes(ignore))
    except InputError as error:
        raise click.UsageError(str(error)) from error
    models = [model.name for model in read.models]
    skipped = [] if onnx_is_installed() else ["ONX: the export extra is not installed"]
    if as_json:
        click.echo(json.dumps(_facts(repository, models, findings, skipped)))
    else:
        _print(repository, models, findings, skipped)
    severities = {finding.severity for finding in findings}
    context.exit(1 if "error" in severities or (strict and "warning" in severities) else 0)


def _codes(values: tuple[str, ...]) -> list[str]:
    return [code.strip() for value in values for code in value.split(",") if code.strip()]


def _bytes(size: str | None) -> int | None:
    """`64m` as Docker reads it. Raises click.UsageError."""
    if size is None:
        return None
    match = re.fullmatch(r"([0-9]{1,12})([bkmg]?)b?", size.strip().lower())
    if match is None:
        raise click.UsageError(f"--shm-size: {size!r} is not a size such as 64m or 1g")
    return int(match[1]) << _UNITS[match[2]]


def _explain(code: str) -> None:
    from interlingua_exporter.lint import RULES

    rule = RULES.get(code.upper())
    if rule is None:
        raise click.UsageError(f"there is no rule {code}: docs/lint.md lists them")
    click.echo(f"{rule.code} ({rule.severity}): {rule.title}\n\n{rule.why}\n\nmend: {rule.mend}")


def _counts(findings: list[Finding]) -> dict[str, int]:
    from interlingua_exporter.lint import SEVERITIES

    return {severity: sum(finding.severity == severity for finding in findings) for severity in SEVERITIES}


def _facts(repository: Path, models: list[str], findings: list[Finding], skipped: list[str]) -> dict[str, Any]:
    return {
        "repository": str(repository),
        "models": models,
        "findings": [finding.facts() for finding in findings],
        "counts": _counts(findings),
        "skipped": skipped,
    }


def _print(repository: Path, models: list[str], findings: list[Finding], skipped: list[str]) -> None:
    for finding in findings:
        place = ": ".join(part for part in (finding.file, finding.field) if part)
        click.echo(_plain(f"{finding.severity} {finding.code} {place}"))
        click.echo(_plain(f"    {finding.what}"))
        click.echo(f"    why:  {finding.why}")
        click.echo(_plain(f"    mend: {finding.mend}"))
    counts = ", ".join(counted(count, name) for name, count in _counts(findings).items())
    click.echo(_plain(f"{repository}: {len(models)} models, {counts}"))
    for reason in skipped:
        click.echo(f"skipped {reason}")


def _plain(text: str) -> str:
    """One line, without what a terminal would act on or cannot show."""
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape", "surrogatepass").decode() for mark in text
    )
