"""A tiny random model of each architecture class: folder -> graph -> ONNX, against transformers alone.

BERT's and XLM-R's plain encoders and classifiers of one logit are in test_exported_networks.py. The gate of each case
is passed in end_to_end/test_every_class.py, and of each class in test_dummy_weights.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interlingua_exporter.models.exportable import TESTED_CLASSES
from interlingua_exporter.precision.build import build
from interlingua_exporter.weights import checkpoint_folder
from tests.support.architecture_classes import CASES, Exported, plain_transformers
from tests.support.architecture_models import VOCABULARY, save


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def exported(
    request: pytest.FixtureRequest, tokenizer_json: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    tiny, overrides = request.param
    scratch = tmp_path_factory.mktemp("classes")
    folder = save(tiny, scratch / "tiny", tokenizer_json)
    checkpoint = checkpoint_folder.load(folder, overrides=overrides)
    return Exported(tiny, folder, checkpoint, build(checkpoint, "fp32", scratch).network)


def test_it_is_what_transformers_computes(exported: Exported) -> None:
    for text in (exported.texts[0], exported.texts[-2], exported.texts[-1]):
        expected = plain_transformers(exported, text)
        np.testing.assert_allclose(exported.answers([text])[0], expected, rtol=1e-3, atol=1e-4)


def test_an_answer_is_the_same_alone_and_padded_on_either_side(exported: Exported) -> None:
    alone = np.concatenate([exported.answers([text]) for text in exported.texts])
    # An encoder's first token is what its positions count from: it is never padded on the left.
    sides = ("right",) if exported.tiny.family in ("Bert", "XLMRoberta") else ("right", "left")
    assert len({len(row) for row in exported.encoder("right").encode(exported.texts)}) > 3
    for side in sides:
        together = exported.answers(exported.texts, side)
        np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(exported.answers(exported.texts[::-1], side)[::-1], alone, rtol=1e-3, atol=1e-4)


def test_the_graph_has_no_product_as_wide_as_the_vocabulary(exported: Exported) -> None:
    import onnx

    graph = onnx.load(exported.network / "model.onnx", load_external_data=False).graph
    assert [entry.name for entry in graph.output] == [exported.checkpoint.output]
    wide = {entry.name for entry in graph.initializer if VOCABULARY in entry.dims}
    used = {node.op_type for node in graph.node for name in node.input if name in wide}
    assert used == {"Gather"}


def test_the_classes_that_count_as_tested_are_these(make_folder: Callable[..., Path]) -> None:
    elsewhere = [make_folder(family, labels=labels) for family in ("bert", "xlm-roberta") for labels in (None, 1)]
    named = {json.loads((folder / "config.json").read_text())["architectures"][0] for folder in elsewhere}
    assert named | {tiny.kind for tiny, _ in CASES.values()} == set(TESTED_CLASSES)
