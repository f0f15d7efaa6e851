"""Weight deltas: what a rank loses, what is stored how, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from interlingua.base.errors import InputError
from interlingua_exporter.models import catalog
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.models.spec import DeltaSource, ModelSpec
from interlingua_exporter.weights import delta_checkpoint, sources, weight_delta
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction.late_interaction_settings import write_settings
from tests.exporter import late_interaction_models as models

WORDS = "encoder.embeddings.word_embeddings.weight"


def base() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = {WORDS: (20, 4), "encoder.wide.weight": (12, 8), "encoder.wide.bias": (12,), "encoder.same.weight": (8, 8)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def tuned(**more: Tensor) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    state = {name: tensor.clone() for name, tensor in base().items()}
    state["encoder.wide.weight"] += 0.01 * torch.randn((12, 8), generator=generator)
    state["encoder.wide.bias"] += 1 / 3
    return state | {"projection.weight": torch.eye(4) / 3, "scale": torch.tensor(20.1)} | more


def test_what_is_stored_how() -> None:
    delta = weight_delta.extract(base(), tuned(), rank=3)
    stored = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in delta.items()}
    assert stored == {
        "encoder.wide.weight.left": ((12, 3), torch.float16),
        "encoder.wide.weight.right": ((3, 8), torch.float16),
        "encoder.wide.bias": ((12,), torch.float32),
        "projection.weight": ((4, 4), torch.float16),
        "scale": ((), torch.float32),
    }


def test_a_difference_by_hand() -> None:
    """8 times one entry: a singular value of 8, whose root both factors get."""
    changed = {"w": torch.tensor([[0.0, 8.0], [0.0, 0.0], [0.0, 0.0]])}
    delta = weight_delta.extract({"w": torch.zeros(3, 2)}, changed, rank=1)
    root = torch.tensor(8.0).sqrt().half()
    assert delta["w.left"].abs().tolist() == [[root], [0], [0]]
    assert delta["w.right"].abs().tolist() == [[0, root]]
    assert delta["w.left"][0, 0] == delta["w.right"][0, 1]  # equal signs: their product is positive


def test_full_rank_comes_back(tmp_path: Path) -> None:
    weight_delta.write(weight_delta.extract(base(), tuned(), rank=99), tmp_path / "delta.safetensors")
    back = weight_delta.apply(base(), weight_delta.read(tmp_path / "delta.safetensors"))
    assert back.keys() == tuned().keys()
    assert [path.name for path in tmp_path.iterdir()] == ["delta.safetensors"]
    for name, tensor in tuned().items():
        assert back[name].dtype == torch.float32
        torch.testing.assert_close(back[name], tensor, rtol=2**-11, atol=3e-5)
    for name in (WORDS, "encoder.same.weight", "encoder.wide.bias", "scale"):
        assert torch.equal(back[name], tuned()[name])


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), rank=st.integers(1, 9), seed=st.integers(0, 10**6))
def test_what_a_rank_loses_is_the_tail_of_the_singular_values(rows: int, columns: int, rank: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    before, after = (torch.randn((rows, columns), generator=generator) for _ in range(2))
    back = weight_delta.apply({"w": before}, weight_delta.extract({"w": before}, {"w": after}, rank=rank))
    strengths = torch.linalg.svdvals((after - before).double())
    tail = strengths[rank:].square().sum().sqrt()
    assert float((back["w"] - after).norm()) == pytest.approx(float(tail), rel=1e-3, abs=2e-3 * float(strengths[0]))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        pytest.param(tuned(**{WORDS: base()[WORDS] + 1}), "word_embeddings.weight differs from the base", id="words"),
        pytest.param(
            tuned(**{"encoder.wide.bias": torch.zeros(3)}), r"wide.bias is \[3\] in the tuned.*\[12\]", id="shape"
        ),
        pytest.param({WORDS: base()[WORDS]}, "lacks 3 tensors of its base, encoder.same.weight", id="missing"),
        pytest.param(tuned(scale=torch.tensor(torch.nan)), "scale has values that are not finite", id="not a number"),
        pytest.param(
            tuned(**{"projection.weight": torch.full((2, 2), 1e6)}),
            "projection.weight .* beyond torch.float16",
            id="fp16",
        ),
    ],
)
def test_states_without_a_delta(state: dict[str, Tensor], message: str) -> None:
    with pytest.raises(InputError, match=message):
        weight_delta.extract(base(), state, rank=2)


def test_no_rank() -> None:
    with pytest.raises(InputError, match="rank of at least 1, not 0"):
        weight_delta.extract(base(), tuned(), rank=0)


LEFT, RIGHT = "encoder.wide.weight.left", "encoder.wide.weight.right"


@pytest.mark.parametrize(
    ("delta", "message"),
    [
        pytest.param({LEFT: torch.ones(12, 2)}, "wide.weight needs both", id="left alone"),
        pytest.param({RIGHT: torch.ones(2, 8)}, "wide.weight needs both", id="right alone"),
        pytest.param(
            {LEFT: torch.ones(12, 2), RIGHT: torch.ones(2, 8), "encoder.wide.weight": torch.ones(12, 8)},
            "and nothing else",
            id="factors and the whole",
        ),
        pytest.param(
            {LEFT: torch.ones(12, 2), RIGHT: torch.ones(3, 8)}, r"\[12, 2\] times \[3, 8\]", id="ranks differ"
        ),
        pytest.param(
            {LEFT: torch.ones(12, 2), RIGHT: torch.ones(2, 9)},
            r"wide.weight is \[12, 8\] in the base, which \[12, 2\] times \[2, 9\]",
            id="columns",
        ),
        pytest.param({LEFT: torch.ones(12), RIGHT: torch.ones(8)}, r"\[12\] times \[8\]", id="vectors"),
        pytest.param(
            {"encoder.wide.bias.left": torch.ones(12, 1), "encoder.wide.bias.right": torch.ones(1, 1)},
            r"wide.bias is \[12\] in the base",
            id="factors of a vector",
        ),
        pytest.param(
            {"foreign.left": torch.ones(2, 1), "foreign.right": torch.ones(1, 2)}, "foreign has factors", id="unknown"
        ),
        pytest.param({"encoder.wide.bias": torch.ones(7)}, r"bias is \[7\], the base has \[12\]", id="whole tensor"),
    ],
)
def test_a_delta_of_another_base(delta: dict[str, Tensor], message: str) -> None:
    with pytest.raises(InputError, match=message):
        weight_delta.apply(base(), delta)


@pytest.mark.parametrize(
    "content",
    [b"", b"not safetensors at all", b"\xff" * 64],
    ids=["empty", "text", "huge header"],
)
def test_a_file_that_is_no_delta(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "delta.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"delta\.safetensors: not a readable weight delta"):
        weight_delta.read(path)
    with pytest.raises(InputError, match="not a readable weight delta"):
        weight_delta.read(tmp_path / "missing")


@pytest.mark.parametrize("tensor", [torch.tensor([torch.inf]), torch.tensor([1])], ids=["infinite", "whole numbers"])
def test_values_that_are_no_weights(tmp_path: Path, tensor: Tensor) -> None:
    save_file({"scale": tensor}, tmp_path / "delta.safetensors")
    with pytest.raises(InputError, match=r"tensor scale .* not all finite floating-point numbers"):
        weight_delta.read(tmp_path / "delta.safetensors")


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """A reranker trained from a tiny base, as the project keeps it."""
    network = models.random_reranker()
    network.encoder.encoder.layer[0].output.dense.weight.add_(0.01)  # type: ignore[union-attr, index]
    delta = weight_delta.extract(delta_checkpoint.base_state(models.random_encoder()), network.state_dict(), rank=4)
    folder = tmp_path / "artefact"
    folder.mkdir()
    weight_delta.write(delta, folder / "delta.safetensors")
    write_settings(dataclasses.replace(models.SETTINGS, base="a/base"), folder)
    return folder


def tiny_spec(artefact: Path, **changes: object) -> ModelSpec:
    values = {"id": "tiny-late", "max_tokens": models.MAX_TOKENS, "base": "a/base"} | changes
    return ModelSpec(
        id=str(values["id"]),
        role="reranker",
        source=DeltaSource("delta", str(values["base"]), artefact.name),
        pooling="none",
        head="late-interaction",
        max_tokens=int(str(values["max_tokens"])),
    )


def test_a_base_and_its_delta_are_the_reranker(
    artefact: Path, tmp_path: Path, tokenizer_json: dict[str, bytes]
) -> None:
    """Rank 1 was added, so rank 4 has all of it; the base's checkpoint is a folder of another head."""
    other = models.saved(tmp_path / "base", tokenizer_json["xlm-roberta"])
    made = delta_checkpoint.apply(
        tiny_spec(artefact),
        models.SETTINGS,
        sources.load(resolve(str(other)), Overrides()),
        weight_delta.read(artefact / "delta.safetensors"),
    )
    expected = models.random_reranker()
    expected.encoder.encoder.layer[0].output.dense.weight.add_(0.01)  # type: ignore[union-attr, index]
    ids = torch.tensor([[0, 40, 41, 2, 2, 50, 51, 52, 2]])
    torch.testing.assert_close(
        made.graph(ids, torch.ones_like(ids)), expected(ids, torch.ones_like(ids)), rtol=2e-3, atol=2e-3
    )


def test_an_artefact_of_another_model(artefact: Path) -> None:
    spec = tiny_spec(artefact, id="other", base="a/third", max_tokens=32)
    assert isinstance(spec.source, DeltaSource)
    message = "model_id 'tiny-late' instead of 'other'; base 'a/base' instead of 'a/third'; max_tokens 64 instead of 32"
    with pytest.raises(InputError, match=message):
        delta_checkpoint.load(spec, spec.source, artefact.parent)


def test_a_missing_artefact(artefact: Path, tmp_path: Path) -> None:
    spec = tiny_spec(artefact)
    assert isinstance(spec.source, DeltaSource)
    with pytest.raises(InputError, match=r"artefact in .* is missing; `make reranker`"):
        delta_checkpoint.load(spec, spec.source, tmp_path / "elsewhere")
    with pytest.raises(InputError, match="base 'a/base' is no model of the catalogue"):
        delta_checkpoint.load(spec, spec.source, artefact.parent)


def test_the_default_reranker_is_in_the_catalogue() -> None:
    spec = catalog.find("e5-small-reranker")
    assert spec is not None
    assert spec == catalog.find("interlingua/e5-small-reranker")
    assert (spec.role, spec.head, spec.pooling, spec.max_tokens) == ("reranker", "late-interaction", "none", 512)
    assert isinstance(spec.source, DeltaSource)
    assert catalog.find(spec.source.base) == catalog.find(catalog.DEFAULT_MODEL)


def test_the_revision_follows_the_artefact(artefact: Path) -> None:
    spec = tiny_spec(artefact)
    before = catalog.revision(spec, artefact.parent)
    assert len(before) == 12
    (artefact / catalog.DELTA_FILE).write_bytes(b"other weights")
    assert catalog.revision(spec, artefact.parent) != before
    (artefact / catalog.DELTA_FILE).unlink()
    assert catalog.revision(spec, artefact.parent) == ""
