"""A run's folder: what is written is there, as it was, whatever becomes of the process."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from dataclasses import astuple, fields
from operator import attrgetter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from interlingua.base.errors import InputError
from interlingua.base.paths import PROJECT_ROOT
from interlingua_loadtest.record.parquet_parts import PartWriter
from interlingua_loadtest.record.percentiles import LatencyHistogram
from interlingua_loadtest.record.record import OUTCOME_COLUMNS, PROCESS_COLUMNS, STATUSES, Outcome, ProcessSample
from interlingua_loadtest.record.request_columns import Requests
from interlingua_loadtest.record.run_folder import RunFolder, outcome_writer
from interlingua_loadtest.record.validity import Validity
from interlingua_loadtest.record.windows import Window
from tests.loadtest.record_target import PART_ROWS

NAN = math.nan


def outcome(number: int, **given: object) -> Outcome:
    values: dict[str, object] = {
        "kind": "search",
        "language": "zh-Hant",
        "query_kind": "plain",
        "depth": 20,
        "scheduled_s": number / 10,
        "sent_s": number / 10 + 0.001,
        "finished_s": number / 10 + 0.25,
        "status": "ok",
    }
    return Outcome(number=number, **(values | given))  # type: ignore[arg-type]


OUTCOMES = (
    outcome(0, detail="", tokens=17, pairs=20, queue_s=0.1, tokenize_s=0.2, compute_s=0.3, worker=3),
    outcome(1, status="unsent", sent_s=NAN, finished_s=NAN),
    outcome(2, status="error", detail="größer \N{SNOWMAN}", language="", finished_s=1e-12),
    outcome(3, status="degraded", network_s=1.5, ann_s=0.0, documents_s=-0.0, language_s=4.0, rerank_s=1 / 3),
)


def test_every_field_comes_back_as_it_was(tmp_path: Path) -> None:
    with outcome_writer(tmp_path / "requests.parquet") as writer:
        for item in reversed(OUTCOMES):
            writer.add(item)
    requests = Requests.read(tmp_path / "requests.parquet")
    assert len(requests) == 4
    for row, item in enumerate(OUTCOMES):
        read = tuple(getattr(requests, entry.name)[row].item() for entry in fields(Outcome))
        assert repr(read) == repr(astuple(item))


def test_columns_of_this_process_are_those_of_the_file(tmp_path: Path) -> None:
    with outcome_writer(tmp_path) as writer:
        for item in OUTCOMES:
            writer.add(item)
    here, read = Requests.of(OUTCOMES), Requests.read(tmp_path)
    for name in OUTCOME_COLUMNS:
        assert getattr(here, name).tolist() == pytest.approx(getattr(read, name).tolist(), nan_ok=True, abs=0)


def test_a_record_of_before_has_no_stored_token_vectors(tmp_path: Path) -> None:
    """Files that were written before there were any lack the column; a folder may hold both."""
    former = {name: kind for name, kind in OUTCOME_COLUMNS.items() if name != "stored"}
    with PartWriter(tmp_path, former, attrgetter(*former)) as writer:
        writer.add(outcome(0, pairs=20))
    with outcome_writer(tmp_path, worker=1) as writer:
        writer.add(outcome(1, stored=19, pairs=1))
    read = Requests.read(tmp_path)
    assert (read.stored.tolist(), read.pairs.tolist()) == ([0, 19], [20, 1])


def test_a_float_that_is_none_is_read_as_unknown(tmp_path: Path) -> None:
    with outcome_writer(tmp_path) as writer:
        writer.add(outcome(0, rerank_s=None))
    assert math.isnan(Requests.read(tmp_path).rerank_s[0])


def test_three_durations_are_told_apart() -> None:
    requests = Requests.of([outcome(0, scheduled_s=1.0, sent_s=1.5, finished_s=4.0), OUTCOMES[1]])
    assert (requests.latency_s[0], requests.service_s[0], requests.lag_s[0]) == (3.0, 2.5, 0.5)
    assert np.isnan([requests.latency_s[1], requests.service_s[1], requests.lag_s[1]]).all()
    statuses = Requests.of([outcome(row, status=status) for row, status in enumerate(STATUSES)])
    assert statuses.status[statuses.answered].tolist() == ["ok", "degraded"]
    assert statuses.where(~statuses.answered).number.tolist() == [2, 3, 4, 5, 6]


def test_parts_of_several_workers_are_one_table_for_any_reader(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {}, {})
    for worker in (1, 0):
        with folder.outcomes(worker) as writer:
            for number in range(worker, 10, 2):
                writer.add(outcome(number, worker=worker))
                if number % 3 == 0:
                    writer.flush()
    assert folder.requests().number.tolist() == list(range(10))
    assert folder.requests().worker.tolist() == [0, 1] * 5
    assert pq.read_table(folder.path / "requests.parquet").num_rows == 10


def test_a_worker_that_starts_again_overwrites_nothing(tmp_path: Path) -> None:
    for number in range(3):
        with outcome_writer(tmp_path) as writer:
            writer.add(outcome(number))
    assert Requests.read(tmp_path).number.tolist() == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 3


def test_finished_parts_are_not_touched_again(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, OUTCOME_COLUMNS, astuple, part_rows=5)
    for number in range(5):
        writer.add(outcome(number))
    (part,) = tmp_path.iterdir()
    before = part.stat()
    for number in range(5, 12):
        writer.add(outcome(number))
    writer.close()
    assert (before.st_ino, before.st_mtime_ns) == (part.stat().st_ino, part.stat().st_mtime_ns)
    assert writer.written == 12


def test_a_part_is_finished_after_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds from its first row on; the first of the next part begins anew."""
    writer = PartWriter(tmp_path, OUTCOME_COLUMNS, astuple, part_seconds=5.0)
    for number, (now, written) in enumerate([(100.0, 0), (104.5, 0), (105.5, 3), (109.0, 3), (113.5, 3), (114.5, 6)]):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        writer.add(outcome(number))
        assert writer.written == written


def test_a_killed_writer_loses_its_unfinished_part_alone(tmp_path: Path) -> None:
    target = [sys.executable, "-m", "tests.loadtest.record_target", str(tmp_path)]
    with subprocess.Popen(target, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line.split()[0]) >= 5.5 * PART_ROWS:
                break
        process.kill()
        said = [line, *process.stdout]
    # A last line may be cut off; the one before is whole.
    added, written = map(int, (said[-1] if said[-1].endswith("\n") else said[-2]).split())
    requests = Requests.read(tmp_path)
    assert requests.number.tolist() == list(range(len(requests)))
    assert len(requests) >= written >= 5 * PART_ROWS
    assert len(requests) > added - PART_ROWS


def test_what_is_left_of_an_unfinished_part_is_not_read(tmp_path: Path) -> None:
    with outcome_writer(tmp_path) as writer:
        writer.add(outcome(0))
    (tmp_path / ".00-00001.4711.partial").write_bytes(b"PAR1 half a part")
    (tmp_path / ".00-00002.parquet").write_bytes(b"PAR1 half a part")
    assert Requests.read(tmp_path).number.tolist() == [0]


def test_rows_that_could_not_be_written_are_kept_for_another_try(tmp_path: Path) -> None:
    folder = tmp_path / "requests.parquet"
    writer = outcome_writer(folder)
    writer.add(outcome(0))
    folder.rename(tmp_path / "away")
    with pytest.raises(InputError, match=r"cannot write .*00-00000\.parquet: No such file"):
        writer.flush()
    (tmp_path / "away").rename(folder)
    writer.add(outcome(1))
    writer.close()
    assert Requests.read(folder).number.tolist() == [0, 1]


def test_a_hundred_thousand_rows_are_quick(tmp_path: Path) -> None:
    outcomes = [outcome(number) for number in range(100_000)]
    began = time.process_time()
    with outcome_writer(tmp_path) as writer:
        for item in outcomes:
            writer.add(item)
    wrote = time.process_time() - began
    began = time.process_time()
    requests = Requests.read(tmp_path)
    read = time.process_time() - began
    assert len(requests) == 100_000
    # 2% of a core at 100 a second are 200 microseconds a request.
    assert wrote < 100_000 * 100e-6
    assert read < 2.0


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no"), (b"no parquet", "is not of a load test"), (b"", "is not of a load test")],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "requests.parquet"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        Requests.read(file)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, PROCESS_COLUMNS, astuple)
    writer.add(ProcessSample(time_s=0.0, pid=1, name="server", cpu_share=0.5, rss_mb=10.0))
    writer.close()
    with pytest.raises(InputError, match="is not of a load test"):
        Requests.read(tmp_path)


def test_a_run_begins_with_its_settings_and_ends_with_its_verdict(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "runs" / "one", {"rate": 5.0, "kinds": ("search",)}, {"digest": "d"})
    folder.write_json("triton-before", {"models": [{"name": "rerank", "time": np.float64(1.5), "left": NAN}]})
    window = Window(start_s=1.0, end_s=6.0, offered=5.0, throughput=4.9, latency_s=NAN, generator_cpu=0.2)
    folder.write_validity(Validity(is_valid=False, reasons=("late",), warm_up_s=1.0, windows=(window,), kinds=("lag",)))
    again = RunFolder(folder.path)
    assert again.settings == {"rate": 5.0, "kinds": ["search"]}
    assert again.environment == {"digest": "d"}
    assert again.read_json("triton-before") == {"models": [{"name": "rerank", "time": 1.5, "left": None}]}
    verdict = json.loads((folder.path / "validity.json").read_text(encoding="utf-8"))
    assert verdict["reasons"] == ["late"]
    assert verdict["windows"][0]["latency_s"] is None


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {}, {})
    folder.write_json("triton-after", {"first": True})
    with pytest.raises(InputError, match="there already"):
        folder.write_json("triton-after", {})
    assert folder.read_json("triton-after") == {"first": True}
    with pytest.raises(InputError, match="is not empty"):
        RunFolder.create(folder.path, {}, {})
    with pytest.raises(InputError, match="holds no run"):
        RunFolder(tmp_path)


def test_samples_of_processes_and_histograms_come_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {}, {})
    assert len(folder.processes()) == 0
    with folder.process_samples() as writer:
        writer.add(
            ProcessSample(time_s=2.0, pid=11, name="server:tritonserver", cpu_share=1.5, rss_mb=900.0, pss_mb=850.5)
        )
        writer.add(ProcessSample(time_s=1.0, pid=10, name="generator:python", cpu_share=0.25, rss_mb=80.0))
    samples = folder.processes()
    assert samples.name.tolist() == ["generator:python", "server:tritonserver"]
    assert samples.pss_mb.tolist() == pytest.approx([NAN, 850.5], nan_ok=True)
    assert samples.generator.pid.tolist() == [10]
    histogram = LatencyHistogram.of(np.array([0.1, 0.2]))
    folder.write_histograms({"latency": histogram})
    assert folder.histograms()["latency"].counts == histogram.counts
