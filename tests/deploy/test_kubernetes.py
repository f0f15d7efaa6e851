"""The manifests: what they must carry, and that they agree with each other and with the image."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.deploy_files import (
    DEPLOY,
    OPEN,
    PORTS,
    READY,
    compose,
    container,
    documents,
    instructions,
    kustomized,
)

KUBERNETES = DEPLOY / "kubernetes"
BASE = kustomized("base")
DEPLOYMENT = BASE["Deployment"][0]
POD = DEPLOYMENT["spec"]["template"]
SELECTOR = DEPLOYMENT["spec"]["selector"]["matchLabels"]


def manifests() -> list[Any]:
    found = [*BASE.values(), *kustomized("autoscaled").values()]
    return [pytest.param(one, id=f"{one['kind']} {one['metadata']['name']}") for group in found for one in group]


@pytest.mark.parametrize("manifest", manifests())
def test_a_manifest_says_what_it_is(manifest: dict[str, Any]) -> None:
    versions = {
        "Namespace": "v1",
        "PersistentVolumeClaim": "v1",
        "Service": "v1",
        "Deployment": "apps/v1",
        "PodDisruptionBudget": "policy/v1",
        "NetworkPolicy": "networking.k8s.io/v1",
        "HorizontalPodAutoscaler": "autoscaling/v2",
    }
    assert manifest["apiVersion"] == versions[manifest["kind"]]
    assert manifest["metadata"]["name"].startswith("interlingua")


@pytest.mark.parametrize("folder", ["base", "autoscaled"])
def test_every_file_is_part_of_a_kustomization(folder: str) -> None:
    (kustomization,) = documents(KUBERNETES / folder / "kustomization.yaml")
    listed = {name for name in kustomization["resources"] if not name.startswith("..")}
    apart = {"kustomization.yaml", "prometheus-adapter.yaml"}  # the second one is for Helm
    assert listed == {path.name for path in (KUBERNETES / folder).glob("*.yaml")} - apart
    for name in kustomization["resources"]:
        assert (KUBERNETES / folder / name).exists()


def test_image_ports_and_user_are_the_dockerfiles() -> None:
    assert container()["image"] == compose()["services"]["triton-gpu"]["image"]
    assert {port["name"]: port["containerPort"] for port in container()["ports"]} == OPEN
    security = POD["spec"]["securityContext"]
    assert instructions("USER") == [f"{security['runAsUser']}:{security['runAsGroup']}"]


def test_the_pod_may_do_no_more_than_it_must() -> None:
    """What the namespace's `restricted` level demands, and a root file system that cannot be written."""
    assert POD["spec"]["securityContext"]["runAsNonRoot"] is True
    assert POD["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert BASE["Namespace"][0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_probes_ask_what_they_are_for() -> None:
    """Nothing by the clock may end a busy server: launch.py, which tells it from a stuck one, is the first process."""
    assert container()["startupProbe"]["exec"]["command"] == READY
    assert container()["readinessProbe"]["exec"]["command"] == READY
    assert "livenessProbe" not in container()


def test_a_pod_has_the_time_to_end() -> None:
    """preStop, then Triton's own timeout, then something for the processes of the services."""
    (stop,) = [entry["value"] for entry in container()["env"] if entry["name"] == "INTERLINGUA_STOP_TIMEOUT_S"]
    before = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert POD["spec"]["terminationGracePeriodSeconds"] >= before + int(stop) + 10
    (grace,) = [flag for flag in container()["args"] if flag.startswith("--grpc-max-connection-age-grace=")]
    assert int(grace.partition("=")[2]) == 1000 * int(stop)


def test_a_replica_has_one_gpu() -> None:
    """Kubernetes wants equal requests and limits of it."""
    resources = container()["resources"]
    assert resources["requests"]["nvidia.com/gpu"] == resources["limits"]["nvidia.com/gpu"] == "1"
    assert {"cpu", "memory"} <= set(resources["requests"])
    assert "cpu" not in resources["limits"]  # a limit would throttle the tokenizer in the middle of a batch


def test_volumes_and_mounts_match_and_models_are_read_only() -> None:
    volumes = {volume["name"]: volume for volume in POD["spec"]["volumes"]}
    mounts = {mount["name"]: mount for mount in container()["volumeMounts"]}
    assert set(volumes) == set(mounts)
    claim = volumes["models"]["persistentVolumeClaim"]
    assert claim == {"claimName": BASE["PersistentVolumeClaim"][0]["metadata"]["name"], "readOnly": True}
    assert mounts["models"] == {"name": "models", "mountPath": "/models", "readOnly": True}


def test_everything_selects_the_pods() -> None:
    assert POD["metadata"]["labels"] == SELECTOR
    for service in BASE["Service"]:
        assert service["spec"]["selector"] == SELECTOR
    assert BASE["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"] == SELECTOR
    assert BASE["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"] == SELECTOR
    assert POD["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == SELECTOR


def test_services_lead_to_ports_of_the_pod() -> None:
    for service in BASE["Service"]:
        for port in service["spec"]["ports"]:
            assert PORTS[port["targetPort"]] == port["port"]
    kinds = {service["metadata"]["name"]: service["spec"].get("clusterIP") for service in BASE["Service"]}
    assert kinds == {"interlingua-triton": None, "interlingua-triton-replicas": "None"}


def test_prometheus_finds_the_metrics() -> None:
    annotations = POD["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(PORTS["metrics"])


def test_the_network_policy_lets_in_calls_and_scrapes_and_nothing_else() -> None:
    spec = BASE["NetworkPolicy"][0]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == []
    assert all(rule["from"] for rule in spec["ingress"])
    opened = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
    assert opened == [PORTS["grpc"], PORTS["metrics"]]


def test_a_drain_leaves_a_replica() -> None:
    assert BASE["PodDisruptionBudget"][0]["spec"]["maxUnavailable"] < DEPLOYMENT["spec"]["replicas"]


def test_the_autoscaler_scales_the_deployment_by_a_metric_that_the_adapter_serves() -> None:
    (scaler,) = kustomized("autoscaled")["HorizontalPodAutoscaler"]
    reference = {key: DEPLOYMENT[key] for key in ("apiVersion", "kind")} | {"name": DEPLOYMENT["metadata"]["name"]}
    assert scaler["spec"]["scaleTargetRef"] == reference
    (metric,) = scaler["spec"]["metrics"]
    (adapter,) = documents(KUBERNETES / "autoscaled" / "prometheus-adapter.yaml")
    (rule,) = adapter["rules"]["custom"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    assert scaler["spec"]["minReplicas"] == DEPLOYMENT["spec"]["replicas"] < scaler["spec"]["maxReplicas"]


def test_the_autoscaled_overlay_takes_the_fixed_number_out() -> None:
    (kustomization,) = documents(KUBERNETES / "autoscaled" / "kustomization.yaml")
    (patch,) = kustomization["patches"]
    assert patch["target"] == {"kind": "Deployment", "name": DEPLOYMENT["metadata"]["name"]}
    assert "op: remove" in patch["patch"]
    assert "path: /spec/replicas" in patch["patch"]
