"""Networks that several files look at: exporting one takes seconds, so each is exported once."""

from __future__ import annotations

import pytest

from tests.exporter.half_networks import Networks


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Networks:
    """Nobody writes into their folders."""
    return Networks(tmp_path_factory.mktemp, tokenizer_json)
