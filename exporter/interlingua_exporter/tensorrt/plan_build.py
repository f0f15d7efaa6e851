"""Everything that a plan is built from and published with, in a folder beside the model repository.

Candidate, ServingOptions --write_build--> <repository>.tensorrt/<network>-<digest>/
    model.onnx (, model.onnx.data)  tokenizer.json  build.json  build_plan.sh  build_plan.py
    --either script, on the serving GPU--> plan/model.plan

A plan loads with the very TensorRT version and kind of GPU that it was built with, so it cannot be built where the
export runs. Until it exists nothing of the network is in the repository: Triton would fail on a folder without a plan.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import ExportError, InputError
from interlingua.base.whole_file import whole
from interlingua.served.graph_names import MODEL_FILE
from interlingua_exporter.publication.digests import weights_digest
from interlingua_exporter.tensorrt.plan_script import build_script

if TYPE_CHECKING:
    from interlingua.repository.model_repository import ModelRepository
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.publication.candidate import Candidate, ServingOptions
    from interlingua_exporter.publication.tensorrt_serving import TensorRtServing

RECORD = "build.json"
TOKENIZER = "tokenizer.json"
SHELL_SCRIPT = "build_plan.sh"
PYTHON_SCRIPT = "build_plan.py"
PLAN_FOLDER = "plan"
PLAN_FILE = "model.plan"

_DIGITS = 12
# What the configurations and the digest need of a ModelSpec; the rest was for making the graph.
_SPEC = (
    "id",
    "role",
    "revision",
    "query_prompt",
    "document_prompt",
    "query_template",
    "document_template",
    "pair_template",
    "max_tokens",
    "padding_side",
    "rerank_weight",
)


@dataclass(frozen=True)
class PlanBuild:
    """A build folder and what stands in its build.json."""

    folder: Path
    record: dict[str, Any]

    @property
    def plan(self) -> Path:
        return self.folder / PLAN_FOLDER / PLAN_FILE

    @classmethod
    def read(cls, folder: Path) -> PlanBuild:
        """Raises InputError: the folder is none that an export wrote."""
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{folder} is no build folder ({error}): `interlingua export MODEL --provider tensorrt-plan` writes one"
            ) from error
        if not isinstance(record, dict) or record.get("form") != 1:
            raise InputError(f"{folder / RECORD} is not as this version writes it: export again")
        return cls(folder, record)


def build_root(repository: ModelRepository) -> Path:
    """The folder of all builds for a repository: beside it, where Triton does not look."""
    return repository.root.with_name(f"{repository.root.name}.tensorrt")


def write_build(candidate: Candidate, repository: ModelRepository, options: ServingOptions) -> PlanBuild:
    """Write a build folder; the same export again finds it, with the plan if it was built.

    Raises:
        ExportError: the graph has operators that TensorRT does not know.
    """
    if options.tensorrt is None:
        raise ValueError("a build without TensorRT")
    require_standard_operators(candidate.network / MODEL_FILE)
    record = _record(candidate, options, options.tensorrt)
    root = build_root(repository)
    name = f"{'embedder' if candidate.spec.role == 'embedder' else 'reranker'}-{record['digest'][:_DIGITS]}"
    if (root / name / RECORD).is_file():
        build = PlanBuild.read(root / name)
        if _without_languages(build.record) == _without_languages(record):
            if build.record != record:
                _write_record(root / name, record)
            return PlanBuild(root / name, record)
        shutil.rmtree(root / name)  # other buckets or options: its plan would not fit them
    staged = root / f".{name}.new"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for path in candidate.network.iterdir():
        shutil.move(path, staged / path.name)
    (staged / TOKENIZER).write_bytes(candidate.tokenizer_json)
    _write_record(staged, record)
    profiles = options.tensorrt.profiles(options.max_batch_size, options.max_batch_tokens)
    (staged / SHELL_SCRIPT).write_text(build_script(candidate.inputs, profiles), encoding="utf-8")
    (staged / SHELL_SCRIPT).chmod(0o755)
    shutil.copyfile(Path(__file__).with_name(PYTHON_SCRIPT), staged / PYTHON_SCRIPT)
    staged.rename(root / name)
    return PlanBuild(root / name, record)


def _without_languages(record: dict[str, Any]) -> dict[str, Any]:
    """What a plan depends on: of each language's directions the last digits differ from run to run."""
    return {name: value for name, value in record.items() if name != "languages"}


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    with whole(folder / RECORD) as partial:
        partial.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _record(candidate: Candidate, options: ServingOptions, tensorrt: TensorRtServing) -> dict[str, Any]:
    spec: ModelSpec = candidate.spec
    profiles = tensorrt.profiles(options.max_batch_size, options.max_batch_tokens)
    serving = asdict(options)
    record = {
        "form": 1,
        "digest": weights_digest(candidate.network),
        "spec": {name: getattr(spec, name) for name in _SPEC},
        "precision": candidate.precision,
        "inputs": candidate.inputs,
        "dimension": candidate.dimension,
        "vocabulary": candidate.vocabulary,
        "pad_token_id": candidate.pad_token_id,
        "sample": [candidate.sample.ids, candidate.sample.type_ids],
        "scripts": candidate.scripts,
        "languages": candidate.languages.to_text() if candidate.languages else "",
        "serving": serving,
        "profiles": [[profile.least, profile.usual, profile.largest] for profile in profiles],
    }
    plain: dict[str, Any] = json.loads(json.dumps(record))
    return plain


def require_standard_operators(path: Path) -> None:
    """Raises ExportError naming the graph's operators of other domains than ONNX's own."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in graph.node if node.domain not in ("", "ai.onnx")})
    if foreign:
        raise ExportError(f"TensorRT's ONNX parser does not know {', '.join(foreign)}: no plan can be built of it")
