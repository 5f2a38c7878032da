"""`alcor router` and `alcor floatingip` against a real control plane."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from alcor.cli.main import app

Cli = Callable[..., Any]


@pytest.fixture
def cli(announced: Any) -> Cli:
    """Run a command; its JSON answer, or its text when that is none."""

    def run(*words: str, output: str = "json") -> Any:
        endpoint = f"http://{announced.host}:{announced.tcp_port}"
        told = ["--endpoint", endpoint, *(["--format", output] if output else [])]
        result = CliRunner().invoke(app, [*words, *told])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if output == "json" else result.stdout

    return run


def test_a_machine_is_reached_from_outside_by_commands_alone(announced: Any, cli: Cli) -> None:
    public, inner = announced.network(**{"router:external": True}), announced.network()
    announced.subnet(public["id"], "100.64.7.0/24")
    subnet = announced.subnet(inner["id"], "10.0.0.0/24", name="machines-of-the-cli")
    port = announced.port(inner["id"], name="web-of-the-cli")

    router = cli("router", "create", "edge-of-the-cli", "--external", public["id"])
    info = cli("router", "attach", "edge-of-the-cli", "--subnet", "machines-of-the-cli")
    cli("router", "add-route", "edge-of-the-cli", "--route", "10.9.0.0/16=10.0.0.9")
    floating = cli("floatingip", "create", "--external", public["id"], "--port", port["name"])

    assert (info["id"], info["subnet_id"]) == (router["id"], subnet["id"])
    assert floating["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    address = floating["floating_ip_address"]
    assert cli("floatingip", "show", address)["id"] == floating["id"]
    assert cli("floatingip", "take", address)["port_id"] is None
    made = cli("floatingip", "forward", address, "--port", port["name"], "--external", "80")
    assert (made["internal_port"], made["external_port"]) == (80, 80)
    cli("floatingip", "unforward", address, made["id"], output="")
    assert cli("floatingip", "give", address, "--port", port["id"])["router_id"] == router["id"]
    table = cli("router", "list", "--filter", "name=edge-of-the-cli", output="table")
    assert router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"] in table
    cli("floatingip", "delete", address, output="table")
    cli("router", "remove-route", router["id"], "--route", "10.9.0.0/16=10.0.0.9")
    cli("router", "detach", router["id"], "--subnet", subnet["id"])
    assert cli("router", "clear-gateway", router["id"])["external_gateway_info"] is None
    cli("router", "delete", router["id"], output="table")
