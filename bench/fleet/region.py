"""A control plane with hosts that are known, and ports on them."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from typing import Any

from alcor.client.api import NETWORK, NODE, PORT, SUBNET, Created, Kind
from bench.servers import Server

ports_per_call = 500
_first_tunnel_ip = IPv4Address("172.16.0.0")
GROUP = Kind("security_group", "security_groups", "/v2.0/security-groups")
RULE = Kind("security_group_rule", "security_group_rules", "/v2.0/security-group-rules")


def host_name(number: int) -> str:
    """The name of a simulated host."""
    return f"f{number}"


def tunnel_ip(number: int) -> str:
    """The address of its tunnels."""
    return str(_first_tunnel_ip + number)


class Region:
    """What the fleet's cases ask of a control plane."""

    def __init__(self, server: Server, hosts: int) -> None:
        self.server = server
        self.hosts = hosts
        nodes = [{"id": host_name(n), "tunnel_ip": tunnel_ip(n)} for n in range(hosts)]
        for some in _parts(nodes):
            server.api.create(NODE, some)
        (group,) = server.api.create(GROUP, [{"name": "fleet"}]).items
        self.group_id: str = group["id"]

    def networks(self, count: int) -> list[str]:
        """Networks with a large subnet each; their ids."""
        api = self.server.api
        bodies = [{"name": f"n{n}"} for n in range(count)]
        ids = [each["id"] for some in _parts(bodies) for each in api.create(NETWORK, some).items]
        cidr = {"ip_version": 4, "cidr": "10.0.0.0/8"}
        for some in _parts([{"network_id": id_} | cidr for id_ in ids]):
            api.create(SUBNET, some)
        return ids

    def ports(self, network_ids: Sequence[str], count: int) -> Created:
        """Ports dealt to the hosts in turn, neighbours in the same network; what the last call
        answered."""
        share = max(1, self.hosts // len(network_ids))
        hosts = [n % self.hosts for n in range(count)]
        return self.make_ports(
            [
                self.port(network_ids[host // share % len(network_ids)], host_name(host))
                for host in hosts
            ]
        )

    def make_ports(self, ports: list[dict[str, Any]]) -> Created:
        """Ports of these bodies; what the last call answered."""
        return [self.server.api.create(PORT, some) for some in _parts(ports)][-1]

    def port(self, network_id: str, host: str) -> dict[str, Any]:
        """The body of a port."""
        return {
            "network_id": network_id,
            "binding:host_id": host,
            "device_owner": "compute:nova",
            "security_groups": [self.group_id],
        }

    def rule(self, number: int) -> Created:
        """One more rule of the group."""
        rule = {
            "security_group_id": self.group_id,
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "port_range_min": 1_000 + number,
            "port_range_max": 1_000 + number,
        }
        return self.server.api.create(RULE, [rule])


def _parts(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), ports_per_call):
        yield items[start : start + ports_per_call]
