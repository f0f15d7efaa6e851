"""Files of Debian packages, as data: downloaded by apt-get, unpacked by dpkg-deb, never installed, never run.

    ensure_package("gnome-user-docs"): in the cache? ------------------------------------> folder
                          | no                                                               ^
                          apt-get download -> dpkg-deb -x, beside -> links checked -> rename

apt-get compares the archive's signed checksums. `dpkg-deb -x` keeps members inside its folder; links that would lead
out of it are removed here. Where there is no apt-get, or no such package, a folder with the same layout serves.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from interlingua.base.cached_folder import cached_folder
from interlingua.base.errors import ArchiveError
from interlingua.base.paths import cache_dir

_TOOLS = ("apt-get", "dpkg-deb")
_MAX_UNPACKED_BYTES = 2_000_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")  # Debian Policy Manual, 5.6.1


def ensure_package(name: str, root: Path | None = None) -> Path:
    """The folder of an unpacked package (`usr/...` lies in it); downloads it once.

    Safe to call from several processes at once: the first one works, the others wait.

    Args:
        root: the cache's folder for packages; None for `debian/` in the user's cache.

    Raises:
        ArchiveError: no package tools, no such package, no network, or a package that does not unpack.
    """
    if not _NAME.fullmatch(name):
        raise ArchiveError(f"{name!r} is not a Debian package's name")
    root = cache_dir() / "debian" if root is None else root
    return cached_folder(root, name, lambda scratch, staged: unpack(download(name, scratch), staged))


def download(name: str, folder: Path) -> Path:
    """Fetch a package's file into a folder.

    Raises:
        ArchiveError: there is no apt-get or dpkg-deb here, or apt-get has no such package or cannot fetch it.
    """
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        raise ArchiveError(
            f"the Debian package {name} cannot be fetched: there is no {' and no '.join(missing)} here. Unpack it "
            "elsewhere (`dpkg-deb -x FILE.deb FOLDER`), and name the folder with --from."
        )
    # The user apt-get drops to (_apt) may not write here; it says so in a warning and fetches all the same.
    done = _run(["apt-get", "download", "--quiet", name], folder)
    files = sorted(folder.glob("*.deb"))
    if done.returncode or not files:
        raise ArchiveError(
            f"apt-get could not fetch the Debian package {name} ({_reason(done)}). Renew its lists with "
            "`apt-get update`, or unpack the package from elsewhere and name the folder with --from."
        )
    return files[0]


def unpack(package: Path, folder: Path) -> None:
    """Unpack a `.deb` into a folder that does not exist yet, and take out links that lead outside.

    Raises:
        ArchiveError: it is no Debian package, it is damaged, or it holds more than 2 GB.
    """
    if (size := unpacked_bytes(package)) > _MAX_UNPACKED_BYTES:
        raise ArchiveError(f"{package.name} unpacks to {size} bytes, more than {_MAX_UNPACKED_BYTES}; refused")
    done = _run(["dpkg-deb", "--extract", str(package), str(folder)], package.parent)
    if done.returncode:
        raise ArchiveError(f"{package.name} cannot be unpacked: {_reason(done)}")
    remove_escaping_links(folder)


def unpacked_bytes(package: Path) -> int:
    """What the package says that it holds: its `Installed-Size`, in KiB; 0 where it does not say."""
    done = _run(["dpkg-deb", "--field", str(package), "Installed-Size"], package.parent)
    return 1024 * int(done.stdout) if done.stdout.strip().isdecimal() else 0


def remove_escaping_links(folder: Path) -> list[Path]:
    """Remove symbolic links that point outside the folder; they are returned.

    A package's links are meant for an installed system: `/usr/share/x` in one of them is this machine's own file.
    """
    inside = folder.resolve()
    links = [path for path in folder.rglob("*") if path.is_symlink()]
    escaping = [link for link in links if not _target(link).is_relative_to(inside)]
    for link in escaping:
        link.unlink()
    return escaping


def _target(link: Path) -> Path:
    try:
        return link.resolve()
    except (OSError, RuntimeError):  # a loop of links; it leads nowhere
        return link.parent.resolve() / link.name


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("W:")]
    return lines[0].removeprefix("E:").strip() if lines else f"exit code {done.returncode}"
