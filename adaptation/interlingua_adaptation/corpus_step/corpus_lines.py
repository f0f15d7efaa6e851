"""The user's own corpus --> sections.

    JSON lines as `interlingua index` reads them, with an optional "group" --> Section

Lines of one group are translations of each other. A line without a group is a group of its own, named by its id:
so a translation may also name the id of the document it translates.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from interlingua_adaptation.corpus_step.section import Section
from interlingua_client.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_client.document import Document


class GroupedCorpus(Corpus):
    """A corpus whose lines may name a group.

    Attributes:
        groups: by document id.
    """

    groups: dict[str, str]

    def sections(self) -> Iterator[Section]:
        """The documents as sections.

        Raises:
            InputError: the input cannot be read, or lines are bad; the message names them all.
        """
        self.groups = {}
        for document in self:
            yield Section(self.groups[document.id], document.language, document.title, document.text)

    def _document(self, line: bytes, number: int) -> Document:
        document = super()._document(line, number)
        self.groups[document.id] = _group(json.loads(line.decode("utf-8-sig")), document.id)
        return document


def _group(fields: dict[str, object], document_id: str) -> str:
    value = fields.get("group")
    if value is None:
        return document_id
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError("`group` must be a string that is not empty")
    return str(value)
