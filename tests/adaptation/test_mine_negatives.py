"""Which neighbours become negatives."""

from __future__ import annotations

from interlingua_adaptation.corpus_step.section import Section
from interlingua_adaptation.mining.mine_negatives import NegativeChoice

RANKED = [f"g{rank:02}" for rank in range(1, 31)]
SECTIONS = {
    name: Section(name, "en", f"About {name}", f"What there is to say about {name}.") for name in [*RANKED, "a"]
}


def choice(sections: dict[str, Section] = SECTIONS, *, seed: int = 0, alike: tuple[str, ...] = ()) -> NegativeChoice:
    """Everything is at cosine 0.9, but those `alike` at 0.98."""
    return NegativeChoice(sections, lambda _, other: 0.98 if other in alike else 0.9, number=7, seed=seed)


def test_four_of_the_nearest_ten_and_three_of_the_next_twenty() -> None:
    chosen = choice().choose("q", "a", RANKED).groups
    assert len([group for group in chosen if group in RANKED[:10]]) == 4
    assert len([group for group in chosen if group in RANKED[10:]]) == 3
    assert chosen == sorted(chosen)  # the nearest first


def test_the_choice_depends_on_seed_and_query_alone() -> None:
    assert choice().choose("q", "a", RANKED) == choice().choose("q", "a", RANKED)
    assert choice().choose("q", "a", RANKED) != choice(seed=1).choose("q", "a", RANKED)
    assert choice().choose("q", "a", RANKED) != choice().choose("other", "a", RANKED)


def test_the_own_group_is_neither_chosen_nor_counted() -> None:
    assert choice().choose("q", "a", ["g01", "a", "g02"]) == (["g01", "g02"], 0)


def test_where_there_are_few_all_are_taken() -> None:
    assert choice().choose("q", "a", RANKED[:5]).groups == RANKED[:5]
    assert choice().choose("q", "a", RANKED[:8]).groups == sorted(choice().choose("q", "a", RANKED[:8]).groups)
    assert len(choice().choose("q", "a", RANKED[:8]).groups) == 7
    assert len(choice().choose("q", "a", RANKED[:11]).groups) == 7
    assert choice().choose("q", "a", []) == ([], 0)


def test_what_the_network_cannot_tell_apart_is_left_out_and_counted() -> None:
    assert choice(alike=("g01", "g03")).choose("q", "a", RANKED[:4]) == (["g02", "g04"], 2)


def test_the_same_heading_is_left_out() -> None:
    sections = {**SECTIONS, "g02": Section("g02", "en", "ABOUT  a:", "Another text altogether.")}
    assert choice(sections).choose("q", "a", RANKED[:3]) == (["g01", "g03"], 1)


def test_two_sections_without_a_heading_do_not_have_the_same_one() -> None:
    sections = {name: Section(name, "en", "", f"What there is to say about {name}.") for name in ("a", "g01")}
    assert choice(sections).choose("q", "a", ["g01"]) == (["g01"], 0)


def test_a_text_that_contains_the_other_is_left_out() -> None:
    longer = Section("g01", "en", "Longer", f"First of all. {SECTIONS['a'].text} And so on.")
    shorter = Section("g02", "en", "Shorter", "there is to say about a.")
    trifle = Section("g03", "en", "Trifle", "about a")
    sections = {**SECTIONS, "g01": longer, "g02": shorter, "g03": trifle}
    assert choice(sections).choose("q", "a", RANKED[:3]) == (["g03"], 2)
