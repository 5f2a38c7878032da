"""The commands that are made of declarations, against a real control plane."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alcor.cli.kinds import resources
from alcor.cli.main import app
from alcor.gateway.app import GatewaySettings

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
    log = cli(
        *("log", "create", "l-of-the-cli", "--resource-type", "network_acl"),
        *("--resource", acl["name"]),
    )
    assert log["resource_id"] == acl["id"]
    named = cli("security-group", "create", "sg-of-the-cli")
    of_group = cli(
        *("log", "create", "s-of-the-cli", "--resource-type", "security_group"),
        *("--resource", named["name"]),
    )
    for one, about in ((log, acl), (of_group, named)):
        assert [each["id"] for each in cli("log", "list", "--resource", about["name"])] == [
            one["id"]
        ]

    cli("quota", "delete", "cli-project")
    for kind, each in (("trunk", trunk), ("rbac-policy", shared), ("network-acl-rule", rule)):
        cli(kind, "delete", each["id"])
    cli("log", "delete", log["name"], of_group["name"])
    cli("security-group", "delete", named["name"])
    cli("network-acl", "delete", acl["id"])
    cli("port", "delete", first["name"], second["name"])
    for kind, each in (("network", network), ("qos-policy", policy), ("address-group", group)):
        cli(kind, "delete", each["name"])


def test_the_examples_of_the_guide_do_what_it_says(control_plane: Any, tmp_path: Path) -> None:
    """From the first to the last, in a region that has the networks they speak of, and no hosts."""
    page = (Path(__file__).parents[3] / "docs" / "guide" / "command-line.md").read_text()
    _, _, text = page.partition("## Examples\n\n```sh\n")
    examples = [each.partition("#")[0] for each in text.partition("```")[0].splitlines()]
    scene = (
        "alcor network create blue; alcor network create public --router-external",
        "alcor subnet create inner --network blue --cidr 10.0.0.0/24",
        "alcor subnet create outer --network blue --cidr 10.0.1.0/24",
    )
    said = []
    with control_plane(tmp_path, GatewaySettings()) as api:
        for call in ";".join((*scene, *examples)).replace("--wait 10", "").split(";"):
            words = shlex.split(call)[1:]
            endpoint = f"http://{api.host}:{api.tcp_port}"
            result = CliRunner().invoke(app, [*words, "--endpoint", endpoint])
            said.append(f"{call}: {result.output}" if result.exit_code else "")

    assert len(said) > 15
    assert [each for each in said if each] == []
