"""The tokenizer of a folder as transformers reads it, beside the folder's tokenizer.json.

folder --AutoTokenizer--> LibraryTokenizer;  tokenizer.json, LibraryTokenizer --followed--> the one to publish, a note

transformers makes a tokenizer of tokenizer_config.json, config.json and tokenizer.json together. Where they say other
things of case, accents or CJK, its reading counts: it is what the model's users get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from interlingua.served.graph_names import TOKEN_TYPE_IDS
from interlingua_exporter.graphs.folder_network import quiet_transformers
from interlingua_exporter.texts.library_texts import PROBES, SPACES, NamedText, added_texts
from interlingua_exporter.texts.parity_texts import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNCUT = 1 << 30


class Followed(NamedTuple):
    """The tokenizer.json to publish, and what the user should know of it.

    Attributes:
        token_types: whether transformers' tokenizer tells the sides of a pair apart.
    """

    content: bytes
    notes: tuple[str, ...] = ()
    token_types: bool = True


def load_tokenizer(folder: Path, *, remote_code: bool) -> Any:
    """transformers' AutoTokenizer of a folder; raises whatever it raises, which is of many kinds."""
    from transformers import AutoTokenizer

    with quiet_transformers():
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=remote_code)


def followed(folder: Path, content: bytes, *, remote_code: bool) -> Followed:
    """tokenizer.json where AutoTokenizer gives the same ids, else what AutoTokenizer made of it."""
    from tokenizers import Tokenizer

    try:
        theirs = load_tokenizer(folder, remote_code=remote_code)
        theirs.model_max_length = _UNCUT  # a folder may state what is no number, which others tell
        made = str(theirs.backend_tokenizer.to_str())
    except Exception as error:  # as many kinds as there are tokenizers
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        return Followed(
            content, (f"transformers cannot read the tokenizer of {folder} ({reason}): tokenizer.json alone counts",)
        )
    ours = Tokenizer.from_str(content.decode("utf-8"))
    ours.no_truncation()
    ours.no_padding()
    unlike = [one for one in _texts(ours, theirs) if ours.encode(one.text).ids != list(theirs(one.text)["input_ids"])]
    types = TOKEN_TYPE_IDS in theirs.model_input_names
    if not unlike:
        return Followed(content, token_types=types)
    told = [one for one in unlike if one.name != SPACES]
    notes = (
        f"{folder}: tokenizer.json and tokenizer_config.json disagree on {', '.join(one.name for one in told[:3])}; "
        f"published is what transformers' {type(theirs).__name__} makes of both",
    )
    return Followed(made.encode("utf-8"), notes * bool(told), types)


def _texts(ours: Any, theirs: Any) -> Iterator[NamedText]:
    yield from PROBES
    yield from (NamedText(f"words in {language}", text) for language, text in sentences()[0].items())
    added = [*ours.get_added_tokens_decoder().values(), *theirs.added_tokens_decoder.values()]
    yield from added_texts(list(dict.fromkeys(token.content for token in added)))
