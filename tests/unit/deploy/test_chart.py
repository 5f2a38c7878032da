"""What the chart makes of values: what Kubernetes takes, what Alcor reads, and no secret."""

from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from tests.chart import CHART, LEAST, container, rendered

from alcor.agent.config import AgentConfig
from alcor.assembly.config import Config
from alcor.runtime.config import load

ELSEWHERE: dict[str, Any] = {
    "auth": {"mode": "tokens", "tokensSecret": "tokens"},
    "postgresql": {"own": False, "urlSecret": "databases", "urlsElsewhereSecret": "elsewhere"},
    "nats": {"own": False, "url": "nats://nats.example:4222", "credentialsSecret": "nats"},
    "delivery": {"tlsSecret": "delivery"},
    "gateway": {
        "replicas": 3,
        "policyConfigMap": "rules",
        "autoscaling": {"enabled": True},
        "ingress": {"enabled": True, "host": "network.example", "tlsSecret": "network"},
    },
    "managers": {"replicas": 3},
    "agent": {"enabled": True, "tlsSecret": "agents", "metadataSecret": "metadata"},
    "podMonitor": {"enabled": True},
    "settings": {"network": {"mtu_max": 8950}, "log": {"level": "warning"}},
}
ALONE: dict[str, Any] = LEAST | {
    "gateway": {"replicas": 1},
    "managers": {"replicas": 1},
    "delivery": {"replicas": 1, "tlsSecret": "delivery"},
}
CASES = pytest.mark.parametrize("values", [LEAST, ALONE, ELSEWHERE], ids=["least", "alone", "all"])


@CASES
@pytest.mark.parametrize("version", ["1.27", "1.31", "1.35"])
def test_kubernetes_takes_every_document(values: dict[str, Any], version: str) -> None:
    documents = rendered(values)

    known = [each for each in documents.values() if each["kind"] != "PodMonitor"]
    assert len(known) >= 9
    for each in known:
        kubernetes_validate.validate(each, version, strict=True)


@CASES
def test_helm_finds_no_fault(values: dict[str, Any]) -> None:
    found = helm_python.lint(str(CHART), values)

    assert found["errors"] == []
    assert [m["error"] for m in found["messages"]] == ["icon is recommended"]


@CASES
def test_the_control_plane_reads_its_settings(tmp_path: Path, values: dict[str, Any]) -> None:
    documents = rendered(values)
    path = tmp_path / "server.toml"
    path.write_text(documents["ConfigMap/demo-alcor"]["data"]["server.toml"])

    for role in ("gateway", "managers", "delivery"):
        ran = container(documents[f"Deployment/demo-alcor-{role}"])
        assert ran["args"] == ["serve", role, "--config", "/etc/alcor/server.toml"]
        environment = {each["name"]: each.get("value", "a-secret") for each in ran["env"]}
        settings = load(Config, path, environment)
        assert settings.served.nats
        assert settings.served.postgres
        assert settings.agents.tls_authority
        assert settings.auth in ("keystone", "tokens")
    if values is ELSEWHERE:
        assert settings.network.mtu_max == 8950
        assert settings.gateway.policy_file == "/etc/alcor-policy/policy.yaml"


def test_an_agent_reads_its_settings() -> None:
    ran = container(rendered(ELSEWHERE)["DaemonSet/demo-alcor-agent"])

    environment = {each["name"]: each.get("value", "node-1") for each in ran["env"]}
    settings = load(AgentConfig, None, environment)

    assert ran["args"] == ["agent"]
    assert settings.host == "node-1"
    assert settings.control_plane == "demo-alcor-delivery.net.svc:9697"
    assert settings.metadata_secret_file == "/etc/alcor-metadata/secret"


@CASES
def test_what_is_mounted_is_there(values: dict[str, Any]) -> None:
    for name, document in rendered(values).items():
        if not name.startswith(("Deployment/", "DaemonSet/", "StatefulSet/")):
            continue
        volumes = {each["name"] for each in document["spec"]["template"]["spec"].get("volumes", [])}
        claimed = document["spec"].get("volumeClaimTemplates", [])
        volumes |= {each["metadata"]["name"] for each in claimed}
        mounted = {each["name"] for each in container(document)["volumeMounts"]}
        assert mounted == volumes, name


@CASES
def test_roles_are_asked_whether_they_live_and_are_ready(values: dict[str, Any]) -> None:
    documents = rendered(values)

    for role in ("gateway", "managers", "delivery"):
        ran = container(documents[f"Deployment/demo-alcor-{role}"])
        ports = {each["name"] for each in ran["ports"]}
        asked = {kind: ran[kind]["httpGet"] for kind in ("livenessProbe", "readinessProbe")}
        assert asked["livenessProbe"]["path"] == "/healthz"
        assert asked["readinessProbe"]["path"] == "/readyz"
        assert {each["port"] for each in asked.values()} <= ports
        assert ran["securityContext"]["runAsNonRoot"] is True


def test_a_disruption_leaves_one_where_there_are_more() -> None:
    assert not [name for name in rendered(ALONE) if name.startswith("PodDisruptionBudget/")]
    budgets = [name for name in rendered(LEAST) if name.startswith("PodDisruptionBudget/")]
    assert sorted(budgets) == [
        "PodDisruptionBudget/demo-alcor-delivery",
        "PodDisruptionBudget/demo-alcor-gateway",
        "PodDisruptionBudget/demo-alcor-managers",
    ]


def test_hosts_always_find_a_delivery() -> None:
    delivery = rendered(LEAST)["Deployment/demo-alcor-delivery"]["spec"]

    assert delivery["replicas"] == 2
    assert delivery["strategy"] == {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gateway": {"replica": 3}}, "replica"),
        ({"gateway": {"replicas": 0}}, "replicas"),
        ({"auth": {"mode": "none"}}, "mode"),
        ({"managers": {"replicas": "two"}}, "replicas"),
        ({"postgresql": {"own": True}}, "postgresql.passwordSecret names a Secret"),
        ({"nats": {"own": False}}, "nats.url says where NATS is"),
        ({"delivery": {}}, "delivery.tlsSecret names a Secret"),
    ],
)
def test_values_that_can_not_work_are_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(helm_python.HelmError, match=message):
        rendered(LEAST | change)
