"""Reading search logs: what is a record, what is not, and what is said about it."""

from __future__ import annotations

import gzip
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua_client.search.search_log import Setting
from interlingua_evaluation.monitoring.log_records import STAGES, LogReading, LogRecord, LogWindow, parse_line
from tests.evaluation.monitoring_logs import hit, result, traffic, write, write_failures


def line_of(path: Path, **changes: Any) -> bytes:
    value = json.loads(path.read_text().splitlines()[0])
    return json.dumps({**value, **changes}).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    hits = [hit("pt-BR", 0.9, 3.5, score=1.5), hit("en", 0.8, 2.5, rank=2, score=1.25)]
    return write(tmp_path / "search.log", [result("de", hits, total_s=0.25, truncated=True)])


def read(path: Path) -> LogRecord:
    [record] = LogReading(paths=[path])
    return record


def test_a_search(path: Path) -> None:
    record = read(path)
    assert (record.group, record.source, record.error) == ("de", "detected", "")
    assert record.setting == Setting("embedder-1", "reranker-1", True)
    assert abs(record.time - datetime.now(UTC).timestamp()) < 60
    answer = record.answer
    assert answer is not None
    assert answer.hit_languages == ("pt-BR", "en")
    assert (answer.dense, answer.logit, answer.margin) == (0.9, 3.5, 0.25)
    assert (answer.filtered, answer.truncated, answer.reason) == (False, True, "")
    times = dict(zip(STAGES, answer.times, strict=True))
    assert (times["total_s"], times["rerank_s"]) == (0.25, 0.01)
    assert math.isnan(times["queue_s"])


def test_scores_of_two_kinds_have_no_margin(tmp_path: Path) -> None:
    first, second = hit("en", 0.9, 3.5, score=1.5), hit("en", 0.8, None, rank=2)
    answer = read(write(tmp_path / "a.log", [result("en", [first, second])])).answer
    assert answer is not None
    assert math.isnan(answer.margin)


@pytest.mark.parametrize(
    ("changes", "filtered", "scored"),
    [
        ({"languages": ["en"]}, True, True),
        ({"filter": True}, True, True),
        ({"filter": {"tenant": "acme"}}, True, True),
        ({"pinned": True}, True, True),
        ({"filter": {}}, False, True),
        ({"words": "off"}, False, True),
        ({"words": "bm25"}, True, False),
        ({"words": "fusion"}, True, False),
    ],
    ids=str,
)
def test_searches_for_a_part_and_by_words_are_told_from_the_others(
    path: Path, changes: dict[str, Any], *, filtered: bool, scored: bool
) -> None:
    answer = parse_line(line_of(path, **changes)).answer
    assert answer is not None
    assert answer.filtered == filtered
    assert [not math.isnan(value) for value in (answer.dense, answer.logit, answer.margin)] == [scored] * 3


def test_a_log_of_an_earlier_version_says_nothing_of_filters_and_words(path: Path) -> None:
    value = json.loads(path.read_text())
    for name in ("filter", "pinned", "words"):
        del value[name]
    answer = parse_line(json.dumps(value).encode()).answer
    assert answer is not None
    assert (answer.filtered, answer.dense) == (False, 0.9)


def test_languages_that_are_not_known_have_groups(tmp_path: Path) -> None:
    results = [result(None, [], source="unsure"), result(None, [], source="unused"), result("fr", [], source="given")]
    groups = [record.group for record in LogReading(paths=[write(tmp_path / "a.log", results)])]
    assert groups == ["(unsure)", "(not detected)", "fr"]


def test_a_failed_search(tmp_path: Path) -> None:
    write_failures(tmp_path / "a.log", "de", 1)
    record = read(tmp_path / "a.log")
    assert (record.group, record.error, record.answer) == ("de", "away", None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"format": 1', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not a JSON object"),
        (b"{}", "its `format` is 'None', this version reads 1"),
        (b'{"format": 2}', "its `format` is '2'"),
        (b'{"format": 1}', "`language` is missing"),
        (b"[" * 100_000, "nested too deeply"),
    ],
    ids=["cut", "bytes", "list", "other object", "newer", "incomplete", "deep"],
)
def test_what_is_no_record(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("[", r"\[")):
        parse_line(line)


@pytest.mark.parametrize(
    "changes",
    [
        {"hits": "many"},
        {"hits": [{"language": "en", "dense_score": "0.9", "rerank_score": None}]},
        {"hits": [{"language": "\x1b[31m", "dense_score": 0.9, "rerank_score": None}]},
        {"hits": [{"language": "en", "dense_score": True, "rerank_score": None}]},
        {"hits": [{"language": "en", "dense_score": math.nan, "rerank_score": None}]},
        {"hits": [{"language": "en", "dense_score": 10**400, "rerank_score": None}]},
        {"time": "yesterday"},
        {"time": 5},
        {"embedder": "\x1b[2J"},
        {"language": None},
        {"times": []},
        {"reranking": {}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_fields_of_other_kinds(path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_line(line_of(path, **changes))


def test_bad_lines_are_counted_and_the_first_are_named(path: Path) -> None:
    good = path.read_bytes()
    path.write_bytes(good + b"\n" + b"{}\n" * 7 + good + good[:100])
    reading = LogReading(paths=[path])
    assert len(list(reading)) == 2
    assert (reading.lines, reading.bad) == (10, 8)
    assert [bad.number for bad in reading.first_bad] == [3, 4, 5, 6, 7]
    assert {bad.file for bad in reading.first_bad} == {str(path)}


def test_half_a_line_at_the_end_is_tolerated(path: Path) -> None:
    good = path.read_bytes()
    path.write_bytes(good + good[:-20])
    reading = LogReading(paths=[path])
    assert len(list(reading)) == 1
    assert [(bad.number, bad.reason) for bad in reading.first_bad] == [(2, "cut off by the file's end")]


def test_compressed_logs(path: Path, tmp_path: Path) -> None:
    packed = tmp_path / "search.log.1.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(LogReading(paths=[packed, path])) == [read(path)] * 2
    packed.write_bytes(gzip.compress(path.read_bytes() * 50)[:-9])
    with pytest.raises(InputError, match=rf"cannot read {packed}"):
        list(LogReading(paths=[packed]))


def test_a_window_takes_its_beginning_and_not_its_end(path: Path) -> None:
    moments = ["2026-01-01T00:00:00+00:00", "2026-01-01T23:59:59.999Z", "2026-01-02T01:00:00+01:00", "2026-01-03"]
    path.write_bytes(b"".join(line_of(path, time=moment) for moment in moments))
    day = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    reading = LogReading(paths=[path], window=LogWindow(day, day + 86400))
    # The third is midnight between the two days in UTC: the end, which is left out.
    assert [record.time - day for record in reading] == [0, pytest.approx(86399.999)]
    assert (reading.outside, reading.first, reading.last) == (2, day, pytest.approx(day + 86399.999))
    with pytest.raises(InputError, match="none of 4 searches is of the time asked for"):
        list(LogReading(paths=[path], window=LogWindow(0, 1)))


def test_logs_without_a_search(tmp_path: Path) -> None:
    empty, other = tmp_path / "empty.log", tmp_path / "other.log"
    empty.touch()
    other.write_text('\n{"level": "info"}\nhello\n')
    with pytest.raises(InputError, match="no search was logged"):
        list(LogReading(paths=[empty]))
    with pytest.raises(InputError, match=r"none of 2 lines .*other.log line 2: its `format`"):
        list(LogReading(paths=[empty, other]))
    with pytest.raises(InputError, match=r"cannot read .*missing"):
        list(LogReading(paths=[tmp_path / "missing"]))


def test_everything_written_is_read(tmp_path: Path) -> None:
    results = traffic(3, {"de": 20, "fr": 30})
    records = list(LogReading(paths=[write(tmp_path / "a.log", results)]))
    assert [record.group for record in records] == [item.language.tag for item in results]
    first = [record.answer.dense for record in records if record.answer]
    assert first == pytest.approx([item.hits[0].dense_score for item in results], abs=1e-6)
