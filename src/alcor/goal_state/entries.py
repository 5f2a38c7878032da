"""The entries of goal state as values: what hosts must know, and nothing else.

Addresses are numbers with their family; a tunnel endpoint is the underlay address of a host.
`codec.py` gives their bytes (proto/alcor/v1/goal_state.proto).
"""

from typing import NamedTuple

from alcor.values.addresses import Address, Mac, Prefix


class FixedIp(NamedTuple):
    """An address of a port, and the subnet it is of."""

    subnet_id: str
    address: Address


class Port(NamedTuple):
    """A port bound to this host, in full."""

    id: str
    network_id: str
    mac: Mac
    fixed_ips: tuple[FixedIp, ...]
    admin_state_up: bool
    port_security: bool
    name: str  # the machine's host name for DHCP, if it has one
    device_id: str


class Network(NamedTuple):
    """A network: its VNI, what its packets may weigh, its domain name."""

    id: str
    vni: int
    mtu: int  # bytes
    admin_state_up: bool
    dns_domain: str


class Route(NamedTuple):
    """A route told to machines."""

    destination: Prefix
    nexthop: Address


class Subnet(NamedTuple):
    """A subnet, and what DHCP tells its machines."""

    id: str
    network_id: str
    prefix: Prefix
    gateway: Address | None
    dhcp: bool
    dns_nameservers: tuple[Address, ...]
    host_routes: tuple[Route, ...]


class Neighbour(NamedTuple):
    """A bound port as the other hosts of its network see it."""

    port_id: str
    network_id: str
    mac: Mac
    addresses: tuple[Address, ...]
    host: str
    tunnel_endpoint: Address


GoalEntry = Port | Network | Subnet | Neighbour
