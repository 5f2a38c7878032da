"""The packet that a trace is about: the first of a connection."""

from typing import NamedTuple

from alcor.values.addresses import Address
from alcor.values.protocols import ICMP, ICMPV6

TCP, UDP, SCTP = 6, 17, 132
WITH_PORTS = (TCP, UDP, SCTP)  # protocols whose ports a switch can see
ECHO_BY_VERSION = {4: 8, 6: 128}
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, REDIRECT = 133, 134, 137  # types of ICMPv6
# What concerns one link: MLD, router and neighbour discovery, redirect, MLD of version 2.
_OF_ONE_LINK = (*range(130, 138), 143)
_OPENING = {ICMP: (8, 13, 15), ICMPV6: (128,)}  # ICMP types that ask; what answers opens nothing
_ALL_PORTS = (0, 0xFFFF)


class Packet(NamedTuple):
    """What of a packet decisions are made by."""

    source: Address
    destination: Address
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    icmp_type: int = 0
    icmp_code: int = 0
    ttl: int = 64
    size: int = 100  # bytes, the IP header included

    @property
    def version(self) -> int:
        """The family: 4 or 6."""
        return self.destination.version

    @property
    def is_icmp(self) -> bool:
        """Whether it is ICMP of its own family."""
        return self.protocol == icmp_of(self.version)

    @property
    def is_ping(self) -> bool:
        """Whether it is an echo request."""
        return self.is_icmp and self[5:7] == (ECHO_BY_VERSION[self.version], 0)

    @property
    def is_of_one_link(self) -> bool:
        """Whether it is ICMPv6 that no router forwards and that belongs to no connection."""
        return self.version == 6 and self.is_icmp and self.icmp_type in _OF_ONE_LINK

    @property
    def opens_a_connection(self) -> bool:
        """Whether a connection tracker takes it for the first packet of a connection."""
        return not self.is_icmp or self.icmp_type in _OPENING[self.protocol]

    def __str__(self) -> str:
        ports = f" port {self.destination_port}" if self.protocol in WITH_PORTS else ""
        return f"{self.source} to {self.destination}{ports}"


class Service(NamedTuple):
    """What a rule says of packets besides their addresses."""

    version: int
    protocol: int | None  # None: any
    ports: tuple[int, int] | None  # of destination; None: any
    icmp_type: int | None
    icmp_code: int | None

    def is_of(self, packet: Packet) -> bool | None:
        """Whether the packet is of it; None when that is about ports that a switch can't see."""
        if self.protocol is None:
            return True
        protocol = self.protocol
        if self.version == 6 and protocol == ICMP:
            protocol = ICMPV6
        if packet.protocol != protocol:
            return False
        if self.ports is not None and self.ports != _ALL_PORTS:
            if protocol not in WITH_PORTS:
                return None
            return self.ports[0] <= packet.destination_port <= self.ports[1]
        if not packet.is_icmp or self.icmp_type is None:
            return True
        same_code = self.icmp_code is None or self.icmp_code == packet.icmp_code
        return self.icmp_type == packet.icmp_type and same_code


def icmp_of(version: int) -> int:
    """The protocol number of a family's ICMP."""
    return ICMP if version == 4 else ICMPV6
