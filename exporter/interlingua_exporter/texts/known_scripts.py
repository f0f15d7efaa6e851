"""The scripts that a tokenizer knows: of the others a whole word is one `<unk>`, and every text means the same.

tokenizer.json, a sample of each script's letters --tokenized one by one--> scripts of which some are no <unk>
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache, lru_cache

from interlingua.served.scripts import script_of
from interlingua.served.text.marks import unknown_of
from interlingua.served.text.sealed import SealedTokenizers

_PLANES = 0x20000  # beyond them are rare ideographs alone
_SAMPLED = 256  # letters of a script
_KNOWN = 0.05  # of the letters; some get into a vocabulary as ornaments, and of all ideographs few are in use


@lru_cache(maxsize=2)
def known_scripts(tokenizer_json: bytes) -> tuple[str, ...]:
    """Names of scripts, sorted."""
    unknown = unknown_of(json.loads(tokenizer_json))
    tokenizer = SealedTokenizers(tokenizer_json).of().tokenizer
    known = []
    for script, letters in _letters().items():
        encodings = tokenizer.encode_batch_fast(letters, add_special_tokens=False)
        read = sum(bool(len(one)) and (unknown is None or unknown[1] not in one.ids) for one in encodings)
        if read > _KNOWN * len(letters):
            known.append(script)
    return tuple(sorted(known))


@cache
def _letters() -> dict[str, list[str]]:
    """A sample of each script's letters."""
    every: dict[str, list[str]] = defaultdict(list)
    for character in map(chr, range(_PLANES)):
        if script := script_of(character):
            every[script].append(character)
    return {script: letters[:: -(-len(letters) // _SAMPLED)] for script, letters in every.items()}
