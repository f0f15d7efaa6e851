"""The user's own corpus --> sections.

    JSON lines as `interlingua index` reads them, with an optional "group" --> Section

Lines of one group are translations of each other. A line without a group is a group of its own, named by its id:
so a translation may also name the id of the document it translates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_adaptation.corpus_step.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_client.corpus import GroupedCorpus


def sections_of(corpus: GroupedCorpus) -> Iterator[Section]:
    """The documents as sections.

    Raises:
        InputError: the input cannot be read, or lines are bad; the message names them all.
    """
    for document in corpus:
        group = corpus.groups.get(document.id, document.id)
        yield Section(group, document.language, document.title, document.text)
