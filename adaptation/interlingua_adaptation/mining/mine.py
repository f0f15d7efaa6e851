"""The step *mine*: a corpus --> queries with the sections that answer them and sections that do not.

    corpus.jsonl --> queries (headings, sentences)
                 --> one section a group, into index/ --> 30 nearest groups of each query
                 --> near-duplicates out, seven negatives --> lists.jsonl

A group's sections say the same, so its negatives hold in every language that it has. Stopped at any moment, the
step goes on where it was: the index keeps what was embedded, `lists.jsonl.part` the lists that were made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.display.progress import progress
from interlingua_adaptation.corpus_step.corpus_cleaning import representative
from interlingua_adaptation.mining.mine_negatives import DEPTH, NegativeChoice
from interlingua_adaptation.mining.mine_progress import GrowingLists
from interlingua_adaptation.mining.mine_queries import make_queries
from interlingua_adaptation.mining.mine_search import SectionSearch, index_sections
from interlingua_adaptation.work_folder import WorkFolder, read_facts
from interlingua_client.index.writer_lock import writer_lock

if TYPE_CHECKING:
    from interlingua_adaptation.corpus_step.corpus_cleaning import Group
    from interlingua_adaptation.mining.mine_queries import MinedQuery
    from interlingua_client.embedder import Embedder


@dataclass(frozen=True)
class MiningSettings:
    """What a user decides.

    Attributes:
        negatives: of a list, at most.
        most_sentences: lists whose query is a sentence, at most; None for as many as there are headings.
    """

    negatives: int = 7
    most_sentences: int | None = None
    seed: int = 0


def mine(
    work: WorkFolder, embedder: Embedder, settings: MiningSettings | None = None, *, replace: bool = False
) -> dict[str, Any]:
    """Make the lists, and their facts, which are returned; lists that are there already are left alone.

    Args:
        replace: give up lists that were made of another corpus, by another embedder or with other settings.

    Raises:
        InputError: there is no corpus, nothing in it can be asked for, or there are other lists.
        IndexBusyError: another process is mining here.
        ServerError: the server went away.
    """
    settings = settings or MiningSettings()
    corpus = work.require_corpus()
    made_of = {"corpus_sha256": corpus["sha256"], "embedder": embedder.identity.digest, "settings": asdict(settings)}
    if there := _published(work, made_of, replace=replace):
        return there
    groups = _groups(work)
    sections = {name: representative(group, corpus["pivot"]) for name, group in groups.items()}
    queries = make_queries(groups, corpus["pivot"], seed=settings.seed, most_sentences=settings.most_sentences)
    if not queries or len(sections) < 2:
        raise InputError(
            f"nothing in {work.corpus} can be asked for: headings of 2 to 12 words that stand over one section only, "
            "or texts of 3 sentences or more, in at least 2 sections, are needed"
        )
    try:
        with writer_lock(work.root), GrowingLists(work, made_of) as lists:
            with progress("indexing", unit="sections", total=len(sections)) as bar:
                representatives = list(sections.values())
                index_sections(work.index, embedder, representatives, bar.advance, lists.add_truncated)
            with SectionSearch(work.index, embedder) as search:
                choice = NegativeChoice(sections, search.cosine, number=settings.negatives, seed=settings.seed)
                _fill(lists, queries, search, choice)
            return lists.publish()
    except OSError as error:
        raise InputError(f"cannot write {work.root}: {error.strerror or error}; what is there was kept") from error


def _published(work: WorkFolder, made_of: dict[str, Any], *, replace: bool) -> dict[str, Any] | None:
    facts = read_facts(work.lists_facts)
    if facts is None:
        return None
    if not replace and made_of.items() <= facts.items():
        return work.require_lists()
    if not replace:
        what = next(name for name, value in made_of.items() if facts.get(name) != value)
        raise InputError(
            f"{work.lists} was made otherwise ({what}: {facts.get(what)}, now {made_of[what]}): "
            "choose another folder (--work), or give the lists up with --replace"
        )
    work.lists_facts.unlink()
    return None


def _groups(work: WorkFolder) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for section in work.read_sections():
        groups.setdefault(section.group, {})[section.language] = section
    return groups


def _fill(lists: GrowingLists, queries: list[MinedQuery], search: SectionSearch, choice: NegativeChoice) -> None:
    left = [query for query in queries if query.id not in lists.done]
    with progress("mining", unit="queries", total=len(queries)) as bar:
        bar.skip(len(queries) - len(left))
        for query, neighbours in search.nearest(left, DEPTH + 1):
            lists.add(query, choice.choose(query.id, query.group, neighbours))
            bar.advance(1)
