#!/bin/sh
# sentence-transformers 6.2.0: a model that ends in Normalize gives vectors that are not of unit length as soon as its
# folder sets truncate_dim.
#
# One would guess: modules.json ends in Normalize, so what encode returns is normalized, whatever its dimension; the
# modules are the model, and truncate_dim is one of its settings.
# What happens: encode cuts what comes out of the last module, Normalize included. The lengths differ from text to text
# (by the share of each vector that lies in the dimensions kept), so an inner product prefers texts by that share: the
# first hit of an inner-product index is not that of model.similarity, which normalizes once more.
# Who is hit: indexes by inner product that rely on the Normalize at the end of a model with shortened (Matryoshka)
# vectors, and thresholds on a dot product; so are exports that move the cut in front of Normalize: other vectors.
# Seen: lengths 1.000 to 1.000 at all 16 dimensions, 0.339 to 0.905 at 8; another first hit for 36 of 55 queries.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet sentence-transformers==6.2.0 torch==2.13.0
WORK="$work" "$work/venv/bin/python" - <<'PYTHON'
import os
import sys
from itertools import combinations

import numpy as np
import sentence_transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

folder = os.path.join(os.environ["WORK"], "model")
words = "[UNK] red green blue cat dog bird runs sleeps sings near far".split()
tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
weights = np.random.default_rng(0).normal(size=(len(words), 16)).astype(np.float32)
modules = [StaticEmbedding(tokenizer, embedding_weights=weights), Normalize()]
SentenceTransformer(modules=modules, truncate_dim=8, device="cpu").save_pretrained(folder)

model = SentenceTransformer(folder, device="cpu")
documents = [" ".join(three) for three in combinations(words[1:], 3)]
queries = [" ".join(two) for two in combinations(words[1:], 2)]
whole = np.linalg.norm(model.encode(documents, truncate_dim=16), axis=1)
vectors = model.encode(documents)
lengths = np.linalg.norm(vectors, axis=1)
asked = model.encode(queries)
inner = (asked @ vectors.T).argmax(axis=1)
cosine = model.similarity(asked, vectors).numpy().argmax(axis=1)
differ = int((inner != cosine).sum())

names = [type(module).__name__ for module in model]
print("sentence-transformers", sentence_transformers.__version__, "modules", names)
print(f"lengths at all 16 dimensions: {whole.min():.3f} to {whole.max():.3f}")
print(f"lengths at truncate_dim 8:    {lengths.min():.3f} to {lengths.max():.3f}")
print(f"first hit by inner product is not that of model.similarity for {differ} of {len(queries)} queries")
still = names[-1] == "Normalize" and np.allclose(whole, 1, atol=1e-5) and lengths.min() < 0.9 and differ
sys.exit(0 if still else "changed: truncated vectors come out normalized")
PYTHON
