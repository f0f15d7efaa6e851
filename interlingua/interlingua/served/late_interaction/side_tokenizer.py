"""A side's texts to rows: which ids are computed, which of them are seen by the others, whose vectors count.

    text --prompt; the tokenizer; the cut; the marker--> ids --expansion--> SideRow(ids, attended, kept)

    [CLS] [Q] where ? [SEP] [MASK] [MASK]      a query of seven, expanded: 5 or 7 attended, all 7 kept
    [CLS] [D] here . [SEP]                     a document, "." skipped: places 0, 1, 2 and 4 kept

The network's answer to a row has a vector for every place; those of `kept` are the text's, in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.served.text.tokenizer import SideRow, TextTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Encoding

    from interlingua.served.late_interaction.sides import SideRules
    from interlingua.served.text.sealed import SealedTokenizers
    from interlingua.served.text.tokenizer import Text


class SideTokenizer(TextTokenizer):
    """A tokenizer with what one side does to a text."""

    def __init__(self, tokenizers: SealedTokenizers, side: SideRules) -> None:
        """Raises ValueError: prompt and marker leave no room for a text."""
        tokenizer, (self._prompt,) = tokenizers.of([side.prompt])
        super().__init__(tokenizer, side.max_tokens)
        self._side = side
        self._skipped = frozenset(side.skipped_ids)
        if (taken := self.count([""])[0]) >= side.max_tokens:
            raise ValueError(
                f"what stands around a text has {taken} tokens of at most {side.max_tokens}, which leaves it none"
            )

    def whole(self, text: Text) -> Text:
        if not isinstance(text, str):
            raise TypeError("a side takes single texts, not pairs")
        framed = self._prompt + text
        if self._side.part == "alone":
            return framed
        return (framed, "") if self._side.part == "query" else ("", framed)

    def _kept(self, text: Text, encoding: Encoding) -> SideRow:  # noqa: ARG002 - the cut needs no second look
        side = self._side
        every = encoding.ids  # each look at them makes the list anew
        ids = [every[place] for place in self._cut(encoding)]
        if side.marker_id is not None:
            ids.insert(1, side.marker_id)
        attended = len(ids)
        if side.expansion:
            ids += [side.expansion.token_id] * (side.expansion.length - attended)
            attended = len(ids) if side.expansion.attended else attended
        kept = tuple(place for place, number in enumerate(ids) if number not in self._skipped)
        return SideRow(tuple(ids), (0,) * len(ids), attended, kept)

    def _length(self, encoding: Encoding) -> int:
        return len(self._places(encoding)) + (self._side.marker_id is not None)

    def _read_characters(self, text: str) -> int:
        (encoding,) = self.tokenizer.encode_batch([self.whole(text)])
        special, offsets = encoding.special_tokens_mask, encoding.offsets
        ends = (offsets[place][1] for place in self._cut(encoding) if not special[place])
        return max(max(ends, default=0) - len(self._prompt), 0)

    def _places(self, encoding: Encoding) -> Sequence[int]:
        """The side's own tokens."""
        if self._side.separator_id is None:
            return range(len(encoding))
        after = encoding.ids.index(self._side.separator_id) + 1
        return range(after) if self._side.part == "query" else range(after, len(encoding))

    def _cut(self, encoding: Encoding) -> Sequence[int]:
        """The tokens that are computed: the end of a long text is left out, never what the tokenizer puts around it."""
        places = self._places(encoding)
        excess = self._length(encoding) - self.max_tokens
        if excess <= 0:
            return places
        special = encoding.special_tokens_mask
        content = [place for place in places if not special[place]]
        left_out = set(content[max(len(content) - excess, 0) :])
        return [place for place in places if place not in left_out]
