"""What the tree itself has to keep to: `make lint` runs this file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

from interlingua.base.paths import PROJECT_ROOT

_MANY = 20
_READS_CONFIG = re.compile(r"""config\.pbtxt["']|\b(read|write)_config\b|model_config_pb2""")
_MAY_READ = ("interlingua/interlingua/repository/", "exporter/interlingua_exporter/lint/")
_ONCE_A_BACKEND = {"TritonPythonModel"}
# Classes that are still defined twice, and folders that hold more modules than that: both lists only shrink.
_TWICE: set[str] = set()
_FULL = {"cli/interlingua_cli": 25}  # a file a verb
# Where truth is still taken for presence, or a value of any kind for a text: `x.get(..) or y`, `str(x.get(..))`. Files
# from outside are read by JsonRow, `build` and readers like them; this list only shrinks.
_TRUTH = {
    "adaptation/interlingua_adaptation/corpus_step/libreoffice_help.py": 1,
    "adaptation/interlingua_adaptation/lists.py": 1,
    "cli/interlingua_cli/options/option_tables.py": 1,
    "client/interlingua_client/index/document_store.py": 1,
    "evaluation/interlingua_evaluation/monitoring/log_records.py": 1,
    "evaluation/interlingua_evaluation/report/evidence_tables.py": 1,
    "evaluation/interlingua_evaluation/report/quality_tables.py": 1,
    "exporter/interlingua_exporter/graphs/dense_folder.py": 2,
    "exporter/interlingua_exporter/models/catalog.py": 3,
    "exporter/interlingua_exporter/models/stored_weights.py": 1,
    "exporter/interlingua_exporter/weights/own_code.py": 1,
    "exporter/interlingua_exporter/weights/statements/embedding_facts.py": 2,
    "exporter/interlingua_exporter/weights/statements/sentence_layout.py": 4,
    "exporter/interlingua_exporter/weights/statements/sentence_modules.py": 1,
    "interlingua/interlingua/base/processor.py": 1,
    "loadtest/interlingua_loadtest/report/load_curve.py": 1,
    "loadtest/interlingua_loadtest/report/recorded_run.py": 4,
    "loadtest/interlingua_loadtest/report/run_figures.py": 2,
    "server/interlingua_server/backends/onnxruntime/model.py": 1,
}


def _modules() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "--", "*.py"], cwd=PROJECT_ROOT, check=True, capture_output=True)
    files = [Path(name) for name in listed.stdout.decode().splitlines()]
    return [file for file in files if file.parts[0] != "tests" and (PROJECT_ROOT / file).is_file()]


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in _modules():
        for node in ast.parse((PROJECT_ROOT / file).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(file))
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in _ONCE_A_BACKEND | _TWICE}
    assert not twice, f"name each for what it is: {twice}"
    done = {name for name in _TWICE if len(places[name]) < 2}
    assert not done, f"take out of _TWICE: {done}"


def test_a_folder_holds_what_one_can_overlook() -> None:
    counts: dict[str, int] = defaultdict(int)
    for file in _modules():
        counts[str(file.parent)] += 1
    full = {folder: count for folder, count in counts.items() if count > _FULL.get(folder, _MANY)}
    assert not full, f"divide by topic: {full}"
    done = {folder for folder in _FULL if counts[folder] <= _MANY}
    assert not done, f"take out of _FULL: {done}"


def test_config_pbtxt_is_read_and_written_in_one_place() -> None:
    others = [file for file in _modules() if not str(file).startswith(_MAY_READ)]
    found = [str(file) for file in others if _READS_CONFIG.search((PROJECT_ROOT / file).read_text(encoding="utf-8"))]
    assert not found, f"take a Published or a PublishedVersion (interlingua/interlingua/repository): {found}"


def test_the_catalogue_is_asked_by_commands_alone() -> None:
    """What is below takes a ResolvedModel; `resolve` is the one that asks for them."""
    asks = re.compile(r"\bcatalog\.find\(|catalog import [^\n]*\bfind\b")
    may = ("cli/", "benchmarks/", "exporter/interlingua_exporter/models/resolve.py")
    others = [file for file in _modules() if not str(file).startswith(may)]
    found = [str(file) for file in others if asks.search((PROJECT_ROOT / file).read_text(encoding="utf-8"))]
    assert not found, f"take a ResolvedModel (interlingua_exporter/models/resolve.py): {found}"


def test_a_field_is_there_or_not_whatever_its_value() -> None:
    counts: dict[str, int] = defaultdict(int)
    for file in _modules():
        for node in ast.walk(ast.parse((PROJECT_ROOT / file).read_text(encoding="utf-8"))):
            counts[str(file)] += _takes_truth(node)
    more = {file: count for file, count in counts.items() if count > _TRUTH.get(file, 0)}
    assert not more, f"say what holds where the field is missing, null or of another kind (JsonRow, build): {more}"
    done = {file for file in _TRUTH if not counts[file]}
    assert not done, f"take out of _TRUTH: {done}"


def _takes_truth(node: ast.AST) -> bool:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return any(map(_is_get, node.values[:-1]))
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "str" and any(map(_is_get, node.args))


def _is_get(node: ast.AST) -> bool:
    """`x.get(..)` of anything but the environment, where what is empty is not set."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"):
        return False
    return bool(node.args) and "environ" not in ast.unparse(node.func)
