"""Which groups let a packet pass: asked afterwards, of packets whose copies were handed over. Pure.

The switch asks all groups of a port at once (`features/filters/security_rules.py`), and can't tell
which of them said yes.
"""

from typing import NamedTuple

from alcor.agent.model.filters.firewall import Firewall
from alcor.agent.model.filters.grants import ANYBODY, Service, Way
from alcor.ovs.fields import (
    IP_PROTO_ICMP,
    IP_PROTO_ICMPV6,
    IP_PROTO_SCTP,
    IP_PROTO_TCP,
    IP_PROTO_UDP,
    LATER_FRAGMENT,
)
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address

_PORTS = {IP_PROTO_TCP: "tcp", IP_PROTO_UDP: "udp", IP_PROTO_SCTP: "sctp"}
_ICMP = {IP_PROTO_ICMP: "icmpv4", IP_PROTO_ICMPV6: "icmpv6"}
_LATER = LATER_FRAGMENT[0]


class Headers(NamedTuple):
    """Of an IP packet what rules look at. None: it has none, or that can't be seen."""

    version: int
    protocol: int
    source: Address
    target: Address
    source_port: int | None = None
    target_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    later: bool = False  # a fragment that is not the first


def headers_of(packet: Packet) -> Headers | None:
    """The headers of a frame; None when it is not IP."""
    version = 6 if packet.has("ipv6_src") else 4
    if not packet.has(f"ipv{version}_src"):
        return None
    protocol = packet["ip_proto"]
    source, target = (Address(version, packet[f"ipv{version}_{end}"]) for end in ("src", "dst"))
    later = bool(packet["ip_frag"] & _LATER)
    found = Headers(version, protocol, source, target, later=later)
    if (name := _PORTS.get(protocol)) and packet.has(f"{name}_src"):
        ports = packet[f"{name}_src"], packet[f"{name}_dst"]
        return found._replace(source_port=ports[0], target_port=ports[1])
    if (name := _ICMP.get(protocol)) and packet.has(f"{name}_type"):
        kind, code = packet[f"{name}_type"], packet[f"{name}_code"]
        return found._replace(icmp_type=kind, icmp_code=code)
    return found


def lets_pass(firewall: Firewall, group_id: str, ingress: bool, headers: Headers) -> bool:
    """Whether the rules of a group let a connection be opened by such a packet."""
    way = Way(ingress, headers.version)
    peer = headers.source if ingress else headers.target
    for grant in firewall.grants_of_group(group_id):
        if grant.way == way and any(_offers(each, headers) for each in firewall.services_of(grant)):
            remote = grant.remote
            if remote == ANYBODY or any(each.covers(peer) for each in firewall.prefixes_of(remote)):
                return True
    return False


def _offers(service: Service, headers: Headers) -> bool:
    if service.protocol is None:
        return True
    if service.protocol != headers.protocol or (service.later and not headers.later):
        return False
    if service.mask and (
        headers.target_port is None or headers.target_port & service.mask != service.port
    ):
        return False
    wanted = ((service.icmp_type, headers.icmp_type), (service.icmp_code, headers.icmp_code))
    return all(one is None or one == other for one, other in wanted)
