"""An int8 network that a CPU gets wrong is not served there."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import ServerError
from interlingua.base.processor import Processor, this_processor
from interlingua.repository.published import Published
from interlingua.repository.triton_config import NetworkConfig, Placement, write_config
from interlingua_server.exact_products import require_exact_products

OLD = Processor("AMD EPYC 7763", "x86_64", frozenset({"avx2", "fma"}))
NEW = Processor("AMD EPYC 9754", "x86_64", frozenset({"avx2", "avx512f", "avx512_vnni"}))
CLIENT = Processor("Core i5-12400", "x86_64", frozenset({"avx2", "avx_vnni"}))
ARM = Processor("Neoverse N1", "aarch64", frozenset({"asimddp"}))


def published(root: Path, *, kind: str = "cpu", **stated: str) -> Published:
    """A repository with one network, of which nothing but the configuration is looked at."""
    config = NetworkConfig(
        name="embedder",
        inputs=("input_ids",),
        output="embedding",
        dimension=4,
        max_batch_size=8,
        placement=Placement(kind, 1, 1),  # type: ignore[arg-type]
        versions=(1, 2),
        parameters={name.replace("_of_", "/").removeprefix("v"): value for name, value in stated.items()},
        warmup=(),
    )
    (root / "embedder").mkdir(parents=True)
    write_config(config.message(), root / "embedder" / "config.pbtxt")
    return Published.read(root)


@pytest.mark.parametrize("stated", [{"v2_of_weight_bits": "8"}, {}], ids=["8 bits", "before bits were stated"])
def test_eight_bits_are_refused_without_vnni(tmp_path: Path, stated: dict[str, str]) -> None:
    bits = {"v1_of_precision": "int8", "v1_of_weight_bits": "7", "v2_of_precision": "int8"} | stated
    found = published(tmp_path, **bits)
    with pytest.raises(ServerError, match=r"^embedder/2: .*AMD EPYC 7763 \(AVX2\).*--weight-bits 7") as refused:
        require_exact_products(found, OLD)
    assert "embedder/1" not in str(refused.value)
    for exact in (NEW, CLIENT, ARM):
        require_exact_products(found, exact)


@pytest.mark.parametrize(
    ("line", "other"),
    [("kind: KIND_CPU", ""), ("specific {\n    versions: 1\n    versions: 2\n  }", "latest { num_versions: 1 }")],
    ids=["no kind: a CPU where there is no GPU", "another version policy"],
)
def test_a_configuration_changed_by_hand_is_looked_at_as_well(tmp_path: Path, line: str, other: str) -> None:
    published(tmp_path, v1_of_precision="int8", v1_of_weight_bits="8")
    path = tmp_path / "embedder" / "config.pbtxt"
    assert line in path.read_text()
    path.write_text(path.read_text().replace(line, other))
    with pytest.raises(ServerError, match=r"^embedder/1: "):
        require_exact_products(Published.read(tmp_path), OLD)


@pytest.mark.parametrize(
    ("kind", "precision"), [("cpu", "fp32"), ("gpu", "int8")], ids=["fp32", "int8 in a GPU's repository"]
)
def test_what_is_no_product_of_int8_on_a_cpu_is_served_everywhere(tmp_path: Path, kind: str, precision: str) -> None:
    require_exact_products(published(tmp_path, kind=kind, v1_of_precision=precision), OLD)


def test_a_processor_is_read_from_what_linux_says(tmp_path: Path) -> None:
    facts = tmp_path / "cpuinfo"
    core = "model name\t: {}\nflags\t\t: fpu {}\n\n"
    facts.write_text(core.format("First", "avx2 avx512f avx512_vnni") + core.format("Second", "avx2"))
    assert str(this_processor(facts)) == "First (AVX2, AVX-512, VNNI)"
    facts.write_text("processor\t: 0\nFeatures\t: fp asimd asimddp i8mm bf16\n")
    assert this_processor(facts).features == "bf16, dotprod, i8mm"
    assert this_processor(tmp_path / "none").flags == frozenset()
