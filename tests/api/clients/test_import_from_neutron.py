"""`alcor import` from what a real Neutron (29.0) answered: `recorded_neutron.json`, list by list.

It had one of everything: networks of types that are not here, routers of each kind it has, and the
ports that it makes for itself.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from alcor.cli.main import app
from alcor.gateway.app import GatewaySettings

RECORDED: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(
    (Path(__file__).parent / "recorded_neutron.json").read_text()
)
page_items_max = 3  # as `pagination_max_limit`, which an operator may set
FOLLOWS = {"created_at", "updated_at", "revision_number", "status", "tenant_id", "used"}
FOLLOWS |= {"binding:vif_type", "binding:vif_details", "dns_assignment", "available", "hints"}
FOLLOWS |= {"hardware_offload_type", "availability_zones", "security_group_rules"}


class Neutron(BaseHTTPRequestHandler):
    """Answers GETs as Neutron does: filters, pages, 404 for what it has not; and nothing else."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        self.asked.append(("GET", url.path))
        if url.path not in RECORDED:
            self._answer(404, {"NeutronError": {"type": "HTTPNotFound", "message": "no"}})
            return
        [(collection, items)] = RECORDED[url.path].items()
        limit = min(int(query.pop("limit", ["0"])[0]) or page_items_max, page_items_max)
        [marker] = query.pop("marker", [""])
        query.pop("fields", None)
        paged = all("id" in each for each in items)
        items = [each for each in items if all(str(each[n]) in v for n, v in query.items())]
        answer: dict[str, Any] = {collection: items}
        if paged:
            after = [each for each in items if each["id"] > marker]
            page = sorted(after, key=lambda each: str(each["id"]))[:limit]
            answer = {collection: page}
            if len(page) == limit:
                answer[f"{collection}_links"] = [{"rel": "next", "href": "http://elsewhere/"}]
        self._answer(200, answer)

    def do_POST(self) -> None:
        self.asked.append((self.command, self.path))
        self._answer(405, {})

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's word
        """Say nothing."""


@pytest.fixture(scope="module")
def neutron() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Neutron)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Any]:
    with control_plane(tmp_path_factory.mktemp("from-neutron"), GatewaySettings()) as api:
        yield api


def bring(neutron: str, target: Any, *words: str) -> dict[str, Any]:
    ends = ("--from", neutron, "--endpoint", f"http://{target.host}:{target.tcp_port}")
    result = CliRunner().invoke(
        app, ["import", *ends, *words, "--format", "json"], catch_exceptions=False
    )
    report: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == 1  # the MTU of a network is otherwise, whatever is tried
    return report


@pytest.fixture(scope="module")
def first(neutron: str, target: Any) -> dict[str, Any]:
    """The report of the first run."""
    return bring(neutron, target)


def recorded(path: str) -> list[dict[str, Any]]:
    [items] = RECORDED[path].values()
    return items


def missing(report: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in report["problems"]:
        found.setdefault(each["kind"], set()).add(each["name"])
    return found


def test_what_has_no_counterpart_is_named_and_all_else_is_made(first: dict[str, Any]) -> None:
    assert missing(first) == {"networks": {"gre"}, "subnets": {""}, "ports": {"on-gre"}}
    why = {each["why"] for each in first["problems"]}
    assert why == {
        "networks here are not of type gre",
        "it needs network gre, which is not here",
    }
    assert {(each["kind"], each["name"]) for each in first["notes"]} == {
        ("flat and VLAN networks", "vlan"),  # its MTU
        ("flat and VLAN networks", "racks"),  # the same
        ("ports", "sriov"),
        ("ports", "in-rack"),  # the host
    }


def test_subnets_are_of_the_same_segments_which_have_other_ids(
    first: dict[str, Any], target: Any
) -> None:
    [network] = target.listed("/v2.0/networks?name=racks")
    of = f"?network_id={network['id']}"
    here = {each["id"]: each for each in target.listed(f"/v2.0/segments{of}")}
    place_by_cidr = {}
    for subnet in target.listed(f"/v2.0/subnets{of}"):
        segment = here[subnet["segment_id"]]
        place_by_cidr[subnet["cidr"]] = (segment["segmentation_id"], segment["name"])

    assert place_by_cidr == {"10.70.0.0/24": (302, "rack-0"), "10.71.0.0/24": (301, "rack-1")}
    [port] = target.listed("/v2.0/ports?name=waits")
    assert port["ip_allocation"] == "deferred"


# What is otherwise here: by path, the fields; see "Moving" in docs/guide/from-neutron.md.
OTHERWISE = {
    "/v2.0/networks": {"mtu"},
    "/v2.0/subnets": {"segment_id"},
    "/v2.0/ports": {"device_owner", "device_id", "resource_request", "binding:host_id"},
    "/v2.0/floatingips": {"port_forwardings"},  # compared below
    "/v2.0/routers": {"ha", "distributed"},
    "/v2.0/local-ips": {"local_port_id"},
}


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in RECORDED
        if (path.count("/") < 4 or "port_forw" in path) and path != "/v2.0/segments"
    ],
)
def test_all_fields_are_here_as_they_were(first: dict[str, Any], target: Any, path: str) -> None:
    theirs = recorded(path)
    if path == "/v2.0/quotas":
        [own], [wanted] = target.listed(path), theirs
        assert {name: wanted[name] for name in own if name in wanted} == own
        return
    ours = {each["id"]: each for each in target.listed(path)}
    not_here = {each["id"] for each in first["problems"]}
    for item in theirs:
        if item["id"] not in ours:
            assert item["id"] in not_here or is_its_own(path, item), item
            continue
        here = ours[item["id"]]
        names = item.keys() - FOLLOWS - OTHERWISE.get(path, set())
        for name in names:
            assert plain(here.get(name)) == plain(item[name]), (name, item, here)


def is_its_own(path: str, item: dict[str, Any]) -> bool:
    """Whether Neutron makes it for itself."""
    its_own = ("dhcp", "floatingip", "router_gateway", "router_ha_interface", "local_ip")
    match path:
        case "/v2.0/ports":
            return item["device_owner"] in {f"network:{each}" for each in its_own}
        case "/v2.0/networks" | "/v2.0/subnets":
            return str(item["name"]).startswith("HA ")
        case "/v2.0/network-segment-ranges":
            return bool(item["default"])
        case "/v2.0/default-security-group-rules":
            return item["direction"] == "egress" or bool(item["used_in_default_sg"])
    return False


def plain(value: Any) -> Any:
    """A value without what says nothing."""
    if isinstance(value, list):
        return sorted((plain(each) for each in value), key=repr)
    if isinstance(value, dict):
        pairs = ((name, plain(each)) for name, each in value.items() if name not in FOLLOWS)
        return {name: each for name, each in sorted(pairs) if each is not None}
    return None if value == "" else value


def test_routers_have_their_interfaces_under_the_same_ids(
    first: dict[str, Any], target: Any
) -> None:
    theirs = {
        (each["id"], each["device_id"], each["mac_address"])
        for each in recorded("/v2.0/ports")
        if "interface" in each["device_owner"] and "router_ha" not in each["device_owner"]
    }
    ours = {
        (each["id"], each["device_id"], each["mac_address"])
        for each in target.listed("/v2.0/ports?device_owner=network:router_interface")
    }
    assert len(theirs) == 5
    assert ours == theirs


def test_a_second_run_makes_nothing_and_nothing_is_ever_written_at_the_source(
    first: dict[str, Any], neutron: str, target: Any
) -> None:
    before = target.listed("/v2.0/ports")

    again = bring(neutron, target)

    assert sum(each["made"] for each in again["tallies"]) == 0
    assert {each["name"] for each in again["problems"] if each["why"].startswith("mtu is")} == {
        "vlan",
        "racks",
    }
    assert target.listed("/v2.0/ports") == before
    assert {method for method, _ in Neutron.asked} == {"GET"}


def test_networks_by_gre_are_made_with_a_tunnel_of_the_regions_if_that_is_asked_for(
    first: dict[str, Any], neutron: str, target: Any
) -> None:
    report = bring(neutron, target, "--new-tunnels")

    assert "networks" not in missing(report)
    [network] = target.listed("/v2.0/networks?name=gre")
    [port] = target.listed("/v2.0/ports?name=on-gre")
    assert network["provider:network_type"] == "vxlan"
    assert port["network_id"] == network["id"]
