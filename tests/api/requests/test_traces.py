"""Where packets get to, asked over HTTP: what decided, and who may know of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.api.conftest import Answer, Api, tokens
from typer.testing import CliRunner, Result

from alcor.cli.exits import Exit
from alcor.cli.main import app
from alcor.gateway.app import GatewaySettings

TRACES = "/alcor/v1/traces"
WHO = {"admin": "operators admin reader", "blue": "blue member reader", "red": "red member reader"}
UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"


class Scene(NamedTuple):
    """Two networks of project blue behind a router, one of them shared with red."""

    admin: Api
    blue: Api
    red: Api
    web: str  # ports by their ids: blue's on one network, blue's and red's on the other
    db: str
    guest: str


def asked(api: Api, **fields: Any) -> Answer:
    return api.call("POST", TRACES, {"trace": fields})


def traced(api: Api, **fields: Any) -> dict[str, Any]:
    answer = asked(api, **fields)
    assert answer.status == 200, answer
    told: dict[str, Any] = answer.json["trace"]
    return told


def stages(trace: dict[str, Any]) -> list[str]:
    return [step["stage"] for step in trace["steps"]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("traces")
    with control_plane(folder, GatewaySettings(), **tokens(folder, **WHO)) as api:
        yield furnished(*(api.bearing(token) for token in WHO))


def furnished(admin: Api, blue: Api, red: Api) -> Scene:
    for number in (1, 2):
        admin.make("/alcor/v1/nodes", "node", name=f"h{number}", tunnel_ip=f"172.31.0.{number}")
    near = admin.network(project_id="blue", name="near")["id"]
    far = admin.network(project_id="blue", shared=True)["id"]
    subnets = [admin.subnet(near, "10.0.0.0/24", project_id="blue")["id"]]
    subnets += [admin.subnet(far, "10.0.1.0/24", project_id="blue")["id"]]
    router = blue.make("/v2.0/routers", "router", name="r")["id"]
    for subnet in subnets:
        path = f"/v2.0/routers/{router}/add_router_interface"
        planned(admin, blue.call("PUT", path, {"subnet_id": subnet}))
    made = []
    for network, project, host in ((near, "blue", "h1"), (far, "blue", "h2"), (far, "red", "h2")):
        fields = {"network_id": network, "project_id": project, "binding:host_id": host}
        answer = admin.call("POST", "/v2.0/ports", {"port": fields})
        planned(admin, answer)
        made.append(str(answer.json["port"]["id"]))
    return Scene(admin, blue, red, *made)


def planned(admin: Api, answer: Answer) -> None:
    """A write that must succeed, and be planned: no host is there that could apply it."""
    assert answer.status < 300, answer
    revision = answer.headers["x-alcor-revision"]
    waited = admin.get(f"/alcor/v1/convergence?revision={revision}&timeout=0")
    assert waited.status == 200, waited


def test_a_trace_names_the_way_and_the_rules_that_decided(scene: Scene) -> None:
    told = traced(scene.blue, from_port=scene.web, to_port=scene.db, protocol="tcp", port=443)

    assert (told["verdict"], told["port_id"]) == ("delivered", scene.db)
    assert stages(told) == [
        *("MACHINE", "PORT_SEC_L3", "FW_OUT", "L2_DST", "ROUTER_IN", "ROUTE"),
        *("L2_DST", "TUNNEL_OUT", "FW_IN", "DELIVER"),
    ]
    assert (told["sent"]["ttl"], told["arrives"]["ttl"]) == (64, 63)
    by_stage = {step["stage"]: step for step in told["steps"]}
    rule = by_stage["FW_IN"]["resource"]
    assert rule["kind"] == "security_group_rule"
    found = scene.blue.get(f"/v2.0/security-group-rules/{rule['id']}")
    assert found.json["security_group_rule"]["direction"] == "ingress"
    assert not any("host" in step for step in told["steps"])


def test_administrators_are_told_hosts_and_everything(scene: Scene) -> None:
    told = traced(scene.admin, from_port=scene.web, to_port=scene.guest, protocol="udp", port=53)

    assert (told["verdict"], told["stage"]) == ("dropped", "FW_IN")
    assert {step["host"] for step in told["steps"]} == {"h1", "h2"}


def test_of_what_another_project_decides_only_that_is_told(scene: Scene) -> None:
    guest = scene.admin.get(f"/v2.0/ports/{scene.guest}").json["port"]
    address = guest["fixed_ips"][0]["ip_address"]

    told = traced(scene.blue, from_port=scene.db, to_address=address, protocol="udp", port=53)

    assert (told["verdict"], told["arrives"]) == ("unseen", None)
    assert told["steps"][-1]["resource"] is None
    assert scene.guest not in str(told)


def test_ports_of_others_are_not_there(scene: Scene) -> None:
    for fields in (
        {"from_port": scene.db, "to_address": "10.0.1.1"},
        {"from_port": scene.guest, "to_port": scene.db},
        {"from_port": UNKNOWN, "to_port": scene.guest},
    ):
        answer = asked(scene.red, **fields)
        assert (answer.status, answer.type) == (404, "PortNotFound"), answer


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "either to a port or to an address"),
        ({"to_address": "10.0.0.9", "to_port": UNKNOWN}, "either to a port or to an address"),
        ({"to_address": "nonsense"}, "not a valid IP address"),
        ({"to_address": "224.0.0.1"}, "no machine's address"),
        ({"to_address": "fe80::1"}, "one link"),
        ({"to_address": "fd00::1"}, "has no IPv6 address"),
        ({"to_address": "10.0.0.9", "protocol": "tcp"}, "say which"),
        ({"to_address": "10.0.0.9", "protocol": "smoke"}, "not an IP protocol"),
        ({"to_address": "10.0.0.9", "protocol": 300}, "not an IP protocol"),
        ({"to_address": "10.0.0.9", "ttl": 0}, "ttl"),
        ({"to_address": "10.0.0.9", "size": 1 << 20}, "size"),
        ({"to_address": "10.0.0.9", "port": "http"}, "port"),
        ({"to_address": "10.0.0.9", "colour": "blue"}, "colour"),
        ({"to_address": "10.0.0.9", "source_address": "fd00::1"}, "to send from"),
        ({"to_address": "10.0.0.9", "revision": "yesterday"}, "yesterday"),
        ({"to_port": "here"}, "not a valid UUID"),
    ],
)
def test_what_is_no_packet_is_refused(scene: Scene, fields: dict[str, Any], says: str) -> None:
    answer = asked(scene.blue, from_port=scene.web, **fields)

    assert answer.status == 400, answer
    assert says in answer.message


def test_who_has_the_network_is_told_nothing_of_a_port_on_it(scene: Scene) -> None:
    told = traced(scene.blue, from_port=scene.guest, to_port=scene.db)

    assert (told["verdict"], stages(told)) == ("unseen", ["MACHINE"])
    assert told["steps"][0]["resource"] is None


def test_a_trace_is_as_of_a_write_that_is_named(scene: Scene) -> None:
    changed = scene.blue.call("PUT", f"/v2.0/ports/{scene.web}", {"port": {"name": "seen"}})
    revision = changed.headers["x-alcor-revision"]

    told = traced(scene.blue, from_port=scene.web, to_address="10.0.0.99", revision=revision)

    assert (told["verdict"], told["stage"]) == ("dropped", "ARP_ND")


def test_a_body_that_is_no_trace_is_refused(scene: Scene) -> None:
    for content in (b"", b"[]", b"{}", b'{"trace": 7}', b'{"trace": {}, "more": 1}'):
        assert scene.blue.call("POST", TRACES, content).status == 400, content
    assert scene.blue.get(TRACES).status == 405


def told_people(scene: Scene, *words: str) -> Result:
    endpoint = f"http://{scene.admin.host}:{scene.admin.tcp_port}"
    environment = {"ALCOR_ENDPOINT": endpoint, "ALCOR_TOKEN": "admin"}
    return CliRunner().invoke(app, ["trace", *words], env=environment)


def test_people_see_each_host_and_each_stage(scene: Scene) -> None:
    words = ("--from", scene.web, "--to", scene.db, "--proto", "tcp", "--port", "443")

    shown, scripted = told_people(scene, *words), told_people(scene, *words, "-f", "json")

    assert shown.exit_code == scripted.exit_code == Exit.DONE
    for word in ("h1", "h2", "ROUTER_IN", "TUNNEL_OUT", "delivered at DELIVER, 63 hops left"):
        assert word in shown.stdout
    assert json.loads(scripted.stdout)["port_id"] == scene.db


def test_a_packet_that_does_not_get_there_is_a_failure(scene: Scene) -> None:
    done = told_people(scene, "--from", scene.web, "--to", "198.51.100.9", "--size", "1400")

    assert done.exit_code == Exit.FAILED
    assert "refused: its sender is told at ROUTE" in done.stdout
