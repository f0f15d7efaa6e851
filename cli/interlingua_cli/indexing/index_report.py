"""What a run of `interlingua index` reports, for machines and for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from interlingua.base.counted import counted
from interlingua_client.corpus import tag_remarks
from interlingua_client.index.token_store.quantization import NO_TOKENS

if TYPE_CHECKING:
    from interlingua_client.corpus import Corpus
    from interlingua_client.index.indexer import Indexer, IndexOutcome
    from interlingua_client.index.token_store.token_outcome import TokenForecast


def report(indexer: Indexer, corpus: Corpus | None, outcome: IndexOutcome, unknown: int) -> dict[str, Any]:
    """The facts for --json; `unknown` ids to delete were not there."""
    languages = indexer.store.languages()
    return {
        **asdict(indexer.progress),
        "delete_unknown": unknown,
        "documents": sum(languages.values()),
        "passages": indexer.store.count_passages(),
        "languages": languages,
        "bad_lines": [bad._asdict() for bad in corpus.bad_lines] if corpus else [],
        "detected_languages": dict(corpus.detected) if corpus else {},
        "unregistered_languages": dict(corpus.unregistered) if corpus else {},
        "offsets": asdict(outcome.offsets),
        "vectors": outcome.repair._asdict(),
        "token_vectors": asdict(outcome.tokens),
        "healed": outcome.healed,
        "embedder": asdict(indexer.store.manifest().embedder),
        "hnsw": asdict(indexer.store.manifest().hnsw),
        "note": indexer.note,
    }


def summary(facts: dict[str, Any]) -> str:
    """The facts in a few lines."""
    counts = ", ".join(f"{facts[name]} {name}" for name in ("added", "changed", "unchanged", "deleted"))
    is_split = facts["passages"] > facts["documents"]
    size = counted(facts["documents"], "document") + (f" ({facts['passages']} passages)" if is_split else "")
    lines = [f"{counts}; {size} in {facts['index']}"]
    if facts["resplit"]:
        lines.append(f"{counted(facts['resplit'], 'document')} split otherwise than before")
    lines.append("languages: " + (", ".join(f"{tag} {n}" for tag, n in facts["languages"].items()) or "none"))
    lines += tag_remarks(facts["detected_languages"], facts["unregistered_languages"])
    lines += facts.get("remarks", [])
    if facts["truncated"]:
        cut = counted(facts["truncated"], "passage" if is_split else "document")
        lines.append(f"{cut} cut at the end: longer than the network reads")
    if facts["bad_lines"]:
        lines.append(f"{counted(len(facts['bad_lines']), 'bad line')} left out:")
        lines += [f"  line {bad['number']}: {bad['reason']}" for bad in facts["bad_lines"][:10]]
    if facts["delete_unknown"]:
        lines.append(f"{counted(facts['delete_unknown'], 'id')} to delete not there")
    offsets = facts["offsets"]
    moved = f", moved by {offsets['moved']:.3f} of the spread" if offsets["state"] in ("kept", "replaced") else ""
    left_out = f", without {counted(offsets['left_out'], 'title')} of no finite vector" if offsets["left_out"] else ""
    lines.append(f"language offsets: {offsets['state']}{moved}{left_out}")
    lines += _drawn(offsets["own_shares"])
    there = counted(facts["passages"], "passage" if is_split else "document")
    lines += _tokens(facts["token_vectors"], there)
    if facts["healed"]:
        lines.append(f"{counted(facts['healed'], 'stored vector')} not finite or of another length: made again")
    if facts["note"]:
        lines.append(facts["note"])
    return "\n".join(lines)


def _drawn(shares: dict[str, float]) -> list[str]:
    """How the offsets lie between the documents' means and the model's."""
    if not shares:
        return []
    least, most = min(shares, key=lambda tag: shares[tag]), max(shares, key=lambda tag: shares[tag])
    own = f"{shares[least]:.0%} ({least})" + (f" to {shares[most]:.0%} ({most})" if least != most else "")
    return [f"  drawn towards the model's language vectors: the documents' own means count {own}"]


def _tokens(facts: dict[str, Any], of_all: str) -> list[str]:
    """Token vectors, where the index has any."""
    if facts["format"] == NO_TOKENS:
        return []
    of = facts["documents"]
    size = f", {facts['bytes'] / of:,.0f} bytes each" if of else ""
    kept = f"; the projection keeps {facts['kept']:.1%} of their length" if facts["kept"] is not None else ""
    there = f"{of} of {of_all}"
    lines = [f"token vectors ({facts['format']}): {there}{size}, {facts['added']} made now{kept}"]
    if facts["verified"]:
        compared = f"the checksums of {counted(facts['verified'], 'document')} were compared"
        lines.append(f"{compared}: {facts['damaged'] or 'none'} damaged" + ", made again" * bool(facts["damaged"]))
    elif facts["damaged"]:
        lines.append(f"those of {counted(facts['damaged'], 'document')} were lost with their file, and made again")
    if facts["reclaimed"]:
        lines.append(f"{megabytes(facts['reclaimed'])} of documents that are gone were given back")
    return lines + ([facts["note"]] if facts["note"] else [])


def forecast_line(forecast: TokenForecast) -> str:
    """What token vectors will take, before they are made."""
    documents, minutes = counted(forecast.documents, "more document"), counted(round(forecast.seconds / 60), "minute")
    return (
        f"token vectors of {documents}: {megabytes(forecast.bytes)} on the disk, about {minutes} at the pace of the "
        "first ones"
    )


def megabytes(size: float) -> str:
    """Bytes as a person reads them."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
