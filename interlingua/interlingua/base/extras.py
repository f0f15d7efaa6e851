"""The extras of pyproject.toml: what each brings, as the installed metadata has it, and how to get it.

importlib.metadata --packages_of--> names to import --find_spec--> what is missing --> one message with a command
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from interlingua.base.errors import InputError
from interlingua.base.paths import PROJECT_ROOT

if TYPE_CHECKING:
    from types import ModuleType

_PROJECT = "interlingua"
_IMPORTED_AS = {
    "beautifulsoup4": "bs4",
    "hdrhistogram": "hdrh",
    "pystemmer": "Stemmer",
    "python-frontmatter": "frontmatter",
}
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*;\s*extra == ['\"](.+)['\"]")


def packages_of(extra: str) -> tuple[str, ...]:
    """The names under which what an extra brings is imported; () where this is not installed at all."""
    return tuple(sorted(name for name, of in _requirements() if of == extra))


def _extras() -> tuple[str, ...]:
    """All of them."""
    return tuple(dict.fromkeys(extra for _, extra in _requirements()))


def _requirements() -> list[tuple[str, str]]:
    """Packages as they are imported, each with an extra that brings it; () where this is not installed at all."""
    try:
        lines = importlib.metadata.requires(_PROJECT) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = [match.groups() for line in lines if (match := _REQUIREMENT.fullmatch(line))]
    return [(_IMPORTED_AS.get(name.lower(), name.replace("-", "_")), extra) for name, extra in found]


def require(extra: str, *packages: str, used_for: str = "this") -> None:
    """Refuse to go on without an extra, or without those of its packages that are named.

    They are looked for, not imported: importing Locust patches the process.

    Raises:
        InputError: some are missing; the message names them and the command that installs them.
    """
    if missing := [name for name in packages or packages_of(extra) if importlib.util.find_spec(name) is None]:
        raise InputError(f"{used_for} needs {', '.join(missing)}: {install_command(extra)}")


def load(extra: str, package: str, used_for: str) -> ModuleType:
    """Import a package of an extra on first use. Raises InputError as `require`."""
    require(extra, package, used_for=used_for)
    return importlib.import_module(package)


def missing_package(error: ModuleNotFoundError) -> InputError | None:
    """What to tell of an import that failed for want of an extra; None: no extra brings the package."""
    package = (error.name or "").partition(".")[0]
    bringing = [extra for extra in _extras() if package in packages_of(extra)]
    if not bringing:
        return None
    return InputError(
        f"this needs {package}: {install_command(min(bringing, key=lambda extra: len(packages_of(extra))))}"
    )


def install_command(extra: str) -> str:
    """What installs an extra beside what there is: PyPI has no package of this name."""
    if (PROJECT_ROOT / "pyproject.toml").is_file():
        place = "." if Path.cwd() == PROJECT_ROOT else PROJECT_ROOT
        return f"pip install -e '{place}[{extra}]'"
    return f"pip install '{_wheel()}[{extra}]'"


def _wheel() -> str:
    """The file that was installed (PEP 610); its usual name where the installer did not write it down."""
    try:
        distribution = importlib.metadata.distribution(_PROJECT)
    except importlib.metadata.PackageNotFoundError:
        return "interlingua.whl"
    url = urlsplit(json.loads(distribution.read_text("direct_url.json") or "{}").get("url", ""))
    if url.scheme == "file":
        return unquote(url.path)
    return f"{_PROJECT}-{distribution.version}-py3-none-any.whl"
