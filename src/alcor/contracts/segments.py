"""What is asked about the segments of networks."""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Ids


class SegmentPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Of which network a segment is, and which hosts it reaches."""

    id: str
    network_id: str
    physical_network: str  # of the hosts that are on it; empty: all hosts are, by tunnels
    alone: bool  # the network has no other


class SegmentPlaces(msgspec.Struct, frozen=True):
    segments: list[SegmentPlace]


class SegmentPeer(Protocol):
    """The network manager."""

    async def segments(self, request: Ids) -> SegmentPlaces:
        """Those of the ids that exist, whose networks are not being deleted."""
        ...
