"""Systems by name: what is read is what is written, and what makes no sense is refused."""

from __future__ import annotations

import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.systems.system_name import SystemName


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("bm25", SystemName(first="bm25")),
        ("dense+offsets", SystemName(first="dense", offsets=True)),
        ("hybrid+offsets+rerank@50", SystemName(first="hybrid", offsets=True, depth=50)),
        (
            "dense+offsets+quota+rerank@20@0.5",
            SystemName(first="dense", offsets=True, quota=True, depth=20, weight=0.5),
        ),
        ("dense+calibration", SystemName(first="dense", calibration=True)),
        ("dense+offsets+rerank@50+4bit-128", SystemName(first="dense", offsets=True, depth=50, form="4bit-128")),
        ("bm25+rerank@50@0.5+int8", SystemName(first="bm25", depth=50, weight=0.5, form="int8")),
    ],
)
def test_a_name_is_read_and_written(name: str, system: SystemName) -> None:
    assert SystemName.parse(name) == system
    assert str(system) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lexical", "'lexical' is none of bm25, dense, hybrid"),
        ("dense+offset", "'offset' is none of passages, offsets"),
        ("dense+rerank@0", "not rerank@DEPTH"),
        ("dense+rerank@20@1.5", "a weight from 0 to 1"),
        ("dense+rerank@many", "not rerank@DEPTH"),
        ("dense+rerank@20@0.5@1", "not rerank@DEPTH"),
        ("bm25+offsets", "BM25 has no vectors"),
        ("bm25+passages", "BM25 has no vectors"),
        ("dense+quota", "a quota shares out"),
        ("dense+offsets+4bit", "4bit is a form of what a reranker compares"),
        ("dense+rerank@50+2bit", "'2bit' is none of passages, offsets, .*, rerank@DEPTH, 4bit, 4bit-128, int8"),
        ("hybrid+quota+rerank@20", "a quota shares out"),
        ("dense+offsets+codes", "codes adds to the dense candidates"),
        ("hybrid+codes+rerank@20", "codes adds to the dense candidates"),
    ],
)
def test_what_is_no_system_is_refused(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        SystemName.parse(name)


def test_a_system_without_its_reranker() -> None:
    assert SystemName.parse("dense+offsets+rerank@20@0.5+4bit").before_reranking == SystemName(
        first="dense", offsets=True
    )
