"""compose.yaml as far as it can be checked without Docker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from interlingua.base.paths import PROJECT_ROOT
from interlingua.repository.triton_config import Placement, ServiceConfig
from interlingua_exporter.lint.rules.memory import DOCKER_DEFAULT, MIB
from interlingua_exporter.publication.candidate import ServingOptions
from interlingua_exporter.publication.tensorrt_serving import CACHE
from tests.deploy.deploy_files import DEPLOY, OPEN, PORTS, READY, compose, container, documents, kustomized

SERVICES = compose()["services"]
TRITONS = ("triton-gpu", "triton-cpu")


def test_each_service_belongs_to_a_profile() -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items()} == {
        "triton-gpu": ["gpu"],
        "triton-cpu": ["cpu"],
        "prometheus": ["observe"],
        "grafana": ["observe"],
    }


def test_the_two_tritons_differ_by_the_gpu_alone() -> None:
    gpu, cpu = ({key: SERVICES[name][key] for key in SERVICES[name]} for name in TRITONS)
    (device,) = gpu.pop("deploy")["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert gpu.pop("profiles") != cpu.pop("profiles")
    assert gpu == cpu


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid", "ipc", "cap_add"} & set(service)
    assert service.get("user", "10001").split(":")[0] != "0"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_loopback_alone(name: str) -> None:
    for port in SERVICES[name]["ports"]:
        assert port.startswith("127.0.0.1:"), port


def test_metrics_stay_on_loopback_wherever_the_services_listen() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert '"127.0.0.1:${INTERLINGUA_METRICS_PORT:-8002}:8002"' in text
    assert "GF_SECURITY_ADMIN_PASSWORD" not in text


@pytest.mark.parametrize("name", TRITONS)
def test_published_ports_are_those_the_flags_open(name: str) -> None:
    assert [int(port.rsplit(":", 1)[1]) for port in SERVICES[name]["ports"]] == list(OPEN.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_health_check_asks_a_port_that_the_service_has(name: str) -> None:
    kind, *command = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    if name in TRITONS:
        assert command == READY
        return
    url = command[-1]
    inside = {port.rsplit(":", 1)[1] for port in SERVICES[name]["ports"]}
    assert url.startswith("http://127.0.0.1:")
    assert url.removeprefix("http://127.0.0.1:").partition("/")[0] in inside


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert tag[-1].isdigit()
    assert "." in tag


def bind_sources(service: dict[str, Any]) -> list[Path]:
    short = [volume.split(":")[0] for volume in service["volumes"] if isinstance(volume, str)]
    return [DEPLOY / source for source in short if source.startswith(".")]


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_what_is_mounted_exists_and_is_read_only(name: str) -> None:
    assert bind_sources(SERVICES[name])
    for source in bind_sources(SERVICES[name]):
        assert source.exists(), source
    mounted = [volume for volume in SERVICES[name]["volumes"] if volume.startswith(".")]
    assert all(volume.endswith(":ro") for volume in mounted)


def test_named_volumes_are_declared() -> None:
    used = {v.split(":")[0] for s in SERVICES.values() for v in s["volumes"] if isinstance(v, str) and v[0] != "."}
    assert used == set(compose()["volumes"])


def test_models_are_mounted_read_only_and_never_made() -> None:
    """Docker would make a missing folder, empty and root's."""
    (models,) = [volume for volume in SERVICES["triton-gpu"]["volumes"] if isinstance(volume, dict)]
    assert models["target"] == "/models"
    assert models["read_only"] is True
    assert models["bind"] == {"create_host_path": False}


def test_engines_are_kept_where_an_export_writes_them() -> None:
    folder = Path(CACHE)
    assert f"tensorrt-cache:{folder}" in SERVICES["triton-gpu"]["volumes"]
    built = (DEPLOY / "Dockerfile").read_text()
    assert all(str(folder / network) in built for network in ("embedder", "reranker"))


def test_the_build_is_the_dockerfile() -> None:
    build = SERVICES["triton-gpu"]["build"]
    assert (DEPLOY / build["context"]).resolve() == PROJECT_ROOT
    assert (PROJECT_ROOT / build["dockerfile"]).is_file()


def test_the_container_is_given_longer_than_the_requests() -> None:
    """10 s is --exit-timeout-secs, as tests/deploy/test_launch.py knows."""
    assert int(SERVICES["triton-gpu"]["stop_grace_period"].removesuffix("s")) > 10


def test_prometheus_scrapes_triton_by_its_name_in_the_network() -> None:
    (settings,) = documents(DEPLOY / "prometheus" / "prometheus.yml")
    (job,) = settings["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"triton:{PORTS['metrics']}"]}]
    for name in TRITONS:
        assert SERVICES[name]["networks"]["default"]["aliases"] == ["triton"]
    for name in settings["rule_files"]:
        assert (DEPLOY / "prometheus" / name).is_file()


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = documents(provisioning / "datasources" / "prometheus.yml")[0]["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = documents(provisioning / "dashboards" / "interlingua.yml")[0]["providers"]
    folder = provider["options"]["path"]
    assert f"./grafana/dashboard.json:{folder}/dashboard.json:ro" in SERVICES["grafana"]["volumes"]


# -- shared memory -------------------------------------------------------------------------------------------------


def service(inputs: tuple[str, ...], dimension: int, texts: int) -> pb.ModelConfig:
    name, output = ("rerank", "score") if len(inputs) == 2 else ("embed", "embedding")
    message = ServiceConfig(
        name=name,
        inputs=inputs,
        output=output,
        dimension=dimension,
        max_batch_size=texts,
        outstanding_calls=2,
        versions=(1,),
        parameters={},
    ).message()
    return text_format.Parse(text_format.MessageToString(message), pb.ModelConfig())


def fullest(config: pb.ModelConfig, text_bytes: int) -> int:
    """Bytes of all instances of a service: region, and a full batch of the longest texts with its answers."""
    sizes = {pb.TYPE_STRING: text_bytes, pb.TYPE_FP32: 4, pb.TYPE_INT32: 4, pb.TYPE_INT64: 8}
    item = sum(sizes[entry.data_type] * entry.dims[0] for entry in (*config.input, *config.output))
    return sum(group.count for group in config.instance_group) * (MIB + config.max_batch_size * item)


def needed(texts: int) -> int:
    embedder, reranker = service(("text",), 384, texts), service(("query", "document"), 1, texts)
    bytes_of = ServingOptions(placement=Placement("gpu", 1, 1)).max_text_bytes
    return 2 * fullest(embedder, bytes_of) + fullest(reranker, bytes_of)


def test_shared_memory_is_what_the_comment_works_out() -> None:
    """By hand, in MiB: 4 x (1 + 4 + 64 x 1,564 B) + 2 x (1 + 8 + 64 x 32 B) = 4 x 5.095 + 2 x 9.002 = 38.4."""
    assert needed(ServingOptions(placement=Placement("gpu", 1, 1)).max_batch_size) / MIB == pytest.approx(
        38.4, abs=0.05
    )
    assert DOCKER_DEFAULT / MIB == 64
    text = (DEPLOY / "compose.yaml").read_text()
    assert "38 MiB in all" in text
    assert SERVICES["triton-gpu"]["shm_size"] == "1gb"
    assert 2 * needed(512) < 1024 * MIB


def test_kubernetes_has_the_same() -> None:
    (memory,) = [volume for volume in pod()["volumes"] if volume["name"] == "shared-memory"]
    assert memory["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Gi"}
    assert {"name": "shared-memory", "mountPath": "/dev/shm"} in container()["volumeMounts"]  # noqa: S108


def pod() -> dict[str, Any]:
    found: dict[str, Any] = kustomized("base")["Deployment"][0]["spec"]["template"]["spec"]
    return found
