"""The digest changes with what a result depends on, and with nothing else."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua_loadtest.run.environment import changes, describe_environment

CONFIG = 'name: "embed_query"\nparameters {{ key: "1/digest" value {{ string_value: "{digest}" }} }}\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One service, whose weights have the digest `abc`."""
    write_config(tmp_path / "models", "abc")
    return tmp_path / "models"


def write_config(repository: Path, digest: str, extra: str = "") -> None:
    (repository / "embed_query").mkdir(parents=True, exist_ok=True)
    config = CONFIG.format(digest=digest) + extra
    (repository / "embed_query" / "config.pbtxt").write_text(config, encoding="utf-8")


def described(repository: Path, root: Path) -> dict[str, Any]:
    return describe_environment(Published.read(repository), root=root)


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def test_facts_are_those_of_this_machine(repository: Path) -> None:
    facts = describe_environment(Published.read(repository))
    assert facts["hardware"]["cores"] == os.cpu_count()
    assert facts["hardware"]["cpu"]
    # Pages times their size: another way to the memory's size than /proc/meminfo.
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert facts["hardware"]["memory_mb"] == pytest.approx(pages / 2**20, abs=1)
    assert facts["kernel"] == os.uname().release
    assert facts["packages"]["numpy"] == metadata.version("numpy")
    assert facts["services"] == {"embed_query/1": "abc"}
    assert list(facts["configs"]) == ["embed_query"]


def test_two_calls_agree(repository: Path, tmp_path: Path) -> None:
    assert described(repository, tmp_path) == describe_environment(Published.read(repository), root=tmp_path)


def changed(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs; the digests differ if and only if anything does."""
    found = changes(one, other)
    assert (one["digest"] != other["digest"]) == bool(found)
    return found


def test_another_config_is_another_environment(repository: Path, tmp_path: Path) -> None:
    before = described(repository, tmp_path)
    write_config(repository, "abc", "max_batch_size: 8\n")
    assert changed(before, described(repository, tmp_path)) == ["configs.embed_query"]


def test_other_weights_are_another_environment(repository: Path, tmp_path: Path) -> None:
    before = described(repository, tmp_path)
    write_config(repository, "def")
    after = described(repository, tmp_path)
    assert changed(before, after) == ["configs.embed_query", "services.embed_query/1"]


def test_a_server_elsewhere_has_unknown_models(repository: Path, tmp_path: Path) -> None:
    here, elsewhere = (
        described(repository, tmp_path),
        describe_environment(None, root=tmp_path),
    )
    assert elsewhere["configs"] is None
    assert changed(elsewhere, elsewhere) == []
    assert set(changed(here, elsewhere)) >= {"configs.embed_query", "services.embed_query/1"}


def test_the_commit_is_told_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert describe_environment(None, root=tmp_path)["commit"] is None
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one", encoding="utf-8")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    clean = describe_environment(None, root=tmp_path)
    assert len(clean["commit"]) == 40
    assert clean["modified"] is False
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert changed(clean, describe_environment(None, root=tmp_path)) == ["modified"]


def test_a_repository_that_cannot_be_read_is_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no model repository"):
        describe_environment(Published.read(tmp_path / "nowhere"))
    write_config(repository, "abc", "no such field: {")
    with pytest.raises(InputError, match=r"config\.pbtxt"):
        describe_environment(Published.read(repository))
