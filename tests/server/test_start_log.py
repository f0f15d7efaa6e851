"""What is read out of Triton's log (lines of release 24.10): which models a start has not loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import ServerError
from interlingua_server.start_log import StartLog, unloaded

LOADING = """I1128 07:25:53.785302 21443 model_lifecycle.cc:472] "loading: embed_query:1"
I1128 07:25:53.787032 21443 model_lifecycle.cc:472] "loading: embedder:1"
I1128 07:25:53.787060 21443 model_lifecycle.cc:472] "loading: embedder:2"
I1128 07:25:53.787907 21443 python_be.cc:2249] "TRITONBACKEND_ModelInstanceInitialize: embed_query_0_0 (CPU device 0)"
"""
LOADED = "I1128 07:25:58.299225 21443 model_lifecycle.cc:839] \"successfully loaded '{}'\"\n"
FAILED = "E1128 07:25:58.1 21443 model_lifecycle.cc:642] \"failed to load 'embed_query' version 1: Internal: {}\"\n"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", ""),
        (LOADING, "embed_query, embedder had not finished loading"),
        (LOADING + LOADED.format("embedder"), "embed_query had not finished loading"),
        (LOADING + LOADED.format("embedder") + LOADED.format("embed_query"), ""),
        (
            LOADING + FAILED.format("no tokenizer.json\\n\\nAt:\\n  model.py(9)"),
            "embed_query failed to load (version 1: Internal: no tokenizer.json); embedder had not finished loading",
        ),
        (
            LOADED.format("embedder") + FAILED.format("the first") + FAILED.format("the second"),
            "embed_query failed to load (version 1: Internal: the first)",
        ),
        (LOADED.format("embedder") + "error: one\nerror: creating server: no room\n", "creating server: no room"),
    ],
    ids=["nothing", "both", "one", "all", "failed", "the first reason", "no model's"],
)
def test_what_is_not_loaded_is_named(log: str, said: str) -> None:
    assert unloaded(log) == said


def test_a_reason_is_cut() -> None:
    assert len(unloaded(FAILED.format("x" * 5000))) < 250


def test_each_start_is_looked_at_alone(tmp_path: Path) -> None:
    log = StartLog(tmp_path / "made" / "triton.log")
    (tmp_path / "made").mkdir()
    log.path.write_text("of another server\n")
    for text in ("error: the first\n", "the second\n"):
        with log.begun() as file:
            assert not log.has_grown
            file.write(text.encode())
        assert log.has_grown
        assert (log.text(), log.tail()) == (text, text.strip())
    assert log.path.read_text() == "error: the first\nthe second\n"


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=r"^cannot write Triton's log .*/triton\.log: (Not a dir|File exists)"):
        StartLog(tmp_path / "file" / "triton.log").begun()
