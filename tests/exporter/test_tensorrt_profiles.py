"""Profiles by hand, and no call of the text service outside of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.served.text.batches import CallLimits, cut_batch
from interlingua_exporter.lint.rules.profiles import parse
from interlingua_exporter.publication.tensorrt_profiles import (
    Profile,
    Shape,
    bucket_profiles,
    covering_profile,
    provider_shapes,
    trtexec_shapes,
    warmup_shapes,
)

INPUTS = ("input_ids", "attention_mask")
LIMIT = 512


def test_profiles_by_hand() -> None:
    # Budget 1024, at most 64 texts. Up to 32 tokens: 64 texts of 1 (1024 / 1, cut at 64); full at 32: 32 texts.
    # 33 to 128: 31 texts of 33 (1023 tokens); full: 8. 129 to 512: 7 of 129 (903); full: 2.
    assert bucket_profiles((32, 128, 512), 64, 1024) == (
        Profile(Shape(1, 1), Shape(32, 32), Shape(64, 32)),
        Profile(Shape(1, 33), Shape(8, 128), Shape(31, 128)),
        Profile(Shape(1, 129), Shape(2, 512), Shape(7, 512)),
    )


def test_one_text_may_be_longer_than_the_budget() -> None:
    assert bucket_profiles((64, 512), 64, 100)[1] == Profile(Shape(1, 65), Shape(1, 512), Shape(1, 512))


def test_the_covering_profile_by_hand() -> None:
    assert covering_profile(512, 128, 64, 1024) == Profile(Shape(1, 1), Shape(8, 128), Shape(64, 512))
    assert covering_profile(64, 128, 4, 1024).usual == Shape(4, 64)


def test_the_texts_of_profiles() -> None:
    profile = Profile(Shape(1, 1), Shape(8, 128), Shape(64, 512))
    assert provider_shapes(INPUTS, profile) == {
        "trt_profile_min_shapes": "input_ids:1x1,attention_mask:1x1",
        "trt_profile_opt_shapes": "input_ids:8x128,attention_mask:8x128",
        "trt_profile_max_shapes": "input_ids:64x512,attention_mask:64x512",
    }
    assert parse("input_ids:8x128,attention_mask:8x128") == {"input_ids": (8, 128), "attention_mask": (8, 128)}
    assert trtexec_shapes(("x",), [profile, profile])[4:] == [
        "--profile=1",
        "--minShapes=x:1x1",
        "--optShapes=x:8x128",
        "--maxShapes=x:64x512",
    ]


EDGES = st.lists(st.integers(1, LIMIT - 1), max_size=6, unique=True).map(lambda edges: (*sorted(edges), LIMIT))


@given(
    edges=EDGES,
    lengths=st.lists(st.integers(1, LIMIT), min_size=1, max_size=80),
    overhead=st.floats(0, 5000),
    budget=st.integers(16, 4096),
    most=st.integers(1, 80),
    lanes=st.integers(1, 4),
)
def test_no_call_of_the_service_is_outside_of_the_profiles(
    edges: tuple[int, ...], lengths: list[int], overhead: float, budget: int, most: int, lanes: int
) -> None:
    profiles = bucket_profiles(edges, most, budget)
    covering = covering_profile(LIMIT, edges[0], most, budget)
    limits = CallLimits(budget, most, lanes)
    for alone in (False, True):  # one that is alone is spread over the lanes, by a smaller budget
        for rows in cut_batch(lengths, alone=alone, overhead=overhead, limits=limits):
            longest = max(lengths[row] for row in rows)
            holders = [profile for profile in profiles if profile.holds(len(rows), longest)]
            assert len(holders) == 1, (len(rows), longest)
            assert covering.holds(len(rows), longest)


@given(edges=EDGES, budget=st.integers(16, 4096), most=st.integers(1, 80))
def test_sizes_are_in_order_and_warmups_fit(edges: tuple[int, ...], budget: int, most: int) -> None:
    profiles = bucket_profiles(edges, most, budget)
    for profile in (*profiles, covering_profile(LIMIT, edges[0], most, budget)):
        for axis in (0, 1):
            assert 1 <= profile.least[axis] <= profile.usual[axis] <= profile.largest[axis]
    shapes = warmup_shapes(edges, most, budget)
    assert {tokens for _, tokens in shapes} == set(edges)
    assert all(any(profile.holds(*shape) for profile in profiles) for shape in shapes)


@pytest.mark.parametrize("shape", [(65, 8), (1, 33), (0, 8)], ids=str)
def test_what_a_profile_does_not_hold(shape: tuple[int, int]) -> None:
    assert not bucket_profiles((32, 512), 64, 1024)[0].holds(*shape)
