"""A model's language vectors as a parameter: what goes in comes out, and what is damaged is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from interlingua.served.language_vectors import LanguageVectors, RoleVectors
from interlingua.served.service import ServiceSpec
from tests.support.written_repository import service_spec


def role(*rows: list[float]) -> RoleVectors:
    return RoleVectors.of_means(dict(zip(("en", "de", "zh-Hant"), np.array(rows, np.float32), strict=True)))


VECTORS = LanguageVectors(
    "d",
    role([0.9, 0.1, 0.0], [0.3, 0.1, 0.6], [0.3, 0.1, 0.3]),
    role([0.1, 0.0, 0.0], [0.2, 0.0, 0.0], [0.6, 0.0, 0.0]),
)


def test_means_are_told_apart_from_their_mean() -> None:
    assert VECTORS.documents.overall == pytest.approx([0.5, 0.1, 0.3])
    assert VECTORS.documents.from_overall["en"] == pytest.approx([0.4, 0.0, -0.3])
    assert VECTORS.documents.from_overall["zh-Hant"] == pytest.approx([-0.2, 0.0, 0.0])


def test_a_configuration_carries_them() -> None:
    stated = service_spec(language_vectors=VECTORS.to_text()).to_parameters(3)
    found = LanguageVectors.from_text(ServiceSpec.from_parameters(stated, 3).language_vectors)
    assert (found.digest, found.languages) == ("d", ("en", "de", "zh-Hant"))
    for before, after in ((VECTORS.documents, found.documents), (VECTORS.queries, found.queries)):
        for tag, row in before.from_overall.items():
            # A level is 1/127 of the row's largest value, and half of one is lost at most.
            np.testing.assert_allclose(after.from_overall[tag], row, atol=np.abs(row).max() / 253)


def test_a_service_that_has_none_states_nothing() -> None:
    stated = service_spec().to_parameters(1)
    assert not [key for key in stated if "language" in key]
    assert ServiceSpec.from_parameters(stated, 1).language_vectors == ""


def test_forty_languages_of_1024_numbers_are_a_small_parameter() -> None:
    rows = np.random.default_rng(0).normal(size=(43, 1024)).astype(np.float32)
    many = RoleVectors.of_means({f"a{number:02}": row for number, row in enumerate(rows)})
    assert len(LanguageVectors("d", many, many).to_text()) < 130_000


def test_they_are_of_one_model() -> None:
    assert VECTORS.fit("d", 3)
    assert not VECTORS.fit("another", 3)
    assert not VECTORS.fit("d", 4)
    assert not LanguageVectors("d", VECTORS.documents, role([np.inf, 0, 0], [0, 0, 0], [0, 0, 0])).fit("d", 3)


def damaged(**changes: object) -> str:
    stated = json.loads(VECTORS.to_text())
    return json.dumps({**stated, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        VECTORS.to_text()[:-20],
        damaged(languages=["en", "de"]),
        damaged(documents={"scales": [1.0, 1.0, 1.0, 1.0], "rows": "no base64"}),
        damaged(documents={"scales": ["a", 1, 1, 1], "rows": "AAAA"}),
        damaged(queries=None),
    ],
    ids=["empty", "a list", "null", "cut short", "a language less", "no base64", "no number", "one role"],
)
def test_what_is_damaged_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no language vectors"):
        LanguageVectors.from_text(text)
