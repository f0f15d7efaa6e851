"""A dataset of six topics in three languages, for the hash embedder of the client's tests.

A text is written `language:word`: the embedder gives each language a constant of its own, as real encoders do.
"""

from __future__ import annotations

from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query, half_of

LANGUAGES = ("en", "de", "sv")
TOPICS = ("cat", "dog", "sun", "moon", "tree", "fish")
RELATED = {"cat": "dog", "sun": "moon", "tree": "fish"}


def small_dataset(languages: tuple[str, ...] = LANGUAGES) -> Dataset:
    """A query a topic and language; every version of its topic has grade 2, of the related topic grade 1."""
    documents = [
        JudgedDocument(f"{topic}.{tag}", tag, f"{tag}:{topic}", f"{tag}:{topic} {tag}:{other} {tag}:thing", topic)
        for tag in languages
        for topic, other in zip(TOPICS, TOPICS[1:] + TOPICS[:1], strict=True)
    ]
    queries = [
        Query(f"q-{topic}.{tag}", tag, f"{tag}:{topic} {tag}:what", "plain", topic, half_of(topic))
        for tag in languages
        for topic in TOPICS
    ]
    qrels = {
        query.id: {f"{query.group}.{tag}": 2 for tag in languages}
        | {f"{RELATED[query.group]}.{tag}": 1 for tag in languages if query.group in RELATED}
        for query in queries
    }
    return Dataset("small", tuple(documents), tuple(queries), qrels, {"source": "written by hand"})
