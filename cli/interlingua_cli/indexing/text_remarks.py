"""What should be known of the texts of a corpus, noticed while they go by.

documents --watched--> the same documents; counts of tags of HTML, doubled texts, long ones, scripts nobody can read
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from interlingua.base.counted import counted
from interlingua.served.scripts import unknown_scripts
from interlingua.served.text.normal_form import normal_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from interlingua_client.document import Document

LONG_TOKENS = 512  # what most embedders read
# XLM-R on helpdesk12: from 3.8 bytes a token (Swahili) to 8.4 (Hindi), 5.0 over all twelve languages.
BYTES_A_TOKEN = 5
_TAG = re.compile(
    r"<(/?)(?:a|abbr|b|blockquote|br|code|div|em|font|h[1-6]|i|img|li|ol|p|pre|script|span|strong|style|table|tbody|td"
    r"|th|tr|u|ul)(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot);",
    re.IGNORECASE,
)
_FEW_TAGS = 2  # one may be what the text is about


@dataclass
class TextRemarks:
    """Counts, filled while documents go by.

    Attributes:
        html: documents with tags or entities of HTML in their texts; `html_example` is the first one's id.
        doubled: documents with the title and text of one before; `doubled_example` are the first two ids.
        long: documents of more than about 512 tokens, by their bytes.
        scripts: documents by a script that the embedder's tokenizer knows nothing of, where its scripts are known.
        is_split: whether long documents are split, so that their ends are read.
    """

    known_scripts: Collection[str] = ()
    is_split: bool = False
    _: KW_ONLY
    html: int = 0
    html_example: str = ""
    doubled: int = 0
    doubled_example: tuple[str, str] | None = None
    long: int = 0
    scripts: Counter[str] = field(default_factory=Counter)
    _seen: dict[bytes, str] = field(default_factory=dict)

    def noticing_html(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The documents; those with tags are counted."""
        for document in documents:
            self._notice_html(document)
            yield document

    def watched(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The documents; everything is counted."""
        for document in self.noticing_html(documents):
            text = normal_form(document.passage)
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            before = self._seen.setdefault(digest, document.id)
            if before != document.id:
                self.doubled += 1
                self.doubled_example = self.doubled_example or (before, document.id)
            self.long += len(text.encode()) > LONG_TOKENS * BYTES_A_TOKEN
            if self.known_scripts:
                self.scripts.update(unknown_scripts(document.passage, self.known_scripts))
            yield document

    def sentences(self) -> list[str]:
        """What there is to say."""
        said = []
        if self.html:
            said.append(
                f"{counted(self.html, 'document')} with tags of HTML in the text ({self.html_example}, say): they are "
                "embedded as words. `interlingua convert` takes them out"
            )
        if self.doubled_example:
            first, second = self.doubled_example
            said.append(f"{counted(self.doubled, 'document')} with the text of another ({second} has {first}'s, say)")
        if self.long and not self.is_split:
            said.append(
                f"{counted(self.long, 'document')} of more than about {LONG_TOKENS} tokens (of {BYTES_A_TOKEN} bytes): "
                "without --passage-tokens their ends are not read"
            )
        for script, count in self.scripts.most_common():
            said.append(f"{counted(count, 'document')} in {script.capitalize()}, which the model cannot read")
        return said

    def _notice_html(self, document: Document) -> None:
        found = _TAG.findall(document.text)
        if len(found) >= _FEW_TAGS:
            self.html += 1
            self.html_example = self.html_example or document.id
