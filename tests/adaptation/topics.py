"""Sections of which it is known which are alike, for the hash embedder: a text is the sum of its words."""

from __future__ import annotations

from interlingua_adaptation.corpus_step.section import Section

TOPICS = 40

FRAMES = {
    "en": ("About {topic}", "Here we ask {first} of them. Then there are {rest} that follow. At last {all} come."),
    "fr": ("Sujet {topic}", "On demande {first} parmi eux. Puis il y a {rest} qui suivent. Enfin {all} viennent."),
}


def make_sections() -> list[Section]:
    """Forty topics in two languages; a topic shares half of its words with the next one.

    topic-02 has the words of topic-01, in another order.
    """
    return [_section(topic, language) for topic in range(TOPICS) for language in FRAMES]


def _section(topic: int, language: str) -> Section:
    words = [f"word{3 * (1 if topic == 2 else topic) + n:03}" for n in range(6)]
    if topic == 2:
        words = [*words[2::-1], *words[:2:-1]]
    title, text = FRAMES[language]
    text = text.format(first=" ".join(words[:3]), rest=" ".join(words[3:]), all=" ".join(words))
    return Section(f"topic-{topic:02}", language, title.format(topic=f"topic{topic:02}"), text)
