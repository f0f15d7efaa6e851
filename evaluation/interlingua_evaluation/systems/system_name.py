"""What is evaluated, by its name: a first stage, and what is done to its candidates.

    first stage [+passages] [+offsets] [+calibration] [+quota] [+codes] [+unbalanced] [+rerank@depth[@weight]] [+form]

    bm25   dense   dense+offsets   hybrid+offsets   dense+offsets+quota+rerank@50   dense+offsets+rerank@20@0.5
    dense+offsets+rerank@50+4bit   dense+passages+offsets

`hybrid` is the reciprocal rank fusion of BM25 and the dense stage. Switches act on the dense stage (`passages`,
`offsets`, `calibration`), on what the reranker gets to see (`quota`, `codes`) and on the order of that (`rerank`, which
leaves the advantage of the query's own language in where it is `unbalanced`). A form is one of those that an index
stores token vectors in (`4bit`, `4bit-128`, `int8`): they are compared then, and no pairs are sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from interlingua.base.errors import InputError
from interlingua.base.options import faults
from interlingua_client.index.token_store.quantization import FORMATS
from interlingua_client.search.search_options import SearchOptions

FIRST_STAGES = ("bm25", "dense", "hybrid")
SWITCHES = ("passages", "offsets", "calibration", "quota", "codes", "unbalanced")


@dataclass(frozen=True, kw_only=True)
class SystemName:
    """A system.

    Attributes:
        first: one of FIRST_STAGES.
        passages: a document is as near as its best passage, and the reranker reads that (passage_search.py).
        offsets: language offsets are removed from the vectors.
        calibration: similarities are standardized within each document language (calibration.py).
        quota: every language has its share of the candidates (quota.py).
        codes: what holds the question's names and codes is among the candidates too (code_candidates.py).
        unbalanced: the advantage of the query's own language is left in the scores
            (interlingua_client/search/score_mixing.py).
        depth: candidates that are reranked; None for none.
        weight: the reranker's share in the score; None for what its service states.
        form: in which token vectors are stored that the reranker compares; "" where it scores pairs.
    """

    first: str
    passages: bool = False
    offsets: bool = False
    calibration: bool = False
    quota: bool = False
    codes: bool = False
    unbalanced: bool = False
    depth: int | None = None
    weight: float | None = None
    form: str = ""

    @classmethod
    def parse(cls, name: str) -> SystemName:
        """Read a name.

        Raises:
            InputError: it is not one; the message says which part, and what there is.
        """
        first, *rest = name.strip().split("+")
        system = cls(first=first)
        for part in rest:
            if part in SWITCHES:
                system = replace(system, **{part: True})  # type: ignore[arg-type]
            elif part.startswith("rerank@"):
                depth, weight = _reranking(name, part)
                system = replace(system, depth=depth, weight=weight)
            elif part in FORMATS:
                system = replace(system, form=part)
            else:
                known = ", ".join((*SWITCHES, "rerank@DEPTH", *FORMATS))
                raise InputError(f"system {name!r}: {part!r} is none of {known}")
        return system._checked(name)

    def __str__(self) -> str:
        weight = "" if self.weight is None else f"@{self.weight:g}"
        rerank = [] if self.depth is None else [f"rerank@{self.depth}{weight}"]
        switches = (switch for switch in SWITCHES if getattr(self, switch))
        return "+".join([self.first, *switches, *rerank, *([self.form] if self.form else [])])

    @property
    def before_reranking(self) -> SystemName:
        """The same without its reranker."""
        return replace(self, codes=False, unbalanced=False, depth=None, weight=None, form="")

    @property
    def needs_vectors(self) -> bool:
        """Whether texts have to be embedded."""
        return self.first != "bm25"

    def _checked(self, name: str) -> SystemName:
        wrong = []
        if self.first not in FIRST_STAGES:
            wrong.append(f"{self.first!r} is none of {', '.join(FIRST_STAGES)}")
        if self.first == "bm25" and (self.passages or self.offsets or self.calibration):
            wrong.append("BM25 has no vectors: passages, offsets and calibration go with dense or hybrid")
        if self.quota and (self.first != "dense" or self.depth is None):
            wrong.append("a quota shares out the dense candidates that a reranker sees: dense+quota+rerank@DEPTH")
        if self.codes and (self.first != "dense" or self.depth is None):
            wrong.append("codes adds to the dense candidates that a reranker sees: dense+codes+rerank@DEPTH")
        if self.unbalanced and self.depth is None:
            wrong.append("unbalanced is a way to rerank: dense+unbalanced+rerank@DEPTH")
        if self.form and self.depth is None:
            wrong.append(f"{self.form} is a form of what a reranker compares: dense+rerank@DEPTH+{self.form}")
        if wrong:
            raise InputError(f"system {name!r}: {'; '.join(wrong)}")
        return self


def _reranking(name: str, part: str) -> tuple[int, float | None]:
    try:
        _, depth, *weights = part.split("@")
        weight = float(weights[0]) if weights else None
        asked = SearchOptions(candidates=int(depth), rerank_weight=weight)
        if len(weights) > 1 or faults(asked):
            raise ValueError
        return asked.candidates, asked.rerank_weight
    except ValueError:
        raise InputError(
            f"system {name!r}: {part!r} is not rerank@DEPTH or rerank@DEPTH@WEIGHT (a weight from 0 to 1)"
        ) from None
