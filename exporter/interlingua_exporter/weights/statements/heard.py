"""What is left of a folder's remarks when the user's words and the entry's have been heard.

Layout, Overrides, ModelSpec --heard--> Remarks that nobody settled
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.weights.statements.remark import Remark, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_exporter.models.spec import Head, ModelSpec
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.statements.sentence_layout import Layout


def heard(layout: Layout, head: Head, chosen: Overrides, entry: ModelSpec | None) -> tuple[Remark, ...]:
    """The folder's remarks, without those about what somebody said, and those that follow from what was said."""
    settled = {topic for topic, said in _said(head, chosen, entry).items() if said}
    left = (remark for remark in layout.remarks if remark.topic not in settled)
    return (*left, *_of_prompts(layout, head, chosen, entry))


def _said(head: Head, chosen: Overrides, entry: ModelSpec | None) -> dict[Topic, bool]:
    reranker = head != "none"
    prompts = chosen.query_prompt is not None and chosen.document_prompt is not None
    return {
        "window": chosen.max_tokens is not None,
        "pooling": chosen.pooling is not None or reranker,
        "prompts": prompts or reranker,
        "texts": entry is not None and bool(entry.pair_template if reranker else entry.query_template),
        "modules": entry is not None,
    }


def _of_prompts(layout: Layout, head: Head, chosen: Overrides, entry: ModelSpec | None) -> Iterator[Remark]:
    facts = layout.embedding
    if head != "none":
        if facts.default_prompt and layout.chat is None and not (entry and entry.pair_template):
            yield Remark(
                f"its default prompt {facts.default_prompt!r} goes before the query of every pair, and pairs have no "
                "prompt here: give a catalogue entry with a pair_template (docs/models.md)",
                refused=True,
            )
        return
    if layout.chat is not None and not (entry and entry.query_template):
        why = "its texts go through a chat template, and no catalogue entry has it as query_template"
        yield Remark(why, refused=True)
    prompts = (
        facts.query_prompt if chosen.query_prompt is None else chosen.query_prompt,
        facts.document_prompt if chosen.document_prompt is None else chosen.document_prompt,
    )
    if any(prompts) and not facts.prompt_pooled and chosen.pooling is None:
        yield Remark(
            "its pooling leaves the prompt's tokens out (include_prompt), which cannot be exported: --query-prompt '' "
            "and --document-prompt '' go without prompts, --pooling pools them, too",
            refused=True,
        )
