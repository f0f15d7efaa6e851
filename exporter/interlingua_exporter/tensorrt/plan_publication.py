"""A plan that was built becomes the next version of its network and services.

build folder with plan/model.plan --record--> Candidate, ServingOptions --publish--> model repository
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.repository.triton_config import Placement
from interlingua.served.language_vectors import LanguageVectors
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.publication.candidate import Candidate, ServingOptions
from interlingua_exporter.publication.publish import Publication, publish
from interlingua_exporter.publication.tensorrt_serving import TensorRtServing
from interlingua_exporter.tensorrt.plan_build import PLAN_FILE, SHELL_SCRIPT, TOKENIZER, PlanBuild

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.repository.model_repository import ModelRepository


def publish_plan(folder: Path, repository: ModelRepository, version: int | None = None) -> Publication:
    """Publish the plan of a build folder; the folder stays as it is.

    Its digest covers the plan, so answers of it and of the ONNX network are never mixed in an index.

    Raises:
        InputError: the folder is no build folder, its plan was not built, or the versions that are served do not go
            with it.
        ExportError: another export is at work in the repository.
    """
    build = PlanBuild.read(folder)
    if not build.plan.is_file() or not build.plan.stat().st_size:
        raise InputError(f"{build.plan} is not there: run {folder / SHELL_SCRIPT} in the serving container first")
    with repository.staging() as staging:
        network = staging / ".network"
        network.mkdir()
        shutil.copyfile(build.plan, network / PLAN_FILE)
        return publish(_candidate(build, network), repository, staging, _options(build.record), version=version)


def _candidate(build: PlanBuild, network: Path) -> Candidate:
    record = build.record
    languages = record.get("languages", "")
    return Candidate(
        spec=_spec(record["spec"], build.folder),
        precision=record["precision"],
        network=network,
        inputs=tuple(record["inputs"]),
        dimension=record["dimension"],
        vocabulary=record["vocabulary"],
        pad_token_id=record["pad_token_id"],
        tokenizer_json=(build.folder / TOKENIZER).read_bytes(),
        sample=Tokens(*(tuple(column) for column in record["sample"])),
        scripts=tuple(record.get("scripts", ())),
        languages=LanguageVectors.from_text(languages) if languages else None,
    )


def _spec(stated: dict[str, Any], folder: Path) -> ModelSpec:
    """The part of the spec that publication reads; pooling and head are in the plan."""
    reranker = stated["role"] == "reranker"
    return ModelSpec(
        source=FolderSource(folder),
        pooling="none" if reranker else "mean",
        head="classifier" if reranker else "none",
        **stated,
    )


def _options(record: dict[str, Any]) -> ServingOptions:
    stated = dict(record["serving"])
    tensorrt = dict(stated.pop("tensorrt"))
    shapes = tuple((texts, tokens) for texts, tokens in stated.pop("warmup"))
    return ServingOptions(
        placement=Placement(**stated.pop("placement")),
        tensorrt=TensorRtServing(**{**tensorrt, "edges": tuple(tensorrt["edges"])}),
        warmup=shapes,
        **stated,
    )
