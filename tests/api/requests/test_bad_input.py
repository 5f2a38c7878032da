"""Bad input: each case gets its documented 4xx with a NeutronError, and nothing is changed."""

import socket
from typing import Any

import pytest

UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"
COLLECTIONS = ("/v2.0/networks", "/v2.0/subnets", "/v2.0/ports", "/alcor/v1/nodes")


@pytest.fixture(scope="module")
def scene(api: Any) -> dict[str, str]:
    """A network with a full little subnet, a larger one, and a port on each."""
    net = api.network(name="bad-input")["id"]
    little = api.subnet(net, "10.66.0.0/30")["id"]
    large = api.subnet(net, "10.67.0.0/24")["id"]
    other = api.network(name="bad-input-other")["id"]
    pool = [{"start": "10.68.0.10", "end": "10.68.0.12"}]
    far = api.subnet(other, "10.68.0.0/24", allocation_pools=pool)["id"]
    full = api.port(net, fixed_ips=[{"subnet_id": little}])
    port = api.port(net, fixed_ips=[{"ip_address": "10.67.0.5"}])
    api.make("/alcor/v1/nodes", "node", name="bad-input-host", tunnel_ip="192.0.2.66")
    return {
        "net": net,
        "other": other,
        "little": little,
        "large": large,
        "far": far,
        "full": full["id"],
        "port": port["id"],
        "mac": port["mac_address"],
        "unknown": UNKNOWN,
    }


def filled(value: Any, scene: dict[str, str]) -> Any:
    """The value with $names replaced by the scene's ids."""
    if isinstance(value, str):
        for name, id_ in scene.items():
            value = value.replace(f"${name}$", id_)
        return value
    if isinstance(value, dict):
        return {key: filled(item, scene) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, scene) for item in value]
    return value


def held(api: Any) -> list[Any]:
    return [api.listed(path) for path in COLLECTIONS]


def subnet(**fields: Any) -> dict[str, Any]:
    return {"subnet": {"network_id": "$net$", "ip_version": 4, "cidr": "10.70.0.0/24", **fields}}


def port(**fields: Any) -> dict[str, Any]:
    return {"port": {"network_id": "$net$", **fields}}


def pool(start: str, end: str) -> dict[str, str]:
    return {"start": start, "end": end}


CASES: list[tuple[str, str, str, Any, int, str]] = [
    # Form of the body.
    ("malformed JSON", "POST", "/v2.0/networks", b'{"network": {', 400, "HTTPBadRequest"),
    ("no body", "POST", "/v2.0/networks", b"", 400, "HTTPBadRequest"),
    ("not an object", "POST", "/v2.0/networks", [1], 400, "HTTPBadRequest"),
    ("root missing", "POST", "/v2.0/networks", {"net": {}}, 400, "HTTPBadRequest"),
    ("member no object", "POST", "/v2.0/networks", {"network": 5}, 400, "HTTPBadRequest"),
    ("empty bulk", "POST", "/v2.0/ports", {"ports": []}, 400, "HTTPBadRequest"),
    ("NaN", "POST", "/v2.0/networks", b'{"network": {"mtu": NaN}}', 400, "HTTPBadRequest"),
    ("1e999", "POST", "/v2.0/networks", b'{"network": {"mtu": 1e999}}', 400, "HTTPBadRequest"),
    ("bad UTF-8", "POST", "/v2.0/networks", b'{"network": {"name": "\xff"}}', 400,
     "HTTPBadRequest"),
    ("deep", "POST", "/v2.0/networks", b"[" * 50_000, 400, "HTTPBadRequest"),
    ("10 MB", "POST", "/v2.0/networks", b"x" * (10 << 20), 413, "HTTPRequestEntityTooLarge"),
    ("too many items", "POST", "/v2.0/networks", {"networks": [{}] * 601}, 413,
     "HTTPRequestEntityTooLarge"),
    # Fields.
    ("unknown field", "POST", "/v2.0/networks", {"network": {"x": 1}}, 400, "HTTPBadRequest"),
    ("read-only field", "POST", "/v2.0/ports", port(status="UP"), 400, "HTTPBadRequest"),
    ("read-only in PUT", "PUT", "/v2.0/subnets/$large$", {"subnet": {"cidr": "10.9.0.0/24"}}, 400,
     "HTTPBadRequest"),
    ("wrong type", "POST", "/v2.0/networks", {"network": {"name": [1]}}, 400, "HTTPBadRequest"),
    ("no boolean", "POST", "/v2.0/networks", {"network": {"admin_state_up": "x"}}, 400,
     "InvalidInput"),
    ("huge number", "POST", "/v2.0/networks", {"network": {"mtu": 10**40}}, 400,
     "HTTPBadRequest"),
    ("long name", "POST", "/v2.0/networks", {"network": {"name": "x" * 256}}, 400,
     "HTTPBadRequest"),
    ("required missing", "POST", "/v2.0/ports", {"port": {}}, 400, "HTTPBadRequest"),
    ("no such policy", "POST", "/v2.0/networks", {"network": {"qos_policy_id": "$unknown$"}}, 404,
     "QosPolicyNotFound"),
    ("no such policy", "POST", "/v2.0/ports", port(qos_policy_id="$unknown$"), 404,
     "QosPolicyNotFound"),
    ("no id of a policy", "POST", "/v2.0/ports", port(qos_policy_id=7), 400, "HTTPBadRequest"),
    # Networks.
    ("MTU too big", "POST", "/v2.0/networks", {"network": {"mtu": 9000}}, 400, "InvalidInput"),
    ("MTU below nothing", "POST", "/v2.0/networks", {"network": {"mtu": -1}}, 400,
     "HTTPBadRequest"),
    ("VNI too big", "POST", "/v2.0/networks",
     {"network": {"provider:segmentation_id": 1 << 24}}, 400, "HTTPBadRequest"),
    ("duplicate id", "POST", "/v2.0/networks", {"network": {"id": "$net$"}}, 409,
     "NetworkIdInUse"),
    ("duplicate ids in bulk", "POST", "/v2.0/networks",
     {"networks": [{"id": UNKNOWN}, {"id": UNKNOWN}]}, 409, "NetworkIdInUse"),
    ("network in use", "DELETE", "/v2.0/networks/$net$", None, 409, "NetworkInUse"),
    ("network missing", "DELETE", f"/v2.0/networks/{UNKNOWN}", None, 404, "NetworkNotFound"),
    ("malformed id", "GET", "/v2.0/networks/x", None, 404, "NetworkNotFound"),
    # Subnets.
    ("CIDR malformed", "POST", "/v2.0/subnets", subnet(cidr="10.0.0.0/33"), 400, "InvalidInput"),
    ("CIDR of the other family", "POST", "/v2.0/subnets", subnet(ip_version=6), 400,
     "InvalidInput"),
    ("no CIDR", "POST", "/v2.0/subnets", {"subnet": {"network_id": "$net$", "ip_version": 4}}, 400,
     "BadRequest"),
    ("IP version 5", "POST", "/v2.0/subnets", subnet(ip_version=5), 400, "HTTPBadRequest"),
    ("overlap", "POST", "/v2.0/subnets", subnet(cidr="10.67.0.128/25"), 400, "InvalidInput"),
    ("overlap in bulk", "POST", "/v2.0/subnets",
     {"subnets": [subnet()["subnet"], subnet(cidr="10.70.0.0/25")["subnet"]]}, 400,
     "InvalidInput"),
    ("unknown network", "POST", "/v2.0/subnets", subnet(network_id=UNKNOWN), 404,
     "NetworkNotFound"),
    ("gateway malformed", "POST", "/v2.0/subnets", subnet(gateway_ip="x"), 400, "HTTPBadRequest"),
    ("gateway loopback", "POST", "/v2.0/subnets", subnet(gateway_ip="127.0.0.1"), 400,
     "InvalidInput"),
    ("gateway in pool", "POST", "/v2.0/subnets",
     subnet(allocation_pools=[pool("10.70.0.1", "10.70.0.9")]), 409,
     "GatewayConflictWithAllocationPools"),
    ("pool outside", "POST", "/v2.0/subnets",
     subnet(allocation_pools=[pool("10.70.0.9", "10.71.0.9")]), 400, "OutOfBoundsAllocationPool"),
    ("pools overlap", "POST", "/v2.0/subnets",
     subnet(allocation_pools=[pool("10.70.0.5", "10.70.0.9"), pool("10.70.0.9", "10.70.0.11")]),
     409, "OverlappingAllocationPools"),
    ("modes on IPv4", "POST", "/v2.0/subnets", subnet(ipv6_ra_mode="slaac"), 400, "InvalidInput"),
    ("mode unknown", "POST", "/v2.0/subnets", subnet(ipv6_ra_mode="x"), 400, "HTTPBadRequest"),
    ("route malformed", "POST", "/v2.0/subnets", subnet(host_routes=[{"destination": "x"}]), 400,
     "HTTPBadRequest"),
    ("gateway taken", "PUT", "/v2.0/subnets/$far$", {"subnet": {"gateway_ip": "10.68.0.11"}}, 409,
     "GatewayConflictWithAllocationPools"),
    ("subnet in use", "DELETE", "/v2.0/subnets/$large$", None, 409, "SubnetInUse"),
    ("subnet missing", "GET", f"/v2.0/subnets/{UNKNOWN}", None, 404, "SubnetNotFound"),
    # Ports.
    ("port on unknown network", "POST", "/v2.0/ports", port(network_id=UNKNOWN), 404,
     "NetworkNotFound"),
    ("MAC malformed", "POST", "/v2.0/ports", port(mac_address="fa:16"), 400, "HTTPBadRequest"),
    ("MAC in use", "POST", "/v2.0/ports", port(mac_address="$mac$"), 409, "MacAddressInUse"),
    ("IP malformed", "POST", "/v2.0/ports", port(fixed_ips=[{"ip_address": "10.67.0"}]), 400,
     "HTTPBadRequest"),
    ("address in use", "POST", "/v2.0/ports", port(fixed_ips=[{"ip_address": "10.67.0.5"}]), 409,
     "IpAddressAlreadyAllocated"),
    ("on no subnet", "POST", "/v2.0/ports", port(fixed_ips=[{"ip_address": "10.99.0.1"}]), 400,
     "InvalidIpForNetwork"),
    ("not in the subnet", "POST", "/v2.0/ports",
     port(fixed_ips=[{"subnet_id": "$large$", "ip_address": "10.66.0.2"}]), 400,
     "InvalidIpForSubnet"),
    ("subnet of another network", "POST", "/v2.0/ports", port(fixed_ips=[{"subnet_id": "$far$"}]),
     400, "InvalidInput"),
    ("subnet unknown", "POST", "/v2.0/ports", port(fixed_ips=[{"subnet_id": UNKNOWN}]), 404,
     "SubnetNotFound"),
    ("subnet unknown, later", "PUT", "/v2.0/ports/$port$",
     {"port": {"fixed_ips": [{"subnet_id": UNKNOWN, "ip_address": "10.67.0.5"}]}}, 404,
     "SubnetNotFound"),
    ("pool exhausted", "POST", "/v2.0/ports", port(fixed_ips=[{"subnet_id": "$little$"}]), 409,
     "IpAddressGenerationFailure"),
    ("bulk exhausts the pool", "POST", "/v2.0/ports",
     {"ports": [{"network_id": "$other$"}] * 4}, 409, "IpAddressGenerationFailure"),
    ("duplicate port id", "POST", "/v2.0/ports", port(id="$port$"), 409, "PortIdInUse"),
    ("duplicate port ids in bulk", "POST", "/v2.0/ports",
     {"ports": [port(id=UNKNOWN)["port"]] * 2}, 409, "PortIdInUse"),
    ("port missing", "PUT", f"/v2.0/ports/{UNKNOWN}", {"port": {"name": "x"}}, 404,
     "PortNotFound"),
    # Nodes.
    ("tunnel endpoint in use", "POST", "/alcor/v1/nodes",
     {"node": {"name": "bad-input-other", "tunnel_ip": "192.0.2.66"}}, 409, "TunnelIpInUse"),
    ("host known", "POST", "/alcor/v1/nodes",
     {"node": {"name": "bad-input-host", "tunnel_ip": "192.0.2.67"}}, 409, "NodeIdInUse"),
    ("host name", "POST", "/alcor/v1/nodes", {"node": {"name": "a b", "tunnel_ip": "192.0.2.67"}},
     400, "HTTPBadRequest"),
    ("agent made", "POST", "/v2.0/agents", {"agent": {}}, 405, "HTTPMethodNotAllowed"),
    # Lists.
    ("unknown filter", "GET", "/v2.0/ports?colour=red", None, 400, "HTTPBadRequest"),
    ("unknown sort key", "GET", "/v2.0/ports?sort_key=x&sort_dir=asc", None, 400,
     "HTTPBadRequest"),
    ("sort direction", "GET", "/v2.0/ports?sort_key=name&sort_dir=up", None, 400,
     "HTTPBadRequest"),
    ("direction missing", "GET", "/v2.0/ports?sort_key=name", None, 400, "HTTPBadRequest"),
    ("limit negative", "GET", "/v2.0/ports?limit=-1", None, 400, "BadRequest"),
    ("limit no number", "GET", "/v2.0/ports?limit=x", None, 400, "BadRequest"),
    ("marker unknown", "GET", f"/v2.0/ports?marker={UNKNOWN}", None, 404, "PortNotFound"),
    ("network marker", "GET", f"/v2.0/networks?marker={UNKNOWN}", None, 404, "NetworkNotFound"),
    ("agent marker", "GET", f"/v2.0/agents?marker={UNKNOWN}", None, 404, "AgentNotFound"),
    # Paths and methods.
    ("unknown collection", "GET", "/v2.0/nothing", None, 404, "HTTPNotFound"),
    ("unknown path", "POST", "/v3", {}, 404, "HTTPNotFound"),
    ("PATCH", "PATCH", "/v2.0/networks/$net$", {}, 405, "HTTPMethodNotAllowed"),
    ("PUT of a collection", "PUT", "/v2.0/networks", {}, 405, "HTTPMethodNotAllowed"),
    ("POST to a page", "POST", "/v2.0/extensions", {}, 405, "HTTPMethodNotAllowed"),
    ("extension", "GET", "/v2.0/extensions/nothing", None, 404, "HTTPNotFound"),
    ("long URL", "GET", "/v2.0/ports?name=" + "x" * (33 << 10), None, 413,
     "HTTPRequestURITooLong"),
    # Waiting.
    ("no revision", "GET", "/alcor/v1/convergence", None, 400, "BadRequest"),
    ("revision malformed", "GET", "/alcor/v1/convergence?revision=port", None, 400,
     "InvalidInput"),
    ("timeout NaN", "GET", "/alcor/v1/convergence?revision=port:1&timeout=nan", None, 400,
     "BadRequest"),
    ("timeout too long", "GET", "/alcor/v1/convergence?revision=port:1&timeout=1e9", None, 400,
     "BadRequest"),
    ("manager unknown", "GET", "/alcor/v1/convergence?revision=vpc:1&timeout=0", None, 404,
     "RevisionNotFound"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_it_is_refused_and_nothing_is_changed(
    api: Any, scene: dict[str, str], case: tuple[str, str, str, Any, int, str]
) -> None:
    _, method, path, body, status, type_ = case
    before = held(api)

    answer = api.call(method, filled(path, scene), filled(body, scene))

    assert (answer.status, answer.type) == (status, type_), answer.body[:300]
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["NeutronError"].keys() == {"type", "message", "detail"}
    assert answer.message
    assert held(api) == before


def test_a_stale_condition_is_refused_for_every_kind_of_change(
    api: Any, scene: dict[str, str]
) -> None:
    stale = {"If-Match": "revision_number=99"}
    for path, body in (
        (f"/v2.0/networks/{scene['net']}", {"network": {"name": "x"}}),
        (f"/v2.0/subnets/{scene['large']}", {"subnet": {"name": "x"}}),
        (f"/v2.0/ports/{scene['port']}", {"port": {"name": "x"}}),
    ):
        for method, content in (("PUT", body), ("DELETE", None)):
            answer = api.call(method, path, content, stale)
            assert (answer.status, answer.type) == (412, "RevisionNumberConstraintFailed")


def test_a_body_of_chunks_is_limited_too(api: Any) -> None:
    with socket.create_connection((api.host, api.tcp_port), timeout=10) as raw:
        raw.sendall(
            b"POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n"
        )
        for _ in range(64):
            raw.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        raw.sendall(b"0\r\n\r\n")
        head = raw.recv(65_536)
    assert head.startswith(b"HTTP/1.1 413 ")


def test_what_is_no_http_is_answered_or_hung_up_on(api: Any) -> None:
    for noise in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        with socket.create_connection((api.host, api.tcp_port), timeout=10) as raw:
            raw.sendall(noise)
            assert raw.recv(4_096)[:12] in (b"", b"HTTP/1.1 400")
    assert api.get("/healthz").status == 200
