"""On which segment of its network a port is: the one of its addresses, where its host is. Pure.

Where a network's subnets are of segments, a port gets addresses of one of them. A port without a
host waits for its addresses until it has one, unless it names them.
Source: neutron.services.segments.exceptions; the networking guide, "Routed provider networks".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from alcor.values.errors import BadRequest, Conflict

IMMEDIATE, DEFERRED, NO_ADDRESSES = "immediate", "deferred", "none"  # ip_allocation

Reach = Collection[str]  # the physical networks that a host is on
Hosts = Mapping[str, Reach]  # where each of those is that are known


class OnSegment(msgspec.Struct, frozen=True, order=True):
    """A segment, and where it is; without a physical network it is everywhere, by tunnels."""

    id: str
    physical_network: str

    def reaches(self, reach: Reach) -> bool:
        """Whether such a host is on it."""
        return not self.physical_network or self.physical_network in reach


class FixedIpsSubnetsNotOnSameSegment(BadRequest):
    """A port is on one segment."""

    def __init__(self) -> None:
        super().__init__("Cannot allocate addresses from different segments.")


class HostNotConnectedToAnySegment(Conflict):
    """The host is on none of the segments that the network has subnets of."""

    def __init__(self, host: str, network_id: str) -> None:
        super().__init__(
            f"Host {host} is not connected to any segments on routed provider network "
            f"'{network_id}'.  It should be connected to one."
        )


class HostNotCompatibleWithFixedIps(Conflict):
    """The port's addresses are of a segment that the host is not on."""

    def __init__(self, host: str, port_id: str) -> None:
        super().__init__(
            f"Host {host} is not connected to a segment where the existing fixed_ips on port "
            f"{port_id} will function given the routed network topology."
        )


def one_of(named: Iterable[OnSegment | None]) -> OnSegment | None:
    """The segment of a port that names subnets of these; `FixedIpsSubnetsNotOnSameSegment`."""
    found = set(named)
    if len(found) > 1:
        raise FixedIpsSubnetsNotOnSameSegment
    return found.pop() if found else None


def of_host(segments: Sequence[OnSegment | None], reach: Reach) -> OnSegment | None:
    """The first of these segments that the host is on."""
    return next((each for each in segments if each is not None and each.reaches(reach)), None)


def check_host(
    segment: OnSegment | msgspec.UnsetType | None, host: str, reach: Reach, port_id: str
) -> None:
    """That a port of the segment may be on the host."""
    if segment and not segment.reaches(reach):
        raise HostNotCompatibleWithFixedIps(host, port_id)
