"""A retrieval or reranking task of MTEB (Muennighoff et al. 2023; Enevoldsen et al. 2025) as a Dataset.

    "BelebeleRetrieval" --mteb loads its subsets from the Hub--> corpus, queries, qrels of each subset
        --> languages by the subset's name, checked against its texts --> subsets.py --> Dataset

mteb names the languages of a subset, and where there are two the corpus' first. Texts are sampled to see whether they
agree: a pair the other way round is turned, and queries that are all English in a subset that names one other language
(NeuCLIR) are English. A task for reranking is read as retrieval from all its candidates together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from interlingua.base.errors import ArchiveError, InputError
from interlingua.base.extras import load
from interlingua_client.language_tag import closest, normalize_tag
from interlingua_evaluation.datasets.subset_languages import subset_languages
from interlingua_evaluation.datasets.subsets import Subset, SubsetText, dataset_of
from interlingua_evaluation.datasets.text_languages import registered_tag

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset

_TYPES = ("Retrieval", "Reranking", "InstructionRetrieval", "InstructionReranking")


def read_mteb(task: str, split: str | None = None, languages: Sequence[str] = ()) -> Dataset:
    """The task, all its subsets in one dataset named `mteb:TASK`.

    Args:
        split: None for "test", or the task's first one where it has no such split.
        languages: BCP 47 tags; only subsets that have no other language are loaded. Without any, all are.

    Raises:
        InputError: mteb is not installed, it has no such task, split or languages, or the task is not about texts.
        ArchiveError: its files could not be fetched or read.
    """
    mteb = load("benchmarks", "mteb", "reading a task of MTEB")
    try:
        loaded = mteb.get_task(task)
    except KeyError as error:
        raise InputError(f"mteb has no task {task!r}: {str(error.args[0]).removeprefix('KeyError: ')}") from None
    return dataset_of_task(loaded, split, languages)


def dataset_of_task(task: Any, split: str | None = None, languages: Sequence[str] = ()) -> Dataset:
    """The same of a task object of mteb's that is not loaded yet, such as one whose files lie elsewhere."""
    metadata = task.metadata
    if metadata.type not in _TYPES or not hasattr(task, "convert_v1_dataset_format_to_v2"):
        raise InputError(f"mteb's {metadata.name} is a task for {metadata.type}; retrieval and reranking can be read")
    if list(metadata.modalities) != ["text"]:
        raise InputError(f"mteb's {metadata.name} is about {' and '.join(metadata.modalities)}, not texts alone")
    split = _split(metadata.name, task.eval_splits, split)
    names = _subsets(metadata, languages)
    _load(task, split, list(names))
    read = [_subset(task.dataset[name][split], name, tags) for name, tags in names.items()]
    facts = {
        "source": f"mteb:{metadata.name}",
        "licence": str(metadata.license or "not said"),
        "revision": str(metadata.dataset["revision"]),
        "split": split,
        "subsets": len(read),
        "subsets_left_out": len(metadata.hf_subsets_to_langscripts) - len(read),
        "turned_subsets": sum(subset.turned for subset in read),
        "english_queries_by_their_texts": sum(subset.english for subset in read),
    }
    own_ids = bool(getattr(task, "ignore_identical_ids", False))
    facts |= {"ignore_identical_ids": True} if own_ids else {}
    read_subsets = (subset.subset for subset in read)
    return dataset_of(f"mteb:{metadata.name}", read_subsets, facts, ignore_identical_ids=own_ids)


class _Read(NamedTuple):
    """A subset, and where its texts overruled its name."""

    subset: Subset
    turned: bool
    english: bool


def _split(task: str, splits: Sequence[str], wanted: str | None) -> str:
    if wanted is None:
        return "test" if "test" in splits else splits[0]
    if wanted not in splits:
        raise InputError(f"mteb's {task} has no split {wanted!r}; it has {', '.join(splits)}")
    return wanted


def _subsets(metadata: Any, languages: Sequence[str]) -> dict[str, list[str]]:
    """Languages by the names of the subsets to load."""
    found = {
        name: [_tag(metadata.name, tag) for tag in tags] for name, tags in metadata.hf_subsets_to_langscripts.items()
    }
    try:
        wanted = [normalize_tag(tag) for tag in languages]
    except ValueError as error:
        raise InputError(str(error)) from None
    chosen = {name: tags for name, tags in found.items() if not wanted or _all_in(tags, wanted)}
    if not chosen:
        there = sorted({tag for tags in found.values() for tag in tags})
        raise InputError(
            f"mteb's {metadata.name} has no subset in {', '.join(wanted)} alone; it has {', '.join(there)}"
        )
    return chosen


def _all_in(tags: Iterable[str], wanted: Collection[str]) -> bool:
    return all(tag in wanted or closest(tag, wanted) == tag.split("-")[0] for tag in tags)


def _tag(task: str, tag: str) -> str:
    try:
        return registered_tag(tag)
    except ValueError as error:
        raise InputError(f"mteb's {task}: {error}") from None


def _load(task: Any, split: str, names: Sequence[str]) -> None:
    task.filter_eval_splits([split])
    task.filter_languages(None, hf_subsets=names)
    try:
        task.load_data()
        task.convert_v1_dataset_format_to_v2(num_proc=None)
    except Exception as error:  # each task has code of its own for this
        raise ArchiveError(
            f"mteb could not load {task.metadata.name} from {task.metadata.dataset['path']} "
            f"({type(error).__name__}: {error}). It needs a network, or the files in the Hub's cache."
        ) from error


def _subset(data: Mapping[str, Any], name: str, tags: Sequence[str]) -> _Read:
    corpus, queries = list(data["corpus"]), list(data["queries"])
    titles, texts = ([_string(row, field, name) for row in corpus] for field in ("title", "text"))
    documents = list(map("\n".join, zip(titles, texts, strict=True)))
    asked = [_question(row, name) for row in queries]
    spoken = subset_languages(tags, documents, asked)
    subset = Subset(
        name,
        [
            SubsetText(str(row["id"]), tag, title, text)
            for row, title, text, tag in zip(corpus, titles, texts, spoken.documents, strict=True)
        ],
        [
            SubsetText(str(row["id"]), tag, "", text)
            for row, tag, text in zip(queries, spoken.queries, asked, strict=True)
        ],
        data["relevant_docs"],
    )
    return _Read(subset, spoken.turned, spoken.english)


def _string(row: Mapping[str, Any], field: str, subset: str) -> str:
    """A document's title or text; "" where it has none. Raises InputError: it is something else."""
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise InputError(f"subset {subset}: the {field} of the document {row['id']} is {value!r:.60}, not a text")
    return "" if value is None else value


def _question(row: Mapping[str, Any], subset: str) -> str:
    text = row["text"]
    if not isinstance(text, str):
        raise InputError(
            f"subset {subset}: the query {row['id']} is a conversation, not a text; such tasks are not read"
        )
    return text
