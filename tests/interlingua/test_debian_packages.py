"""Debian packages as data: a package that dpkg-deb built is unpacked, and nothing leaves the folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from interlingua.base import debian_packages
from interlingua.base.debian_packages import download, ensure_package, remove_escaping_links, unpack
from interlingua.base.errors import ArchiveError

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb builds the package of this test")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a text, a link beside it and two that lead outside."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: tiny-help\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: x\n"
    (tree / "DEBIAN" / "control").write_text(control + "Installed-Size: 12\n")
    folder = tree / "usr" / "share" / "help"
    folder.mkdir(parents=True)
    (folder / "page.html").write_text("text")
    (folder / "inside").symlink_to("page.html")
    (folder / "absolute").symlink_to("/etc/passwd")
    (folder / "upwards").symlink_to("../../../../../secret")
    made = tmp_path / "tiny-help_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, made], check=True, capture_output=True)
    return made


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@needs_dpkg
def test_a_package_is_unpacked_without_the_links_that_lead_outside(package: Path, tmp_path: Path) -> None:
    unpack(package, tmp_path / "unpacked")
    folder = tmp_path / "unpacked" / "usr" / "share" / "help"
    assert sorted(path.name for path in folder.iterdir()) == ["inside", "page.html"]
    assert (folder / "inside").read_text() == "text"


@needs_dpkg
def test_a_damaged_package_is_named(package: Path, tmp_path: Path) -> None:
    package.write_bytes(package.read_bytes()[:-100])
    with pytest.raises(ArchiveError, match=r"tiny-help_1_all\.deb cannot be unpacked: "):
        unpack(package, tmp_path / "unpacked")


@needs_dpkg
def test_a_package_that_unpacks_to_too_much_is_refused(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian_packages, "_MAX_UNPACKED_BYTES", 12 * 1024 - 1)
    with pytest.raises(ArchiveError, match="unpacks to 12288 bytes, more than 12287; refused"):
        unpack(package, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


@needs_dpkg
def test_a_package_is_fetched_once(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    write_tool(tools, "apt-get", f"echo fetched >> {tmp_path}/calls; cp {package} .")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    first = ensure_package("tiny-help", tmp_path / "cache")
    assert first == ensure_package("tiny-help", tmp_path / "cache") == tmp_path / "cache" / "tiny-help"
    assert (first / "usr/share/help/page.html").read_text() == "text"
    assert (tmp_path / "calls").read_text() == "fetched\n"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".tiny-help.lock", "tiny-help"]


def test_what_a_failed_fetch_leaves_behind_is_nothing(tmp_path: Path, tools: Path) -> None:
    write_tool(tools, "apt-get", "echo 'W: a warning' >&2; echo 'E: No candidate version found for x-uk' >&2; exit 100")
    write_tool(tools, "dpkg-deb", "exit 1")
    with pytest.raises(ArchiveError, match=r"could not fetch .*x-uk \(No candidate version found for x-uk\).*--from"):
        ensure_package("x-uk", tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".x-uk.lock"]


def test_without_package_tools_the_message_says_what_to_do(tmp_path: Path, tools: Path) -> None:
    with pytest.raises(ArchiveError, match=r"no apt-get and no dpkg-deb here.*--from"):
        download("tiny-help", tmp_path)
    write_tool(tools, "apt-get", "exit 0")
    with pytest.raises(ArchiveError, match="there is no dpkg-deb here"):
        download("tiny-help", tmp_path)


@pytest.mark.parametrize("name", ["", "-o=Dir=/x", "../x", "a/b", "Upper", "a", "x=1.0"])
def test_what_is_no_package_name_never_reaches_apt_get(tmp_path: Path, tools: Path, name: str) -> None:
    write_tool(tools, "apt-get", f"touch {tmp_path}/called")
    with pytest.raises(ArchiveError, match="is not a Debian package's name"):
        ensure_package(name, tmp_path / "cache")
    assert not (tmp_path / "called").exists()


def test_links_inside_stay_and_those_outside_go(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "folder-beside").mkdir()
    (folder / "good").symlink_to("sub")
    (folder / "sub" / "back").symlink_to("../sub")
    (folder / "parent").symlink_to("..")
    (folder / "sub" / "prefix").symlink_to("../../folder-beside")
    (folder / "loop").symlink_to("loop")
    removed = remove_escaping_links(folder)
    assert sorted(path.name for path in removed) == ["parent", "prefix"]
    assert (folder / "good").is_symlink()
    assert (folder / "sub" / "back").is_symlink()
