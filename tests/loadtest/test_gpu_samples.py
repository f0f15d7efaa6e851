"""What nvidia-smi prints, as samples. The program stands in for the driver's; its lines are as the driver's are."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from interlingua_loadtest.run.gpu_samples import GpuSampler

PROGRAM = """#!/bin/sh
echo "$@" > {arguments}
while true; do
    echo "0, 37, 1234"
    echo "1, [N/A], 10"
    echo "No devices were found"
    sleep 0.05
done
"""


def test_a_sample_a_gpu_until_the_run_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(PROGRAM.format(arguments=tmp_path / "arguments"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    began = time.monotonic()
    with GpuSampler(period_s=0.25) as sampler:
        while len(sampler.samples) < 3 and time.monotonic() < began + 60:
            time.sleep(0.01)
    samples = sampler.samples
    assert len(samples) >= 3
    assert {(sample.name, sample.cpu_share, sample.rss_mb, sample.pid) for sample in samples} == {
        ("gpu:0", 0.37, 1234.0, 0)
    }
    assert all(began <= sample.time_s <= time.monotonic() for sample in samples)
    assert (tmp_path / "arguments").read_text().split()[-1] == "--loop-ms=250"
    time.sleep(0.2)
    assert len(sampler.samples) == len(samples)


def test_without_the_program_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with GpuSampler() as sampler:
        pass
    assert sampler.samples == []
