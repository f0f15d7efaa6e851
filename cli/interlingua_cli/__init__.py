"""The command line: `interlingua <verb>`, one thin file a verb, imported only when it is asked for."""

from __future__ import annotations

import os
import sys

import click

from interlingua.base.errors import InterlinguaError
from interlingua.base.extras import missing_package
from interlingua_cli.options.placed_options import config_option
from interlingua_cli.verb_group import LazyGroup

SECTIONS = {
    "Serve": {
        "demo": "all of it once: 480 documents, a dozen questions across languages",
        "models": "the models known by name, what each needs, and which were run here",
        "export": "weights to ONNX, through the parity gate, into the model repository",
        "lint": "what is wrong with a Triton model repository, why, and what to write",
        "serve": "start Triton on the model repository",
        "ready": "ask a server for a real embedding and a real score",
        "publish": "load an exported version into the running servers, beside what they serve",
        "promote": "make a version the default, and the index built for it current",
        "rollback": "back to the version and the index before",
        "prune": "take versions away that nobody needs",
    },
    "Search": {
        "convert": "Markdown, HTML, CSV, PDF, DOCX and help desks' exports to JSON lines",
        "index": "put documents (JSON lines) into an index",
        "search": "ask a question in any language",
        "monitor": "a search log: what changed, for languages without judgments",
    },
    "Measure": {
        "evaluate": "which language pair fails, by how much, and what to switch on",
        "compare": "two evaluations: what is better, what is worse, and what is chance",
        "languages": "what each language of a corpus costs and gets, and what to do for it",
        "loadtest": "load on the services: latency from when a request was due, the highest rate within an SLO",
        "loadreport": "runs of a load test: where the time goes, the knee, what changed, and bounds for CI",
    },
    "Plan": {
        "calibrate": "how fast this machine serves a model repository, for `plan` and `tradeoff`",
        "plan": "replicas, memory and cost for a traffic and an objective, and what breaks first",
        "tradeoff": "quality against cost: the cheapest setting that holds a floor and an objective",
    },
    "Adapt": {"adapt": "train a reranker on documents, without labels"},
}
VERBS = {verb: does for verbs in SECTIONS.values() for verb, does in verbs.items()}


@click.group(
    cls=LazyGroup, sections=SECTIONS, prefix=f"{__name__}.", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="interlingua")
@config_option
def cli() -> None:
    """Serve and measure cross-lingual retrieval on NVIDIA Triton."""


def main() -> None:
    """Runs the command line: turns every error of ours into one line and its exit code."""
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
        said = " ".join(f"({note})" for note in getattr(error, "__notes__", ()))
        click.echo(f"error: {error} {said}".rstrip(), err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if (missing := missing_package(error)) is None:
            raise
        click.echo(f"error: {missing}", err=True)
        sys.exit(missing.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
