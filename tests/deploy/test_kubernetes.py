"""deploy/kubernetes: builds, follows the API's schemas, and its parts fit together."""

from __future__ import annotations

import copy
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.conftest import missing
from tests.deploy.places import DEPLOY

VERSIONS = ("1.29", "1.34")
"""Oldest and newest API that the manifests are checked against."""
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    """What `kubectl apply -k deploy/kubernetes/example` sends."""
    if shutil.which("kubectl") is None:
        missing("kubectl")
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes/example")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [m for m in manifests if m["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    return next(m for m in of(manifests, kind) if m["metadata"]["name"] == name)


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        m["metadata"]["name"]: m["spec"]["template"]
        for m in of(manifests, "Deployment", "StatefulSet", "Job")
    }


def matches(selector: Manifest, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert all(e["operator"] == "In" for e in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(e["key"]) in e["values"] for e in expressions
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_they_follow_the_schemas(manifests: list[Manifest], version: str) -> None:
    kinds = [m["kind"] for m in manifests]
    assert kinds.count("Cluster") == 1  # CloudNativePG's own kind: no schema of it here
    for manifest in manifests:
        if manifest["kind"] != "Cluster":
            kubernetes_validate.validate(manifest, version, strict=True)


def test_what_does_not_follow_them_is_found(manifests: list[Manifest]) -> None:
    wrong = copy.deepcopy(named(manifests, "StatefulSet", "kinebox-ingest"))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_pods_pass_the_restricted_standard(manifests: list[Manifest]) -> None:
    assert set(pods(manifests)) == {"kinebox-ingest", "kinebox-api", "kinebox-schema"}
    for template in pods(manifests).values():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        for volume in spec["volumes"]:
            assert {"secret", "emptyDir"} & volume.keys(), volume
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert container["resources"]["limits"]["memory"]


def test_services_are_probed_at_ports_they_have(manifests: list[Manifest]) -> None:
    for name in ("kinebox-ingest", "kinebox-api"):
        container = pods(manifests)[name]["spec"]["containers"][0]
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            how = container[probe]
            assert (how.get("httpGet") or how["tcpSocket"])["port"] in ports


def test_a_replica_of_ingest_is_known_by_the_name_of_its_pod(manifests: list[Manifest]) -> None:
    container = pods(manifests)["kinebox-ingest"]["spec"]["containers"][0]
    client = next(e for e in container["env"] if e["name"] == "KINEBOX_INGEST_CLIENT_ID")
    assert client["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_secrets_are_named_and_not_told(manifests: list[Manifest]) -> None:
    assert not of(manifests, "Secret")
    for template in pods(manifests).values():
        for variable in template["spec"]["containers"][0]["env"]:
            assert "secretKeyRef" not in variable.get("valueFrom", {})


def test_settings_that_are_asked_for_are_there(manifests: list[Manifest]) -> None:
    there = named(manifests, "ConfigMap", "kinebox-cloud")["data"].keys()
    for template in pods(manifests).values():
        for variable in template["spec"]["containers"][0]["env"]:
            if reference := variable.get("valueFrom", {}).get("configMapKeyRef"):
                assert reference["key"] == variable["name"]
                assert reference["key"] in there


def test_mounts_have_volumes_and_files_lie_in_mounts(manifests: list[Manifest]) -> None:
    for template in pods(manifests).values():
        container = template["spec"]["containers"][0]
        mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in template["spec"]["volumes"]}
        for variable in container["env"]:
            if variable.get("value", "").startswith("/"):
                assert variable["value"].rpartition("/")[0] in mounts.values()


def test_every_selector_finds_its_pods(manifests: list[Manifest]) -> None:
    labels = [template["metadata"]["labels"] for template in pods(manifests).values()]
    selectors = [m["spec"]["podSelector"] for m in of(manifests, "NetworkPolicy")]
    selectors += [
        m["spec"]["selector"] for m in of(manifests, "PodDisruptionBudget", "StatefulSet", "Deployment")
    ]
    selectors += [
        {"matchLabels": m["spec"]["selector"]}
        for m in of(manifests, "Service")
        if m["metadata"]["name"] != "kinebox-nobody"
    ]
    assert len(selectors) == 11
    for selector in selectors:
        assert any(matches(selector, each) for each in labels), selector
    nobody = named(manifests, "NetworkPolicy", "nobody")["spec"]
    assert all(matches(nobody["podSelector"], each) for each in labels)
    assert nobody["policyTypes"] == ["Ingress", "Egress"]
    assert nobody.keys() == {"podSelector", "policyTypes"}


def test_references_lead_somewhere(manifests: list[Manifest]) -> None:
    target = named(manifests, "HorizontalPodAutoscaler", "kinebox-api")["spec"]["scaleTargetRef"]
    assert named(manifests, target["kind"], target["name"])
    for template in pods(manifests).values():
        assert named(manifests, "ServiceAccount", template["spec"]["serviceAccountName"])
    for ingress in of(manifests, "Ingress"):
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            assert named(manifests, "Service", path["backend"]["service"]["name"])
    cluster = of(manifests, "Cluster")[0]
    url = named(manifests, "ConfigMap", "kinebox-cloud")["data"]["KINEBOX_DATABASE_URL"]
    assert f"//{cluster['metadata']['name']}-rw/{cluster['spec']['bootstrap']['initdb']['database']}?" in url
    reach = named(manifests, "NetworkPolicy", "names-and-database")["spec"]["egress"][1]["to"][0]
    assert reach["podSelector"]["matchLabels"] == {"cnpg.io/cluster": cluster["metadata"]["name"]}


def test_autoscaling_stays_below_the_connections_of_the_database(manifests: list[Manifest]) -> None:
    most = named(manifests, "HorizontalPodAutoscaler", "kinebox-api")["spec"]["maxReplicas"]
    container = pods(manifests)["kinebox-api"]["spec"]["containers"][0]
    pool = next(int(e["value"]) for e in container["env"] if e["name"] == "KINEBOX_API_POOL_SIZE")
    connections = of(manifests, "Cluster")[0]["spec"]["postgresql"]["parameters"]["max_connections"]
    assert most * pool < int(connections) / 2
