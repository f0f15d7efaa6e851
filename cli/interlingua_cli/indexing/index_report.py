"""What a run of `interlingua index` reports, for machines and for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from interlingua_client.corpus import tag_remarks

if TYPE_CHECKING:
    from interlingua_client.corpus import Corpus
    from interlingua_client.index.indexer import Indexer, IndexOutcome


def report(indexer: Indexer, corpus: Corpus | None, outcome: IndexOutcome, unknown: int) -> dict[str, Any]:
    """The facts for --json; `unknown` ids to delete were not there."""
    languages = {language: len(labels) for language, labels in indexer.store.labels_by_language().items()}
    return {
        **asdict(indexer.progress),
        "delete_unknown": unknown,
        "documents": sum(languages.values()),
        "languages": languages,
        "bad_lines": [bad._asdict() for bad in corpus.bad_lines] if corpus else [],
        "detected_languages": dict(corpus.detected) if corpus else {},
        "unregistered_languages": dict(corpus.unregistered) if corpus else {},
        "offsets": asdict(outcome.offsets),
        "vectors": outcome.repair._asdict(),
        "healed": outcome.healed,
        "embedder": asdict(indexer.store.manifest().embedder),
        "hnsw": asdict(indexer.store.manifest().hnsw),
        "note": indexer.note,
    }


def summary(facts: dict[str, Any]) -> str:
    """The facts in a few lines."""
    counts = ", ".join(f"{facts[name]} {name}" for name in ("added", "changed", "unchanged", "deleted"))
    lines = [f"{counts}; {facts['documents']} documents in {facts['index']}"]
    lines.append("languages: " + (", ".join(f"{tag} {n}" for tag, n in facts["languages"].items()) or "none"))
    lines += tag_remarks(facts["detected_languages"], facts["unregistered_languages"])
    if facts["truncated"]:
        lines.append(f"{facts['truncated']} documents are longer than the network reads: their ends were left out")
    if facts["bad_lines"]:
        lines.append(f"{len(facts['bad_lines'])} bad lines left out:")
        lines += [f"  line {bad['number']}: {bad['reason']}" for bad in facts["bad_lines"][:10]]
    if facts["delete_unknown"]:
        lines.append(f"{facts['delete_unknown']} ids to delete were not there")
    offsets = facts["offsets"]
    moved = f", moved by {offsets['moved']:.3f} of the spread" if offsets["state"] in ("kept", "replaced") else ""
    left_out = f", without {offsets['left_out']} titles whose vectors are not finite" if offsets["left_out"] else ""
    lines.append(f"language offsets: {offsets['state']}{moved}{left_out}")
    if facts["healed"]:
        lines.append(f"{facts['healed']} stored vectors were not finite or of another length: they were made again")
    if facts["note"]:
        lines.append(facts["note"])
    return "\n".join(lines)
