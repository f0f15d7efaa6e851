"""Which head a folder's model is read with.

the user's --head | the catalogue entry's | what the folder's class says --choose_head--> Head
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua_exporter.models.spec import Head, ModelSpec
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.statements.sentence_layout import Layout

# What Qwen3-Reranker and zerank answer with; others have to say it.
USUAL_TOKENS: dict[Head, tuple[str, ...]] = {"yes-no": ("yes", "no"), "yes": ("Yes",)}

_LABELS: dict[Head, int] = {"classifier": 1, "class-difference": 2}


def choose_head(name: str, layout: Layout, chosen: Overrides, entry: ModelSpec | None) -> Head:
    """The head; `none` for an embedder.

    Raises:
        InputError: the folder does not say what it is, or its class or labels are not those of the head.
    """
    wanted = chosen.head or (entry.head if entry else None)
    if wanted is None or wanted == "none":
        return _own_head(name, layout, settled=wanted is not None or chosen.pooling is not None)
    if faults := _misfits(wanted, layout):
        raise InputError(f"{name}: the head {wanted} {faults}")
    return wanted


def score_words(
    head: Head, chosen: Overrides, entry: ModelSpec | None, folders: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The score tokens of a causal model's head; empty for any other.

    Args:
        folders: those that the folder's own LogitScore names.

    Raises:
        InputError: too many or too few of them.
    """
    if head not in USUAL_TOKENS:
        if chosen.score_tokens:
            raise InputError(
                f"score tokens ({', '.join(chosen.score_tokens)}) are of the heads {', '.join(USUAL_TOKENS)}"
            )
        return ()
    usual = USUAL_TOKENS[head]
    stated = entry.score_tokens if entry and entry.head == head else ()
    words = chosen.score_tokens or stated or (folders if len(folders) == len(usual) else usual)
    if len(words) != len(usual):
        count = "one score token" if len(usual) == 1 else "two score tokens, the one of a good pair first"
        raise InputError(f"the head {head} takes {count}, and there are {len(words)}: {', '.join(words)}")
    return words


def _own_head(name: str, layout: Layout, *, settled: bool) -> Head:
    """What class and modules say. A causal model's class says nothing unless somebody calls it an embedder."""
    if layout.logit_tokens and not settled:
        return "yes-no" if len(layout.logit_tokens) > 1 else "yes"
    if layout.labels:
        if layout.labels == 1:
            return "classifier"
        ways = "give --head class-difference for the second logit minus the first" if layout.labels == 2 else ""
        raise InputError(
            f"{name}: a classifier with {layout.labels} labels; a reranker has one logit (num_labels 1)"
            f"{'; or ' * bool(ways)}{ways}"
        )
    if layout.causal and not layout.modules and not settled:
        raise InputError(
            f"{name} is a causal language model ({layout.architecture}), and its folder does not say what for: give "
            "--pooling last for an embedder, --head yes-no or --head yes with its --score-token for a reranker, or a "
            "catalogue entry (docs/models.md)"
        )
    return "none"


def _misfits(head: Head, layout: Layout) -> str:
    """Why the folder's class cannot have the head, "" where it can."""
    held = layout.architecture or "a model of no stated class"
    if head in USUAL_TOKENS:
        return "" if layout.causal else f"is of a causal language model, and the folder holds {held}"
    if head not in _LABELS:
        return "cannot be read from a folder in transformers layout"
    if layout.own_code and not layout.labels:
        return ""  # a class of its own may have any name; transformers loads it as a classifier or says why not
    if not layout.labels:
        return f"is of a sequence classifier, and the folder holds {held}"
    count = _LABELS[head]
    return "" if layout.labels == count else f"has {count} label{'s' * (count > 1)}, and the folder's {layout.labels}"
