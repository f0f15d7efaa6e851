"""Where the server and the index are, for those who do not want to say it every time.

interlingua.toml (in the working directory, or --config FILE): server = "...", index = "..."
what a command takes: its flag, else INTERLINGUA_SERVER or INTERLINGUA_INDEX, else the file, else the default
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import InputError

DEFAULT_FILE = Path("interlingua.toml")
_KEYS = ("index", "server")


@dataclass(frozen=True)
class ConfigFile:
    """A file that was read.

    Attributes:
        server: as `ServerAddress.parse` reads it; None where the file does not say it.
        index: a folder, relative ones from the file's own; None where the file does not say it.
    """

    path: Path
    server: str | None = None
    index: str | None = None

    @classmethod
    def read(cls, path: Path) -> ConfigFile:
        """Read a file.

        Raises:
            InputError: it cannot be read, is no TOML, or has a key that is none or a value that is no text.
        """
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:  # also of what is not UTF-8
            raise InputError(f"{path} is no TOML: {error}") from error
        wrong = [f"`{key}` is no key of it" for key in said if key not in _KEYS]
        wrong += [
            f"`{key}` is {said[key]!r}, it must be a text"
            for key in _KEYS
            if key in said and not (isinstance(said[key], str) and said[key].strip())
        ]
        if wrong:
            raise InputError(f"{path}: {'; '.join(wrong)} (it may have {' and '.join(_KEYS)})")
        index: str | None = said.get("index")
        return cls(path, said.get("server"), index and str(path.parent / Path(index).expanduser()))

    @classmethod
    def found(cls, given: Path | None) -> ConfigFile | None:
        """The file that was given, or the one of the working directory; None where there is none. Raises as `read`."""
        if given is not None:
            return cls.read(given)
        return cls.read(DEFAULT_FILE) if DEFAULT_FILE.exists() else None
