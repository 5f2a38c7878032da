"""An id that a client chooses and that is taken is refused, of every kind that takes ids."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.api.conftest import soon

from alcor.assembly.resources import declared
from alcor.gateway.app import GatewaySettings
from alcor.resource.declaration import Resource

KINDS = [each for each in declared() if each.creatable and each.takes_ids]
PROXIES = "2001:db8:7::/48"


class Scene:
    """Makes bodies that nothing but their ids forbids."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self._count = 0
        self.group = api.make("/v2.0/security-groups", "security_group", name="g")["id"]
        self.network = api.network()["id"]
        pool = self._pool()
        self.subnet = api.subnet(self.network, "10.0.0.0/16")["id"]
        inner = self._subnet_of(self.network, pool)
        self.public = api.network(**{"router:external": True})["id"]
        api.subnet(self.public, "198.18.0.0/16", enable_dhcp=False)
        self._subnet_of(self.public, pool)
        self.router = api.make(
            "/v2.0/routers",
            "router",
            external_gateway_info={"network_id": self.public},
            enable_ndp_proxy=True,
        )["id"]
        for subnet in (self.subnet, inner):
            path = f"/v2.0/routers/{self.router}/add_router_interface"
            assert api.call("PUT", path, {"subnet_id": subnet}).status == 200

    def path(self, kind: Resource) -> str:
        """Where one is made: under another parent each time."""
        if kind.parent == "floatingip_id":
            return kind.path.format(floatingip_id=self._floating_ip())
        if kind.parent == "router_id":
            return kind.path.format(router_id=self.api.make("/v2.0/routers", "router")["id"])
        if kind.parent == "qos_policy_id":
            return kind.path.format(
                qos_policy_id=self.api.make("/v2.0/qos/policies", "policy", name="q")["id"]
            )
        assert not kind.parent
        return kind.path

    def body(self, kind: Resource) -> dict[str, Any]:
        self._count += 1
        number = self._count
        bodies: dict[str, dict[str, Any]] = {
            "address_scope": {"name": "s", "ip_version": 4},
            "conntrack_helper": {"protocol": "tcp", "port": number, "helper": "ftp"},
            "default_security_group_rule": {
                "direction": "ingress", "protocol": "tcp", "port_range_min": number,
                "port_range_max": number},
            "flavor": {"service_type": "L3_ROUTER_NAT"},
            "floatingip": {"floating_network_id": self.public},
            "local_ip": {"network_id": self.network},
            "log": {"resource_type": "security_group"},
            "network_segment_range": {
                "network_type": "vxlan", "minimum": 9_000 + number, "maximum": 9_000 + number},
            "node": {"name": f"node-{number}", "tunnel_ip": f"192.0.2.{number}"},
            "port": {"network_id": self.network},
            "rbac_policy": {
                "object_type": "network", "object_id": self.network,
                "action": "access_as_shared", "target_tenant": f"project-{number}"},
            "bandwidth_limit_rule": {"max_kbps": number},
            "dscp_marking_rule": {"dscp_mark": 8},
            "minimum_bandwidth_rule": {"min_kbps": number},
            "minimum_packet_rate_rule": {"min_kpps": number},
            "packet_rate_limit_rule": {"max_kpps": number},
            "security_group_rule": {
                "security_group_id": self.group, "direction": "ingress", "protocol": "tcp",
                "port_range_min": number, "port_range_max": number},
            "service_profile": {"metainfo": str(number)},
            "subnetpool": {"name": "p", "prefixes": [f"172.{number}.0.0/24"]},
        }  # fmt: skip
        make = getattr(self, f"_{kind.name}", None)
        return make(number) if make else bodies.get(kind.name, {})

    def ports(self) -> list[str]:
        """All there are, of routers and floating IPs too."""
        return sorted(port["id"] for port in self.api.listed("/v2.0/ports?fields=id"))

    def _pool(self) -> str:
        scope = self.api.make("/v2.0/address-scopes", "address_scope", name="s", ip_version=6)
        fields = {"prefixes": [PROXIES], "address_scope_id": scope["id"], "default_prefixlen": 64}
        return str(self.api.make("/v2.0/subnetpools", "subnetpool", name="p", **fields)["id"])

    def _subnet_of(self, network: str, pool: str) -> str:
        fields = {"network_id": network, "ip_version": 6, "subnetpool_id": pool}
        return str(self.api.make("/v2.0/subnets", "subnet", **fields)["id"])

    def _floating_ip(self) -> str:
        fields = {"floating_network_id": self.public}
        return str(self.api.make("/v2.0/floatingips", "floatingip", **fields)["id"])

    def _metering_label_rule(self, number: int) -> dict[str, Any]:
        label = self.api.make("/v2.0/metering/metering-labels", "metering_label", name="l")
        return {"metering_label_id": label["id"], "direction": "ingress",
                "remote_ip_prefix": "10.0.0.0/8"}  # fmt: skip

    def _ndp_proxy(self, number: int) -> dict[str, Any]:
        return {"router_id": self.router, "port_id": self.api.port(self.network)["id"]}

    def _network_acl(self, number: int) -> dict[str, Any]:
        return {"network_id": self.api.network()["id"]}

    def _network_acl_rule(self, number: int) -> dict[str, Any]:
        acl = self.api.make("/alcor/v1/network-acls", "network_acl", network_id=self.network)
        return {"network_acl_id": acl["id"], "number": 1, "direction": "ingress", "action": "deny"}

    def _port_forwarding(self, number: int) -> dict[str, Any]:
        port = self.api.port(self.network)
        address = next(ip["ip_address"] for ip in port["fixed_ips"] if "." in ip["ip_address"])
        return {"protocol": "tcp", "internal_port_id": port["id"], "internal_port": 80,
                "internal_ip_address": address, "external_port": number}  # fmt: skip

    def _subnet(self, number: int) -> dict[str, Any]:
        return {"network_id": self.api.network()["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}

    def _tap_mirror(self, number: int) -> dict[str, Any]:
        return {"port_id": self.api.port(self.network)["id"], "remote_ip": "192.0.2.9",
                "mirror_type": "gre", "directions": {"IN": number}}  # fmt: skip

    def _tap_service(self, number: int) -> dict[str, Any]:
        return {"port_id": self.api.port(self.network)["id"]}

    def _tap_flow(self, number: int) -> dict[str, Any]:
        port_id = self.api.port(self.network)["id"]
        service = self.api.make("/v2.0/taas/tap_services", "tap_service", port_id=port_id)
        return {"tap_service_id": service["id"], "source_port": port_id, "direction": "IN"}

    def _trunk(self, number: int) -> dict[str, Any]:
        return {"port_id": self.api.port(self.network)["id"]}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Scene]:
    with control_plane(tmp_path_factory.mktemp("taken"), GatewaySettings()) as api:
        yield Scene(api)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_id_that_is_taken_is_refused_and_who_has_it_stays(scene: Scene, kind: Resource) -> None:
    id_ = {"id": str(uuid4())}
    bodies = [{kind.key: scene.body(kind) | id_} for _ in range(2)]
    paths = [scene.path(kind) for _ in range(2)]
    first = scene.api.call("POST", paths[0], bodies[0])
    shown, ports = scene.api.get(f"{paths[0]}/{id_['id']}"), scene.ports()

    second = scene.api.call("POST", paths[1], bodies[1])

    assert first.status == 201, first
    assert first.json[kind.key]["id"] == id_["id"]
    assert second.status == 409, second
    assert second.type.endswith("InUse"), second
    assert scene.api.get(f"{paths[0]}/{id_['id']}").json == shown.json
    soon(scene.ports, lambda now: now == ports)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_id_for_two_of_one_call_is_refused(scene: Scene, kind: Resource) -> None:
    id_ = {"id": str(uuid4())}
    bodies = [scene.body(kind) | id_ for _ in range(2)]
    path = scene.path(kind)

    answer = scene.api.call("POST", path, {kind.collection: bodies})

    assert answer.status == 409, answer
    assert scene.api.get(f"{path}/{id_['id']}").status == 404


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_create_sent_again_is_answered_with_what_it_made(scene: Scene, kind: Resource) -> None:
    body, path = {kind.key: scene.body(kind)}, scene.path(kind)
    key = {"Idempotency-Key": str(uuid4())}

    first, second = (scene.api.call("POST", path, body, key) for _ in range(2))

    assert (first.status, second.status) == (201, 201), second
    assert second.json[kind.key]["id"] == first.json[kind.key]["id"]
