"""The wheel, built and installed into an empty virtual environment, which sees nothing else of the project.

pyproject.toml --pip wheel--> interlingua-*.whl --pip install--> VENV/lib/.../site-packages, beside what we depend on
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from interlingua.base.paths import PROJECT_ROOT

_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def build_wheel(folder: Path) -> None:
    """Builds it into a folder, from the checkout."""
    wheel = [*_PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*wheel, str(PROJECT_ROOT)], check=True, cwd=folder)


@dataclass(frozen=True)
class InstalledWheel:
    """An environment with the wheel.

    Attributes:
        site: where the packages are.
    """

    python: Path
    site: Path

    @classmethod
    def install(cls, wheel: Path, folder: Path) -> InstalledWheel:
        """Install it into a new environment in `folder`."""
        venv.create(folder, symlinks=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        # A path in a .pth file is looked into, but no .pth file there is followed: not the checkout's own either.
        (site / "dependencies.pth").write_text(str(Path(platformdirs.__file__).parents[1]))
        python = folder / "bin" / "python"
        install = [*_PIP, "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
        subprocess.run(install, check=True)
        return cls(python, site)

    def run(self, *arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run `python ...` in a folder; what is made lies in `data` below it."""
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [str(self.python), *map(str, arguments)],
            cwd=folder,
            env=variables | {"XDG_DATA_HOME": str(folder / "data")},
            capture_output=True,
            text=True,
            check=False,
        )
