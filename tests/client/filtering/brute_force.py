"""An independent reading of filters, document by document, and random filters and documents to compare by."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

DAYS = ["2023-12-31", "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T23:30:00-01:00", "2024-03", "2025"]
TEXTS = ["acme", "acme-2", "Acme", "", "É", "E\u0301", "日本", *DAYS]
NUMBERS: list[Any] = [0, 1, 1.0, 2.5, -3, 2**53, 2**53 + 1]
VALUES: list[Any] = [*TEXTS, *NUMBERS, True, False]
FIELDS = ["a", "b", "deep.er", "list"]


def random_document(chance: random.Random) -> dict[str, Any]:
    """A document's metadata, with fields missing, null, of several kinds, and of several values."""
    made: dict[str, Any] = {}
    for field in ("a", "b"):
        if chance.random() < 0.7:
            made[field] = chance.choice([*VALUES, None])
    if chance.random() < 0.6:
        made["deep"] = {"er": chance.choice(VALUES)} if chance.random() < 0.7 else chance.choice(VALUES)
    if chance.random() < 0.7:
        made["list"] = chance.choices([*VALUES, None], k=chance.randrange(4))
    return made


def random_filter(chance: random.Random, depth: int = 3) -> dict[str, Any]:
    """A filter without mistakes."""
    kind = chance.choice(["value", "value", "list", "number", "date", "prefix", "exists", "and", "or", "not", "two"])
    if depth and kind in ("and", "or"):
        return {kind: [random_filter(chance, depth - 1) for _ in range(chance.randrange(1, 4))]}
    if depth and kind == "not":
        return {"not": random_filter(chance, depth - 1)}
    if depth and kind == "two":
        return {**random_filter(chance, 0), **random_filter(chance, depth - 1)}
    bounds = chance.sample(["gt", "gte", "lt", "lte"], k=chance.randrange(1, 3))
    tests: dict[str, Any] = {
        "list": chance.choices(VALUES, k=chance.randrange(4)),
        "number": {name: chance.choice(NUMBERS) for name in bounds},
        "date": {name: chance.choice(DAYS) for name in bounds},
        "prefix": {"prefix": chance.choice(["a", "ac", "É", "2024", ""])},
        "exists": {"exists": chance.random() < 0.5},
    }
    return {chance.choice(FIELDS): tests.get(kind, chance.choice(VALUES))}


def passes(document: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a document meets a filter, by the words of docs/filters.md."""
    return all(_part(document, key, asked) for key, asked in wanted.items())


def _part(document: dict[str, Any], key: str, asked: Any) -> bool:
    if key == "and":
        return all(passes(document, one) for one in asked)
    if key == "or":
        return any(passes(document, one) for one in asked)
    if key == "not":
        return not passes(document, asked)
    outer, _, inner = key.partition(".")
    held = document.get(outer)
    if inner:
        held = held.get(inner) if isinstance(held, dict) else None
    values = [one for one in (held if isinstance(held, list) else [held]) if one is not None]
    if not isinstance(asked, dict):
        return any(_same(value, one) for value in values for one in (asked if isinstance(asked, list) else [asked]))
    if "exists" in asked:
        return bool(values) == asked["exists"]
    return any(all(_holds(value, name, limit) for name, limit in asked.items()) for value in values)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.replace("E\u0301", "É") == right.replace("E\u0301", "É")
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _holds(value: Any, name: str, limit: Any) -> bool:
    if name == "prefix":
        return isinstance(value, str) and value.replace("E\u0301", "É").startswith(limit)
    if isinstance(limit, str):
        if value not in DAYS or not isinstance(value, str):
            return False
        moment, (first, last) = _moments(value)[0], _moments(limit)
        return {"gt": moment > last, "gte": moment >= first, "lt": moment < first, "lte": moment <= last}[name]
    if isinstance(value, bool | str):
        return False
    return bool({"gt": value > limit, "gte": value >= limit, "lt": value < limit, "lte": value <= limit}[name])


def _moments(day: str) -> tuple[datetime, datetime]:
    """The first and the last moment that a date names."""
    if "T" in day:
        moment = datetime.fromisoformat(day)
        return moment, moment
    year, month, date = [*day.split("-"), "", ""][:3]
    first = datetime(int(year), int(month or 1), int(date or 1), tzinfo=UTC)
    days = 1 if date else 31 if month else 365  # of those above: March, and a year without a 29th of February
    return first, first + timedelta(days=days) - timedelta(microseconds=1)
