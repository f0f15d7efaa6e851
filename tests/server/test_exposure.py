"""What `--host` opens, and with what it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import ServerError
from interlingua_server.exposure import exposed, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost"])
def test_loopback_opens_nothing(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    assert exposed(host, tmp_path) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "a-name"])  # noqa: S104
def test_what_is_opened_is_said(tmp_path: Path, host: str) -> None:
    line = exposed(host, tmp_path)
    assert line.startswith(f"open to whoever reaches {host}: inference")
    assert "HTTP stays on this machine" in line


@pytest.mark.parametrize("place", ["", "embedder", "embedder/1"])
def test_a_repository_that_everybody_may_write_is_refused(tmp_path: Path, place: str) -> None:
    models = tmp_path / "models"
    (models / "embedder" / "1").mkdir(parents=True)
    (models / place).chmod(0o777)
    assert exposed("127.0.0.1", models) == ""
    with pytest.raises(ServerError, match=r"every user of this machine may write.*chmod -R o-w"):
        exposed("0.0.0.0", models)  # noqa: S104
