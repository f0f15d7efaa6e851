"""The teacher's scores: how well each document of a list answers its query, where the teacher sees best.

    list --> query and documents in one language --> teacher --> scores.jsonl, a row a list

With aligned translations the teacher need not be a better model, only the same one in an easier place: the score
of a query and a document in one language is the soft label for that query and that document in any two languages.
Where sections have no translation, the query and the documents are taken as they are.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.file_digest import file_digest
from interlingua_adaptation.lists import Texts, TrainingList, read_lists, read_rows
from interlingua_adaptation.teachers import Asked
from interlingua_adaptation.work_folder import WorkFolder, json_line, read_facts, write_facts
from interlingua_client.language_tag import covered

if TYPE_CHECKING:
    from interlingua_adaptation.teachers import Teacher

_BLOCK = 128  # lists that are scored together, and lost when a run is stopped


def score(
    work: WorkFolder,
    teacher: Teacher,
    *,
    teacher_name: str,
    languages: Sequence[str],
    replace: bool = False,
    on_scored: Callable[[int], None] = lambda _: None,
    on_resumed: Callable[[int], None] | None = None,
) -> int:
    """Score every list that has no scores yet; the number of lists.

    Args:
        teacher_name: what the scores are said to come from; scores of another teacher are not mixed in.
        languages: where the teacher sees well; the mean over those in which a list exists is its label.
        on_scored: gets how many more lists are done.
        on_resumed: the same of those that an earlier run did; without it `on_scored` gets them.

    Raises:
        InputError: no lists, or scores of another teacher, other languages or other lists are there.
    """
    facts = {"teacher": teacher_name, "languages": list(languages), "lists_sha256": work.require_lists()["sha256"]}
    part, part_facts = work.scores.with_suffix(".part.jsonl"), work.scores.with_suffix(".part.json")
    whole = work.scores.with_suffix(".json")
    if replace:
        for file in (part, part_facts, work.scores, whole):
            file.unlink(missing_ok=True)
    lists = read_lists(work.root)
    if (earlier := read_facts(whole)) is not None and work.scores.is_file():
        _check_same(earlier, {**facts, "sha256": file_digest(work.scores)}, work.scores)
        (on_resumed or on_scored)(len(lists))
        return len(lists)
    if (begun := read_facts(part_facts)) is not None:
        _check_same(begun, facts, part)
    write_facts(part_facts, facts)
    done = _whole_rows(part)
    (on_resumed or on_scored)(done)
    with part.open("a", encoding="utf-8") as lines:
        for first in range(done, len(lists), _BLOCK):
            block = lists[first : first + _BLOCK]
            labels = _labels(block, teacher, languages)
            lines.writelines(
                json_line({"id": each.id, "scores": label}) for each, label in zip(block, labels, strict=True)
            )
            lines.flush()
            on_scored(len(block))
    part.replace(work.scores)
    write_facts(whole, {**facts, "sha256": file_digest(work.scores)})
    part_facts.unlink()
    return len(lists)


def _labels(lists: Sequence[TrainingList], teacher: Teacher, languages: Sequence[str]) -> list[list[float]]:
    """The labels of each list, from all its views at once. Raises InputError: one is not finite."""
    views = [_views(each, languages) for each in lists]
    scores = iter(teacher.scores([view for several in views for view in several]))
    labels = [
        [round(statistics.fmean(column), 4) for column in zip(*(next(scores) for _ in several), strict=True)]
        for several in views
    ]
    for each, label in zip(lists, labels, strict=True):
        if not all(map(math.isfinite, label)):
            raise InputError(f"the teacher gives the list {each.id!r} a score that is not finite: it teaches nothing")
    return labels


def _views(each: TrainingList, languages: Sequence[str]) -> list[Asked]:
    """The list in those of the languages in which it is whole; else in the first that it is whole in, or mixed."""
    whole = [tag for tag in sorted(each.queries) if all(tag in texts for texts in each.documents)]
    chosen = list(dict.fromkeys(there for tag in languages for there in covered(tag, whole))) or whole[:1]
    if not chosen:
        return [Asked(_any(each.queries), [_any(texts) for texts in each.documents])]
    return [Asked(each.queries[tag], [texts[tag] for texts in each.documents]) for tag in chosen]


def _any(texts: Texts) -> str:
    return texts[min(texts)]


def _whole_rows(part: Path) -> int:
    """How many rows are whole; the rest of a row that was being written when a run was stopped is cut off."""
    if not part.is_file():
        return 0
    content = part.read_bytes()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        with part.open("r+b") as file:
            file.truncate(end)
    return sum(1 for _ in read_rows(part))


def _check_same(found: dict[str, Any], wanted: dict[str, Any], file: Path) -> None:
    if differing := sorted(key for key in wanted if found.get(key) != wanted[key]):
        values = "; ".join(
            f"{key}: {json.dumps(found.get(key))} there, {json.dumps(wanted[key])} now" for key in differing
        )
        raise InputError(f"{file} holds other scores ({values}): score again with `interlingua adapt score --replace`")
