"""How many tokens texts have for a published service.

model repository, service --config.pbtxt--> ServiceSpec, tokenizer;  texts --its frame, its tokenizer--> counts
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.errors import InputError
from interlingua.service import ServiceSpec, published_versions
from loadtest.capacity.demand import token_counts

if TYPE_CHECKING:
    from loadtest.capacity.workload import IntArray

Texts = Mapping[str, Sequence[str]] | Mapping[str, Sequence[tuple[str, str]]]


def published_spec(repository: Path, service: str) -> tuple[ServiceSpec, Path]:
    """A service's newest version, and its tokenizer. Raises InputError: it is not published."""
    from exporter.publication.publish import TOKENIZER_FILE
    from exporter.publication.triton_config import CONFIG_FILE, parameters_of, read_config

    path = repository / service / CONFIG_FILE
    if not path.is_file():
        raise InputError(f"the traffic needs {service}, but {repository} has no such service: run `interlingua export`")
    parameters = parameters_of(read_config(path))
    try:
        version = published_versions(parameters)[-1]
        return ServiceSpec.from_parameters(parameters, version), path.parent / str(version) / TOKENIZER_FILE
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path}: not as `interlingua export` writes it ({error!r}): export again") from error


def published_counts(repository: Path, service: str, texts: Texts) -> dict[str, IntArray]:
    """By language, tokens of every text, or pair of query and document, as the service would tokenize it.

    Raises:
        InputError: the service is not published, or its tokenizer cannot be read.
    """
    if not texts:
        return {}
    spec, tokenizer = published_spec(repository, service)
    return token_counts(tokenizer, texts, spec.frame)
