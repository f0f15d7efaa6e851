"""The command line: `interlingua <verb>`, one thin file a verb, imported only when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys

import click

from interlingua.base.errors import InterlinguaError

VERBS = {
    "models": "the models known by name, what each needs, and which were run here",
    "export": "weights to ONNX, through the parity gate, into the model repository",
    "lint": "what is wrong with a Triton model repository, why, and what to write",
    "serve": "start Triton on the model repository",
    "publish": "load an exported version into the running servers, beside what they serve",
    "promote": "make a version the default, and the index built for it current",
    "rollback": "back to the version and the index before",
    "prune": "take versions away that nobody needs",
    "index": "put documents (JSON lines) into an index",
    "search": "ask a question in any language",
    "evaluate": "which language pair fails, by how much, and what to switch on",
    "compare": "two evaluations: what is better, what is worse, and what is chance",
    "languages": "what each language of a corpus costs and gets, and what to do for it",
    "monitor": "a search log: what changed, for languages without judgments",
    "loadtest": "load on the services: latency from when a request was due, the highest rate within an SLO",
    "loadreport": "runs of a load test: where the time goes, the knee, what changed, and bounds for CI",
    "calibrate": "how fast this machine serves a model repository, for `plan` and `tradeoff`",
    "plan": "replicas, memory and cost for a traffic and an objective, and what breaks first",
    "tradeoff": "quality against cost: the cheapest setting that holds a floor and an objective",
    "adapt": "train a reranker on documents, without labels",
    "demo": "all of it once: 480 documents, a dozen questions across languages",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="interlingua")
def cli() -> None:
    """Serve and measure cross-lingual retrieval on NVIDIA Triton."""


def main() -> None:
    """Entry point: turns every error of ours into one line and its exit code."""
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except InterlinguaError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
