#!/bin/sh
# ir_measures 0.4.3: on one run, RR@10 can be twice RR.
#
# One would guess: the cutoff can only take away. RR@10 is RR where the first relevant document stands in the first ten,
# and 0 where it does not, so RR@10 <= RR, and the two agree on a run of two documents.
# What happens: RR is computed by trec_eval's code, which puts the larger document id first among equal scores; RR@k by
# the MS MARCO measure's code, which puts the smaller one first. Each sees another ranking of the same run, and which of
# the two comes out higher depends on how the documents are named.
# Who is hit: whoever reports MRR@10 beside nDCG@10, MAP or Success@1 (all three from trec_eval's code) for scores that
# tie: rerankers whose sigmoid saturates, int8 or rounded scores, BM25 on near-duplicates.
# Seen: relevant 'a', other 'b': RR 0.5, RR@10 1.0, nDCG@10 0.6309; the names exchanged: 1.0, 0.5 and 1.0.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ir_measures==0.4.3 pytrec_eval-terrier==0.5.11
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from ir_measures import RR, Qrel, ScoredDoc, Success, calc_aggregate, nDCG


def measured(relevant, other):
    run = [ScoredDoc("q1", relevant, 0.5), ScoredDoc("q1", other, 0.5)]
    figures = calc_aggregate([RR, RR @ 10, nDCG @ 10, Success @ 1], [Qrel("q1", relevant, 1)], run)
    return {str(measure): round(value, 4) for measure, value in figures.items()}


seen = {"relevant is 'a', other 'b'": measured("a", "b"), "relevant is 'b', other 'a'": measured("b", "a")}
print("ir_measures", version("ir_measures"), "with pytrec_eval-terrier", version("pytrec_eval-terrier"))
for names, figures in seen.items():
    print(names, {name: figures[name] for name in sorted(figures)})
expected = [
    {"RR": 0.5, "RR@10": 1.0, "nDCG@10": 0.6309, "Success@1": 0.0},
    {"RR": 1.0, "RR@10": 0.5, "nDCG@10": 1.0, "Success@1": 1.0},
]
sys.exit(0 if list(seen.values()) == expected else "changed: RR and RR@10 see the ties in another order than they did")
PYTHON
