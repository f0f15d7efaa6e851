#!/bin/sh
# py3langid 0.4.0: of a text that says nothing about its language it says "Serbian", with twice the confidence of any
# other language.
#
# One would guess: where no feature of the model occurs in a text ("wifi", "E-417"), all languages are equally likely:
# among two of them the confidence is 0.5, and a threshold above that abstains. Or the answer is "zxx", the class for
# what is no language.
# What happens: Serbian and Uzbek have two columns each in the model, and the columns' shares are added up under the one
# label. Without evidence every column has the same share, so these two count double: English or Serbian is Serbian with
# 0.667, and English, German or Serbian is Serbian with 0.5 against 0.25. With no restriction Serbian comes first, too.
# Who is hit: search over manuals in a few languages of which one is Serbian or Uzbek: codes, names of products and
# loanwords are filed and asked as that language, and a min_confidence of 0.6 lets them through.
# Seen: 'wifi' among en/de: und, 0.5 each; en/sr: sr, 0.667; en/uz: uz, 0.667; before each of the 138 other labels: sr.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet py3langid==0.4.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from collections import Counter
from importlib.metadata import version

from py3langid.langid import MODEL_FILE, LanguageIdentifier

identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=0.6)
columns = Counter(identifier.nb_classes)
twice = sorted(language for language, count in columns.items() if count > 1)
print("py3langid", version("py3langid"), len(columns), "languages, with two columns:", twice)


def among(text, *languages):
    identifier.set_languages(languages or None)
    ranked = [(language, round(share, 3)) for language, share in identifier.rank(text)[:3]]
    print(f"{text!r} among {'/'.join(languages) or 'all'}: {identifier.classify(text)[0]}, ranked {ranked}")
    return identifier.classify(text)[0], dict(ranked)


pairs = ("en", "de"), ("en", "sr"), ("en", "uz")
seen = [among(text, *pair) for text in ("wifi", "E-417") for pair in pairs]
three = among("wifi", "en", "de", "sr")
everything = among("wifi")
beaten = 0
for language in columns:
    identifier.set_languages([language, "sr"])
    beaten += language not in twice and identifier.classify("wifi")[0] == "sr"
print(f"'wifi' is Serbian rather than any of {beaten} of {len(columns) - len(twice)} other labels")
still = (
    twice == ["sr", "uz"]
    and [label for label, _ in seen] == ["und", "sr", "uz"] * 2
    and seen[0][1] == {"en": 0.5, "de": 0.5}
    and seen[1][1] == {"sr": 0.667, "en": 0.333}
    and three[1] == {"sr": 0.5, "en": 0.25, "de": 0.25}
    and next(iter(everything[1])) == "sr"
    and beaten == len(columns) - len(twice)
)
sys.exit(0 if still else "changed: a text without evidence is treated otherwise")
PYTHON
