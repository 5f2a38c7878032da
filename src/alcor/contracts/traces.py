"""Where a packet of a port gets to, and by which hosts, by what tenants want: no host is asked."""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Ids


class TraceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A packet that opens a connection, and who asks."""

    from_port: str
    to_port: str = ""  # of the two one is given
    to_address: str = ""
    protocol: int | None = None  # None: ICMP, of the destination's family
    source_port: int = 40_000
    port: int = 0  # of destination
    icmp_type: int | None = None  # None: an echo request
    icmp_code: int = 0
    ttl: int = 64
    size: int = 100  # bytes, the IP header included
    source_address: str = ""  # empty: the port's own
    revision: str = ""  # as of this write, at least: "<manager>:<sequence>"
    project_id: str = ""
    sees_all: bool = False  # else only what `project_id` may know


class TracedPacket(msgspec.Struct, frozen=True, kw_only=True):
    """What of a packet decisions are made by."""

    source: str
    destination: str
    protocol: int
    source_port: int
    destination_port: int
    icmp_type: int
    icmp_code: int
    ttl: int
    size: int


class TracedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One stage, by its name in the pipeline, and what it decided; by which resource."""

    stage: str
    host: str
    network_id: str
    says: str
    kind: str = ""
    id: str = ""


class TraceReply(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, the stage that decided, and the way there; by several next hops, each way."""

    verdict: str
    stage: str
    steps: list[TracedStep]
    sent: TracedPacket
    arrives: TracedPacket | None = None  # as it is at its end
    port_id: str = ""  # that got it
    source_mac: str = ""
    next_hop_mac: str = ""  # whom the machine itself sends it to; empty when nobody is there
    ways: list["TraceReply"] = []


class ExitsAsked(msgspec.Struct, frozen=True):
    """A router."""

    router_id: str


class Exits(msgspec.Struct, frozen=True):
    """The hosts that a router's packets leave by, and those that are next in line."""

    active: list[str]
    standby: list[str]


class HostAsked(msgspec.Struct, frozen=True):
    """A host."""

    host: str


class Carried(msgspec.Struct, frozen=True):
    """What a host has to do with: networks (or segments of them) that it has ports of, and routers
    that leave by it, or would if another host were lost."""

    network_ids: list[str]
    router_ids: list[str]


class TracePeer(Protocol):
    """The delivery: it holds all intent."""

    async def trace(self, request: TraceRequest) -> TraceReply:
        """Follow a packet.

        `NotFound` for ports that are not known, `InvalidInput` for what no machine sends,
        `Unavailable` while intent has not been read."""
        ...

    async def hosts_on(self, request: Ids) -> Ids:
        """The hosts that have ports of these networks, or of these segments of networks.

        `Unavailable` while intent has not been read."""
        ...

    async def exits(self, request: ExitsAsked) -> Exits:
        """By which hosts a router's packets leave; by none where it has no gateway.

        `Unavailable` while intent has not been read."""
        ...

    async def carried(self, request: HostAsked) -> Carried:
        """What the host carries; nothing of one that is not known.

        `Unavailable` while intent has not been read."""
        ...
