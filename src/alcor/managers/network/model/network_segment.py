"""The segments of networks as resources. Pure.

The first one of a network has the network's id, is made and deleted with it, and travels as it
does. Further ones are made and deleted alone, while no subnet is of them.
Source: Neutron API reference v2, "Segments".
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.managers.network.model.network import Network, Provider
from alcor.managers.network.model.segment import TUNNELS, Segment
from alcor.resource.revisions import revised
from alcor.values.errors import BadRequest, Conflict

segments_max = 128  # of one network


class NetworkSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment as clients see it; the VNI is that of its tunnels, whatever its type."""

    id: str
    network_id: str
    network_type: str
    physical_network: str | None = None
    segmentation_id: int | None = None
    vni: int = msgspec.field(name="alcor:vni", default=0)
    name: str | None = None
    description: str = ""
    revision_number: int = 0
    created_at: str
    updated_at: str

    @property
    def is_first(self) -> bool:
        """Whether it is the network's own."""
        return self.id == self.network_id


class SegmentInUse(Conflict):
    """The network or a subnet needs the segment."""

    def __init__(self, id_: str, reason: str) -> None:
        super().__init__(f"Segment '{id_}' cannot be deleted: {reason}.")


class SegmentsExhausted(Conflict):
    """The network has as many segments as it may have."""

    def __init__(self) -> None:
        super().__init__(f"A network has at most {segments_max} segments.")


class ExternalNetworkHasOneSegment(BadRequest):
    """Routers leave by one segment, and floating IPs are of it."""

    def __init__(self) -> None:
        super().__init__("Bad segment request: an external network has one segment.")


def first(network: Network) -> NetworkSegment:
    """The segment that a network is made with."""
    return NetworkSegment(
        id=network.id,
        network_id=network.id,
        network_type=network.network_type,
        physical_network=network.physical_network,
        segmentation_id=network.segmentation_id,
        vni=network.vni,
        created_at=network.created_at,
        updated_at=network.created_at,
    )


def further(
    travels: Segment, network_id: str, id_: str, now: str, said: Mapping[str, Any]
) -> NetworkSegment:
    """One more segment; its ids are 0 or None where they are to be chosen."""
    return NetworkSegment(
        id=id_,
        network_id=network_id,
        network_type=travels.network_type,
        physical_network=travels.physical_network,
        segmentation_id=travels.segmentation_id,
        vni=(travels.segmentation_id or 0) if travels.network_type in TUNNELS else 0,
        name=said.get("name"),
        description=said.get("description", ""),
        created_at=now,
        updated_at=now,
    )


def numbered(old: NetworkSegment, vni: int) -> NetworkSegment:
    """The segment with a VNI, which is its segmentation id if it is one of tunnels."""
    id_ = vni if old.network_type in TUNNELS else old.segmentation_id
    return msgspec.structs.replace(old, vni=vni, segmentation_id=id_)


def described(old: NetworkSegment, changes: Mapping[str, Any], now: str) -> NetworkSegment:
    """The segment after a checked PUT; the very same value when nothing is different."""
    return revised(old, {n: v for n, v in changes.items() if n in ("name", "description")}, now)


def with_segments(network: Network, segments: Sequence[NetworkSegment], now: str) -> Network:
    """The network as it shows these segments; one alone is what the network says itself."""
    check_external(network, len(segments))
    several = tuple(
        Provider(
            network_type=each.network_type,
            physical_network=each.physical_network,
            segmentation_id=each.segmentation_id,
        )
        for each in segments
    )
    return revised(network, {"segments": several if len(several) > 1 else msgspec.UNSET}, now)


def check_external(network: Network, count: int) -> None:
    """That a network of so many segments may be as external as it is."""
    if network.external and count > 1:
        raise ExternalNetworkHasOneSegment
    if count > segments_max:
        raise SegmentsExhausted


def as_network(network: Network, of: NetworkSegment) -> Network:
    """The network as the hosts of a further segment are to know it: a network of its own."""
    return msgspec.structs.replace(
        network,
        id=of.id,
        network_type=of.network_type,
        physical_network=of.physical_network,
        segmentation_id=of.segmentation_id,
        vni=of.vni,
    )
