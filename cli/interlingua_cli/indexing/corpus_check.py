"""What a run of `interlingua index` would do, without doing it.

corpus, ids to delete + the index as it is --counts--> facts; nothing is written, no text is embedded
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from interlingua.base.counted import counted
from interlingua_cli.indexing.text_remarks import TextRemarks
from interlingua_client.corpus import Corpus, tag_remarks
from interlingua_client.language_tag import UNDETERMINED

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from interlingua_cli.indexing.index_work import IndexWork
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.indexer import IndexSettings

_AT_ONCE = 512
_SHOWN = 10


@dataclass
class _Counts:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    resplit: int = 0


def check(
    work: IndexWork, directory: Path, known_scripts: Collection[str], settings: IndexSettings | None = None
) -> dict[str, Any]:
    """The facts for --json; `refused` says why the run would end with an error, "" where it would not.

    Args:
        known_scripts: of the embedder's tokenizer; () where no server was asked.
        settings: what the run is to change of the index's own; how documents are split is looked at alone.

    Raises:
        InputError: the corpus or the file of ids cannot be read, or documents cannot be split as wanted.
    """
    from interlingua.display.progress import progress
    from interlingua_cli.indexing.index_work import ids_of
    from interlingua_client.index.indexer import IndexSettings
    from interlingua_client.index.manifest import name_of_plan
    from interlingua_client.search.query_language import LanguageDetector

    with ExitStack() as stack:
        store = _store(directory, stack)
        there = store.ids() if store else set()
        known = store.languages() if store else {}
        plan = (settings or IndexSettings()).planned(store.manifest().passages if store else None)
        plans = store.plans(sorted(there)) if store else {}
        split_anew = {id_ for id_, name in plans.items() if name != name_of_plan(plan)}
        counts, remarks, languages = _Counts(), TextRemarks(known_scripts, plan is not None), dict[str, int]()
        corpus = None
        if work.corpus:
            corpus = Corpus(work.corpus, LanguageDetector().tag_of, skip_bad=True, known=known)
            with progress("checking", unit="documents", total=corpus.count_lines()) as bar:
                documents = remarks.watched(corpus)
                while lot := list(islice(documents, _AT_ONCE)):
                    digests = store.digests([document.id for document in lot]) if store else {}
                    for document in lot:
                        languages[document.language] = languages.get(document.language, 0) + 1
                        before = digests.get(document.id)
                        is_same = before == document.digest
                        counts.added += before is None
                        counts.changed += before is not None and not is_same
                        counts.unchanged += is_same and document.id not in split_anew
                        if not is_same:
                            split_anew.discard(document.id)
                    bar.advance(len(lot))
        gone = there.intersection(ids_of(work.delete)) if work.delete else set()
        missing = there.difference(corpus.lines_by_id) if work.delete_missing and corpus else set()
        counts.deleted = len(gone | missing)
        counts.resplit = len(split_anew - gone - missing)
        return {
            **vars(counts),
            "documents": len(there) + counts.added - counts.deleted,
            "languages": languages,
            "bad_lines": [bad._asdict() for bad in corpus.bad_lines] if corpus else [],
            "detected_languages": dict(corpus.detected) if corpus else {},
            "unregistered_languages": dict(corpus.unregistered) if corpus else {},
            "unknown_language": languages.get(UNDETERMINED, 0),
            "html": remarks.html,
            "doubled": remarks.doubled,
            "long": remarks.long,
            "scripts": dict(remarks.scripts),
            "scripts_asked": bool(known_scripts),
            "remarks": remarks.sentences(),
            "refused": _refused(work, corpus, missing, there),
        }


def check_summary(facts: dict[str, Any]) -> str:
    """The facts in a few lines."""
    counts = ", ".join(f"{facts[name]} {name}" for name in ("added", "changed", "unchanged", "deleted"))
    lines = [f"nothing was done. It would be: {counts}; {counted(facts['documents'], 'document')} in {facts['index']}"]
    if facts["resplit"]:
        lines.append(f"{counted(facts['resplit'], 'document')} split otherwise than before")
    lines.append("languages: " + (", ".join(f"{tag} {n}" for tag, n in facts["languages"].items()) or "none"))
    lines += tag_remarks(facts["detected_languages"], facts["unregistered_languages"])
    if facts["unknown_language"]:
        lines.append(f"{counted(facts['unknown_language'], 'document')} of which nobody can tell the language (und)")
    lines += facts["remarks"]
    if not facts["scripts_asked"]:
        lines.append("scripts that the model cannot read were not looked for: no server answered")
    if facts["bad_lines"]:
        lines.append(f"{counted(len(facts['bad_lines']), 'bad line')}:")
        lines += [f"  line {bad['number']}: {bad['reason']}" for bad in facts["bad_lines"][:_SHOWN]]
    if facts["refused"]:
        lines.append(f"the run would be refused: {facts['refused']}")
    return "\n".join(lines)


def _store(directory: Path, stack: ExitStack) -> DocumentStore | None:
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.index_root import current_folder

    folder = current_folder(directory)
    return stack.enter_context(closing(DocumentStore.open(folder))) if DocumentStore.exists(folder) else None


def _refused(work: IndexWork, corpus: Corpus | None, missing: Collection[str], there: Collection[str]) -> str:
    if corpus and corpus.bad_lines and not work.skip_bad:
        return "bad lines (--skip-bad leaves them out)"
    if not len(missing) <= work.delete_at_most * len(there):
        return (
            f"{len(missing)} of {counted(len(there), 'document')} are not in the corpus, more than "
            f"{work.delete_at_most:.0%} (--delete-at-most)"
        )
    return ""
