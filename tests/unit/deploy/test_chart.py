"""What the chart makes of values: what Kubernetes takes, what Alcor reads, and no secret."""

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils
from tests.fixtures.chart import CHART, LEAST, container, rendered

from alcor.agent.config import AgentConfig
from alcor.assembly.config import Config
from alcor.runtime.config import load
from alcor.transport.nats_urls import urls_of

ELSEWHERE: dict[str, Any] = {
    "auth": {"mode": "tokens", "tokensSecret": "tokens"},
    "postgresql": {"own": False, "urlSecret": "databases", "urlsElsewhereSecret": "elsewhere"},
    "nats": {"own": False, "url": "nats://nats.example:4222", "credentialsSecret": "nats"},
    "delivery": {"tlsSecret": "delivery"},
    "gateway": {
        "replicas": 3,
        "policyConfigMap": "rules",
        "autoscaling": {"enabled": True},
        "service": {"annotations": {"example/of": "the-service"}},
        "ingress": {
            "enabled": True,
            "host": "network.example",
            "tlsSecret": "network",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"},
        },
    },
    "managers": {"replicas": 3},
    "agent": {"enabled": True, "tlsSecret": "agents", "metadataSecret": "metadata"},
    "scheduling": {
        "nodeSelector": {"role": "control"},
        "tolerations": [{"key": "control", "operator": "Exists"}],
        "priorityClassName": "system-cluster-critical",
    },
    "podMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboard": {"enabled": True},
    "settings": {"network": {"mtu_max": 8950}, "log": {"level": "warning"}},
}
ON_THREE: dict[str, Any] = LEAST | {"nats": {"replicas": 3}}
ALONE: dict[str, Any] = LEAST | {
    "gateway": {"replicas": 1},
    "managers": {"replicas": 1},
    "delivery": {"replicas": 1, "tlsSecret": "delivery"},
}
BY_NATS: dict[str, Any] = LEAST | {
    "delivery": {
        "tlsSecret": "delivery",
        "nats": {"url": "nats://hosts.example:4222", "credentialsSecret": "deliveries"},
    },
    "agent": {"enabled": True, "transport": "nats", "natsCredentialsSecret": "hosts"},
}
CASES = pytest.mark.parametrize(
    "values",
    [LEAST, ALONE, ELSEWHERE, BY_NATS, ON_THREE],
    ids=["least", "alone", "all", "nats", "three"],
)


@pytest.fixture(scope="module", autouse=True)
def schemas_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@CASES
@pytest.mark.parametrize("version", ["1.27", "1.31", "1.35"])
def test_kubernetes_takes_every_document(values: dict[str, Any], version: str) -> None:
    documents = rendered(values)

    foreign = ("PodMonitor", "PrometheusRule")
    known = [each for each in documents.values() if each["kind"] not in foreign]
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


def agent_settings(agent: Any) -> AgentConfig:
    """What an agent is told by its pod's template, on the node `node-1`."""
    environment = {each["name"]: each.get("value", "node-1") for each in container(agent)["env"]}
    return load(AgentConfig, None, environment)


def test_an_agent_is_told_any_other_setting() -> None:
    agent = ELSEWHERE["agent"] | {
        "settings": {
            "lease_s": 3600,
            "network_log_file_bytes": 67108864,
            "audit_s": 30.5,
            "network_log_file": r'/var/log/a&b/"c"\d.log',
        }
    }
    values = ELSEWHERE | {"agent": agent, "settings": {"network": {"tunnel_type": "geneve"}}}

    settings = agent_settings(rendered(values)["DaemonSet/demo-alcor-agent"])

    assert (settings.lease_s, settings.network_log_file_bytes) == (3600, 67108864)
    assert settings.audit_s == 30.5
    assert settings.network_log_file == r'/var/log/a&b/"c"\d.log'
    assert settings.tunnel_type == "geneve"  # as the control plane's, on which it depends


def mounts(document: Any) -> dict[str, tuple[Any, Any]]:
    """Of each path in the container: how it is mounted, and the volume behind it."""
    pod = document["spec"]["template"]["spec"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    return {m["mountPath"]: (m, volumes[m["name"]]) for m in container(document)["volumeMounts"]}


def test_an_agent_by_nats_is_shown_its_own_credentials_and_no_others() -> None:
    agent = rendered(BY_NATS)["DaemonSet/demo-alcor-agent"]

    settings = agent_settings(agent)
    assert settings.control_plane == "nats://hosts.example:4222"
    assert not settings.tls_ca  # the way is plain
    mount, volume = mounts(agent)[settings.nats_credentials]
    assert mount["subPathExpr"] == "$(ALCOR_HOST).creds"
    assert mount["readOnly"] is True
    assert volume["secret"] == {"secretName": "hosts"}


def test_an_agents_credentials_may_be_a_file_of_its_node() -> None:
    change = {
        "enabled": True,
        "transport": "nats",
        "controlPlane": "tls://hosts.example:4222",
        "natsCredentialsPath": "/etc/alcor/nats.creds",
        "tlsSecret": "agents",
        "tracesEndpoint": "http://collector:4318",
    }
    agent = rendered(BY_NATS | {"agent": change})["DaemonSet/demo-alcor-agent"]

    settings = agent_settings(agent)
    assert settings.control_plane == "tls://hosts.example:4222"
    assert settings.tls_ca
    assert settings.traces_endpoint == "http://collector:4318"
    mount, volume = mounts(agent)[settings.nats_credentials]
    assert "subPathExpr" not in mount
    assert volume["hostPath"] == {"path": "/etc/alcor/nats.creds", "type": "File"}


def test_deliveries_serve_hosts_by_nats_with_a_user_of_their_own(tmp_path: Path) -> None:
    documents = rendered(BY_NATS)
    path = tmp_path / "server.toml"
    path.write_text(documents["ConfigMap/demo-alcor"]["data"]["server.toml"])

    agents = load(Config, path, {}).agents

    assert agents.nats == "nats://hosts.example:4222"
    folder = str(Path(agents.nats_credentials).parent)
    _, volume = mounts(documents["Deployment/demo-alcor-delivery"])[folder]
    assert volume["secret"] == {"secretName": "deliveries"}
    for role in ("gateway", "managers"):
        assert folder not in mounts(documents[f"Deployment/demo-alcor-{role}"])


def test_by_grpc_nothing_is_said_of_nats() -> None:
    documents = rendered(ELSEWHERE)

    assert not agent_settings(documents["DaemonSet/demo-alcor-agent"]).nats_credentials
    assert "agents.nats" not in documents["ConfigMap/demo-alcor"]["data"]["server.toml"]


def test_an_agents_certificate_may_be_a_folder_of_its_node() -> None:
    change = {"enabled": True, "tlsPath": "/etc/alcor/tls"}
    agent = rendered(LEAST | {"agent": change})["DaemonSet/demo-alcor-agent"]

    folder = str(Path(agent_settings(agent).tls_certificate).parent)
    mount, volume = mounts(agent)[folder]
    assert mount["readOnly"] is True
    assert volume["hostPath"] == {"path": "/etc/alcor/tls", "type": "Directory"}


def test_servers_of_a_cluster_are_known_by_name_and_only_one_leaves_at_a_time() -> None:
    documents = rendered(ON_THREE)
    stateful = documents["StatefulSet/demo-alcor-nats"]["spec"]
    hosts = [f"{stateful['serviceName']}-{n}" for n in range(3)]

    settings = tomllib.loads(documents["ConfigMap/demo-alcor"]["data"]["server.toml"])
    assert urls_of(settings["served"]["nats"]) == [
        f"nats://{host}.{stateful['serviceName']}:4222" for host in hosts
    ]
    assert stateful["replicas"] == 3
    assert stateful["podManagementPolicy"] == "Parallel"  # else the first would wait for itself
    assert documents["Service/demo-alcor-nats"]["spec"]["publishNotReadyAddresses"] is True
    assert documents["PodDisruptionBudget/demo-alcor-nats"]["spec"]["maxUnavailable"] == 1
    assert "PodDisruptionBudget/demo-alcor-nats" not in rendered(LEAST)


def test_values_of_before_there_were_clusters_keep_their_one_server() -> None:
    kept = rendered(LEAST | {"nats": {"replicas": None}})  # `helm upgrade --reuse-values`

    assert kept == rendered(LEAST)
    assert kept["StatefulSet/demo-alcor-nats"]["spec"]["replicas"] == 1


def test_pods_of_the_control_plane_run_where_the_operator_says() -> None:
    own = ELSEWHERE | {"postgresql": {"passwordSecret": "database"}, "nats": {"own": True}}
    for name, document in rendered(own).items():
        if name.startswith(("Deployment/", "StatefulSet/")):
            pod = document["spec"]["template"]["spec"]
            assert {field: pod[field] for field in ELSEWHERE["scheduling"]} == (
                ELSEWHERE["scheduling"]
            ), name


def test_alerts_and_the_dashboard_are_those_of_the_repository() -> None:
    documents = rendered(ELSEWHERE)
    observability = CHART.parents[1] / "observability"

    rule = documents["PrometheusRule/demo-alcor"]
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    assert rule["spec"] == yaml.safe_load((observability / "alerts.yaml").read_text())
    board = documents["ConfigMap/demo-alcor-dashboard"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    kept = json.loads((observability / "dashboard.json").read_text())
    assert json.loads(board["data"]["alcor.json"]) == kept


def test_alerts_lead_to_the_runbooks_where_the_operator_has_them() -> None:
    there = "https://docs.example/alcor/runbooks.html"
    values = ELSEWHERE | {"prometheusRule": {"enabled": True, "runbooks": there}}

    groups = rendered(values)["PrometheusRule/demo-alcor"]["spec"]["groups"]

    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 20
    for rule in rules:
        page, _, heading = rule["annotations"]["runbook_url"].partition("#")
        assert (page, heading) == (there, rule["alert"].lower())


def test_who_stands_before_the_gateways_is_told_what_the_operator_says() -> None:
    documents = rendered(ELSEWHERE)

    for kind, part in (("Service", "service"), ("Ingress", "ingress")):
        told = documents[f"{kind}/demo-alcor-gateway"]["metadata"]["annotations"]
        assert told == ELSEWHERE["gateway"][part]["annotations"]


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
        ({"agent": {"transport": "carrier"}}, "transport"),
        ({"agent": {"enabled": True}}, "one of agent.tlsPath and agent.tlsSecret"),
        ({"agent": {"enabled": True, "transport": "nats"}}, "delivery.nats.url says where"),
        (BY_NATS | {"agent": BY_NATS["agent"] | {"controlPlane": "host:9697"}}, "the form nats://"),
        (
            {"delivery": BY_NATS["delivery"], "agent": {"enabled": True, "transport": "nats"}},
            "says who a host is",
        ),
    ],
)
def test_values_that_can_not_work_are_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(helm_python.HelmError, match=message):
        rendered(LEAST | change)
