"""The commands that are made of declarations, against a real control plane."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from alcor.cli.kinds import resources
from alcor.cli.main import app

Cli = Callable[..., Any]


@pytest.fixture
def cli(announced: Any) -> Cli:
    """Run a command; its JSON answer, or nothing when there is none."""

    def run(*words: str) -> Any:
        endpoint = f"http://{announced.host}:{announced.tcp_port}"
        result = CliRunner().invoke(app, [*words, "--endpoint", endpoint, "--format", "json"])
        assert result.exit_code == 0, f"{' '.join(words)}: {result.output}"
        return json.loads(result.stdout) if result.stdout else None

    return run


def test_every_kind_can_be_listed(cli: Cli) -> None:
    for name, kind in resources().items():
        if not kind.parent:
            assert isinstance(cli(name, "list"), list)


def test_what_a_project_needs_is_made_changed_and_taken_away_by_commands(cli: Cli) -> None:
    network = cli("network", "create", "red-of-the-cli")
    cli("subnet", "create", "--network", network["id"], "--cidr", "10.77.0.0/24")
    first, second = cli(
        "port", "create", "m-of-the-cli", "--network", network["id"], "--count", "2"
    )
    trunk = cli("trunk", "create", "t-of-the-cli", "--port", first["name"])
    sub_port = f"port={second['name']},segmentation-type=vlan,segmentation-id=7"
    cli("trunk", "add-subports", trunk["name"], "--sub-port", sub_port)
    policy = cli("qos-policy", "create", "gold-of-the-cli")
    cli("qos-dscp-marking-rule", "create", policy["name"], "--dscp-mark", "10")
    group = cli("address-group", "create", "g-of-the-cli", "--address", "10.1.0.0/16")
    acl = cli("network-acl", "create", "acl-of-the-cli", "--network", network["id"])
    rule = cli(
        *("network-acl-rule", "create", "--network-acl", acl["name"], "--number", "5"),
        *("--direction", "egress", "--action", "deny", "--protocol", "tcp"),
    )

    [held] = cli("trunk", "get-subports", trunk["id"])
    assert (held["port_id"], held["segmentation_id"]) == (second["id"], 7)
    changed = cli("network", "set", network["name"], "--qos-policy", policy["name"])
    assert changed["qos_policy_id"] == policy["id"]
    assert cli("network", "set", network["name"], "--qos-policy", "none")["qos_policy_id"] is None
    assert [each["dscp_mark"] for each in cli("qos-dscp-marking-rule", "list", policy["id"])] == [
        10
    ]
    added = cli("address-group", "add-addresses", group["id"], "--address", "10.2.0.0/16")
    assert set(added["addresses"]) == {"10.1.0.0/16", "10.2.0.0/16"}
    assert cli("network", "tag", network["id"], "a", "b")["tags"] == ["a", "b"]
    assert cli("network", "untag", network["id"], "a")["tags"] == ["b"]
    assert [each["id"] for each in cli("network-acl-rule", "list", "--number", "5")] == [rule["id"]]
    assert cli("quota", "set", "cli-project", "--network", "3")["network"] == 3
    assert cli("port", "state", first["name"])["status"] == "DOWN"
    shared = cli(
        *("rbac-policy", "create", "--object-type", "network", "--object-id", network["name"]),
        *("--action", "access_as_shared", "--target-project", "cli-project"),
    )
    assert shared["object_id"] == network["id"]

    cli("quota", "delete", "cli-project")
    for kind, each in (("trunk", trunk), ("rbac-policy", shared), ("network-acl-rule", rule)):
        cli(kind, "delete", each["id"])
    cli("network-acl", "delete", acl["id"])
    cli("port", "delete", first["name"], second["name"])
    for kind, each in (("network", network), ("qos-policy", policy), ("address-group", group)):
        cli(kind, "delete", each["name"])
