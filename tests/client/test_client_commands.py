"""The command lines of `index` and `search`, as far as they go without a server, and what importing costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from interlingua_cli.search import stage_line
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.search.results import StageTimes
from tests.support.hash_embedder import HashEmbedder
from tests.support.hash_tokens import HashTokenEncoder

NOWHERE = ["--server", "127.0.0.1:1"]


def interlingua(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from interlingua_cli import main; main()", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        pytest.param(["index"], 2, "nothing to do", id="nothing to do"),
        pytest.param(["index", "--rebuild", *NOWHERE], 2, "CORPUS makes one", id="nothing to rebuild"),
        pytest.param(["index", "--token-vectors", "4bit", *NOWHERE], 2, "CORPUS makes one", id="no index for tokens"),
        pytest.param(["index", "--token-vectors", "none", *NOWHERE], 2, "CORPUS makes one", id="no index without them"),
        pytest.param(["index", "--delete", "-", *NOWHERE], 2, "CORPUS makes one", id="nothing to delete from"),
        pytest.param(["index", "missing.jsonl"], 2, "missing.jsonl does not exist", id="no corpus"),
        pytest.param(["index", "--delete-missing", "--rebuild"], 2, "needs CORPUS", id="missing from what"),
        pytest.param(["index", "-", "--delete-missing", "--skip-bad"], 2, "mend the lines", id="dangerous"),
        pytest.param(["index", "-", *NOWHERE], 4, "cannot reach a server at 127.0.0.1:1", id="server away"),
        pytest.param(["index", "-", "--server", "http://x"], 3, "not a gRPC address", id="HTTP address"),
        pytest.param(["search", "x"], 3, "interlingua index CORPUS", id="no index"),
        pytest.param(["search"], 2, "Missing argument", id="no query"),
        pytest.param(["search", "x", "--deadline-ms", "0"], 2, "deadline-ms", id="no time"),
        pytest.param(["search", "x", "--deadline-ms", "1e300"], 2, "deadline-ms", id="no time of this world"),
        pytest.param(["search", "x", "--rerank-weight", "1.5"], 2, "1.5 is not in the range 0<=x<=1", id="weight"),
        pytest.param(["search", "x", "--filter", "acme"], 2, "neither a JSON object nor FIELD=VALUE", id="no filter"),
        pytest.param(["search", "x", "--filter", '{"a"'], 2, "is no JSON", id="half a filter"),
        pytest.param(["search", "x", "--rerank-weight", "half"], 2, "'half' is not a valid float", id="no number"),
    ],
)
def test_mistakes_are_one_message_and_a_status(tmp_path: Path, arguments: list[str], status: int, message: str) -> None:
    done = interlingua(*arguments, "--index", str(tmp_path / "index"))
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == status
    assert not (tmp_path / "index").exists()


def test_nothing_to_do_names_what_is_lost(index_dir: Path) -> None:
    settings = IndexSettings(token_vectors="int8")  # noqa: S106
    with Indexer.open(index_dir, HashEmbedder(), settings, encoder=HashTokenEncoder()) as indexer:
        indexer.finish()
    assert "(" not in interlingua("index", "--index", str(index_dir)).stderr.partition("nothing to do")[2]
    [file] = index_dir.glob("tokens-*")
    file.unlink()
    done = interlingua("index", "--index", str(index_dir))
    assert done.returncode == 2
    said = " ".join(done.stderr.replace("|", " ").split())
    assert str(file) in said
    assert f"`interlingua index --index {index_dir} --token-vectors int8` makes them again" in said


def test_searching_with_the_server_away(index_dir: Path) -> None:
    done = interlingua("search", "x", "--index", str(index_dir), *NOWHERE)
    assert done.returncode == 4
    assert "interlingua serve" in done.stderr


def imported(statement: str) -> set[str]:
    """The top-level packages that a new process has then, without those it begins with."""
    program = (
        f"import sys; before = set(sys.modules); {statement}; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_client_is_cheap() -> None:
    """By what it loads: numpy, gRPC, the index and Triton's messages take nearly all of the time of `Retriever`."""
    assert imported("import interlingua_client") - sys.stdlib_module_names == {"interlingua_client"}
    others = imported("from interlingua_client import Retriever") - sys.stdlib_module_names
    assert others >= {"grpc", "hnswlib", "interlingua", "interlingua_client", "numpy", "tritonclient"}
    assert not others & {"torch", "transformers", "onnxruntime", "py3langid", "rich", "click", "sklearn", "scipy"}


def test_few_files_know_each_engine() -> None:
    package = Path(__file__).parents[2] / "client" / "interlingua_client"

    def importers(module: str) -> set[str]:
        pattern = re.compile(rf"^\s*(from|import) {module}\b", re.MULTILINE)
        return {path.name for path in package.rglob("*.py") if pattern.search(path.read_text())}

    assert importers("tritonclient") == {"connection.py", "messages.py"}
    assert importers("hnswlib") == {"vector_index.py"}
    assert importers("py3langid") == {"query_language.py"}


def test_the_stage_line_leaves_out_what_is_unknown() -> None:
    known = StageTimes(
        language_s=0.001,
        queue_s=0.002,
        tokenize_s=0.003,
        compute_s=0.004,
        network_s=0.005,
        embed_s=0.014,
        ann_s=0.006,
        documents_s=0.007,
        rerank_s=0.0,
        total_s=0.03,
    )
    assert stage_line(known) == (
        "ms: language 1.0 · queue 2.0 · tokenize 3.0 · compute 4.0 · network 5.0 · ANN 6.0 · documents 7.0 · "
        "rerank 0.0 · total 30.0"
    )
    unknown = StageTimes(
        language_s=0.001,
        queue_s=None,
        tokenize_s=None,
        compute_s=None,
        network_s=None,
        embed_s=0.014,
        ann_s=0.006,
        documents_s=0.007,
        rerank_s=0.0,
        total_s=0.03,
    )
    assert stage_line(unknown).startswith("ms: language 1.0 · embed 14.0 · ANN 6.0")
