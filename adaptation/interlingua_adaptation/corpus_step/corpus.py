"""The step *corpus*: sections from anywhere --> corpus.jsonl and what it consists of.

LibreOffice's help, or the user's documents --> clean --> corpus.jsonl, a section a line
                                                      --> corpus.json: source, licence, counts, digest
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_adaptation.corpus_step.corpus_cleaning import CleanCorpus, clean
from interlingua_adaptation.work_folder import WorkFolder, json_line, read_facts, write_facts, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_adaptation.corpus_step.section import Section


def make_corpus(
    sections: Iterable[Section],
    work: WorkFolder,
    *,
    source: str,
    licence: str,
    aligned: bool = False,
    replace: bool = False,
) -> dict[str, Any]:
    """Clean the sections and write them, with their facts, which are returned.

    Args:
        source: where they come from, for people.
        licence: of the texts; "" where it is the user's own affair.
        aligned: translations are expected: it is an error if there are none.
        replace: overwrite a corpus from which lists were mined already.

    Raises:
        InputError: nothing is left, nothing is aligned that should be, or the folder holds lists of another corpus.
    """
    corpus = clean(sections)
    if not corpus.groups:
        raise InputError(f"{source}: no section with a text is left ({_counts(corpus)})")
    if aligned and not corpus.aligned_groups:
        raise InputError(
            f"{source}: no section is there in two languages; it has {', '.join(corpus.languages)}. Two or more "
            f"languages are needed ({_counts(corpus)})"
        )
    lines = [json_line(section._asdict()) for section in corpus.sections()]
    facts = {
        "source": source,
        "licence": licence,
        "sha256": _sha256(lines),
        "pivot": corpus.pivot,
        "groups": len(corpus.groups),
        "aligned_groups": corpus.aligned_groups,
        "languages": corpus.languages,
        "left_out": asdict(corpus.left_out),
    }
    mined = read_facts(work.lists_facts)
    if mined and mined.get("corpus_sha256") != facts["sha256"] and not replace:
        raise InputError(
            f"{work.root} holds lists that were mined from another corpus: choose another folder (--work), "
            "or give them up with --replace"
        )
    work.make()
    with written_whole(work.corpus) as file:
        file.writelines(lines)
    write_facts(work.corpus_facts, facts)
    return facts


def _sha256(lines: list[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()


def _counts(corpus: CleanCorpus) -> str:
    return ", ".join(f"{number} {name}" for name, number in asdict(corpus.left_out).items())
