#!/bin/sh
# transformers 5.23.0: AutoTokenizer takes the vocabulary of a tokenizer.json and drops its normalizer, where the folder
# names a model type that the library has a tokenizer class for.
#
# One would guess: tokenizer.json is the whole pipeline (normalizer, pre-tokenizer, model, template), and AutoTokenizer
# gives the ids that tokenizers.Tokenizer.from_file and PreTrainedTokenizerFast(tokenizer_file=...) give.
# What happens: with `tokenizer_class: XLMRobertaTokenizer` the class builds a pipeline of its own around the pieces:
# the file's Lowercase is gone, and a piece that is not in the vocabulary gets the id at which this class expects
# <unk>, 3, although the file says 4: here that is the end of the text. No warning; PreTrainedTokenizerFast is right.
# Who is hit: whoever trains a tokenizer with a normalizer of their own (lowercase, NFKC, digits) for an XLM-R and
# serves it through tokenizer.json: training by AutoTokenizer and serving by tokenizers see other ids for equal texts.
# Seen: "Hello world": the file [1, 6, 7, 3], PreTrainedTokenizerFast the same, AutoTokenizer [1, 5, 7, 3]; "hello-world":
# [1, 6, 4, 9, 3] twice, and by AutoTokenizer [1, 6, 3, 9, 3].
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet transformers==5.23.0 tokenizers==0.23.3
TRANSFORMERS_VERBOSITY=error "$work/venv/bin/python" - "$work" <<'PYTHON'
import json
import sys
from pathlib import Path

import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

folder = Path(sys.argv[1]) / "model"
folder.mkdir()
specials = ["<mask>", "<s>", "<pad>", "</s>", "<unk>"]
pieces = [(word, 0.0) for word in specials] + [("▁Hello", -1.0), ("▁hello", -1.0), ("▁world", -2.0), ("▁", -4.0)]
pieces += [("world", -2.0)]
made = Tokenizer(models.Unigram(pieces, unk_id=specials.index("<unk>")))
made.normalizer = normalizers.Lowercase()
made.pre_tokenizer = pre_tokenizers.Metaspace()
made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 3)])
made.add_special_tokens(specials)
made.save(str(folder / "tokenizer.json"))
names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
(folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}))
(folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "XLMRobertaTokenizer", **names}))

file = Tokenizer.from_file(str(folder / "tokenizer.json"))
plain = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
auto = AutoTokenizer.from_pretrained(str(folder))
print("transformers", transformers.__version__, type(auto).__name__)
seen = {}
for text in ("hello world", "Hello world", "hello-world"):
    seen[text] = file.encode(text).ids, plain(text)["input_ids"], auto(text)["input_ids"]
    print(f"{text!r}: file {seen[text][0]}, PreTrainedTokenizerFast {seen[text][1]}, AutoTokenizer {seen[text][2]}")
normalizer = json.loads(auto.backend_tokenizer.to_str())["normalizer"]
print("AutoTokenizer's normalizer:", normalizer)
lower, upper, strange = seen["hello world"], seen["Hello world"], seen["hello-world"]
still = (
    lower[0] == lower[1] == lower[2]
    and upper[0] == upper[1] == lower[0]
    and upper[2] != upper[0]
    and strange[0] == strange[1] != strange[2]
    and normalizer is None
)
sys.exit(0 if still else "changed: AutoTokenizer follows tokenizer.json, or in another way")
PYTHON
