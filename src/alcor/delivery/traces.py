"""Answer where packets get to, and by which hosts, from the intent that has been planned.

Keeps `TracePeer`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from alcor.contracts.peers import Ids
from alcor.contracts.traces import (
    Carried,
    Exits,
    ExitsAsked,
    HostAsked,
    TracedPacket,
    TracedStep,
    TraceReply,
    TraceRequest,
)
from alcor.intent.records import PortRecord
from alcor.planner.index import Index
from alcor.tracing.packet import ECHO_BY_VERSION, TCP, UDP, Packet, icmp_of
from alcor.tracing.path import Step, Trace, as_seen_by
from alcor.tracing.region import Region, addresses_of
from alcor.tracing.walk import trace
from alcor.values.addresses import Address, Prefix, address
from alcor.values.errors import InvalidInput, Unavailable
from alcor.values.missing import PortNotFound

_NOT_TRACED = (  # what no connection is opened to
    Prefix(4, 0xE000_0000, 4),
    Prefix(4, 0x7F00_0000, 8),
    Prefix(4, 0, 8),
    Prefix(4, 0xFFFF_FFFF, 32),
    Prefix(6, 0xFF << 120, 8),
    Prefix(6, 0, 127),
)
_LINK_LOCAL = (Prefix(4, 0xA9FE_0000, 16), Prefix(6, 0xFE80 << 112, 10))
_OF_HOSTS = (Address(4, 0xA9FE_A9FE), Address(6, 0xFE80 << 112 | 0xA9FE_A9FE))
_OF_ONE_LINK = range(133, 138)  # ICMPv6: neighbour discovery and redirect
_LEAST_BYTES = {4: 28, 6: 48}


class Traces:
    """Each trace reads what concerns it, in one step."""

    def __init__(
        self, index: Index, ready: Callable[[], bool], arrived: Callable[[str], Awaitable[None]]
    ) -> None:
        """`index` holds nothing yet. `arrived` waits until a write has been planned."""
        self._index, self._ready, self._arrived = index, ready, arrived
        self._region = Region(index.get)
        index.also(self._region)

    async def trace(self, request: TraceRequest) -> TraceReply:
        """Follow one packet."""
        self._check_ready()
        if request.revision:
            await self._arrived(request.revision)
        return self._follow(request)

    async def hosts_on(self, request: Ids) -> Ids:
        """The hosts that have ports of any of these."""
        self._check_ready()
        return Ids(sorted({h for id_ in request.ids for h in self._index.ports_by_host(id_)}))

    async def exits(self, request: ExitsAsked) -> Exits:
        """Whom the router leaves by, and who is next."""
        self._check_ready()
        exits = self._index.exits
        active = exits.active(request.router_id)
        return Exits(sorted(active), sorted(exits.of(request.router_id) - active))

    async def carried(self, request: HostAsked) -> Carried:
        """Networks and routers of the host."""
        self._check_ready()
        networks = {port.network_id for port in self._index.ports_on(request.host)}
        return Carried(sorted(networks), self._index.exits.routers_by(request.host))

    def _check_ready(self) -> None:
        if not self._ready():
            raise Unavailable("intent has not been read yet")

    def _follow(self, request: TraceRequest) -> TraceReply:
        region = self._region
        sender = _port(region, request.from_port)
        packet = packet_of(request, sender, _destination(region, request, sender))
        found = trace(region, sender, packet)
        if not request.sees_all:
            found = as_seen_by(found, request.project_id)
        return _reply(found, packet)


def packet_of(request: TraceRequest, sender: PortRecord, to: Address) -> Packet:
    """The packet that is asked about; `InvalidInput` when no machine opens a connection so."""
    if any(each.covers(to) for each in _NOT_TRACED):
        raise InvalidInput(f"{to} is no machine's address: nothing is opened to it")
    if any(each.covers(to) for each in _LINK_LOCAL) and to not in _OF_HOSTS:
        raise InvalidInput(f"{to} is an address of one link, which intent knows nothing of")
    own = addresses_of(sender, to.version)
    source = _address(request.source_address) if request.source_address else next(iter(own), None)
    if source is None or source.version != to.version:
        raise InvalidInput(f"Port {sender.id} has no IPv{to.version} address to send from")
    protocol = request.protocol if request.protocol is not None else icmp_of(to.version)
    if protocol in (TCP, UDP) and not request.port:
        raise InvalidInput("A packet of TCP or UDP goes to a port: say which")
    kind = ECHO_BY_VERSION[to.version] if request.icmp_type is None else request.icmp_type
    is_icmp = protocol == icmp_of(to.version)
    if is_icmp and to.version == 6 and kind in _OF_ONE_LINK:
        raise InvalidInput("Neighbour discovery opens nothing, and is answered by hosts")
    if request.size < _LEAST_BYTES[to.version]:
        raise InvalidInput(f"A packet of IPv{to.version} has {_LEAST_BYTES[to.version]} bytes")
    ports = (0, 0) if is_icmp else (request.source_port, request.port)
    of_icmp = (kind, request.icmp_code) if is_icmp else (0, 0)
    return Packet(source, to, protocol, *ports, *of_icmp, request.ttl, request.size)


def _destination(region: Region, request: TraceRequest, sender: PortRecord) -> Address:
    if request.to_address:
        return _address(request.to_address)
    to = _port(region, request.to_port)
    for version in (4, 6):
        theirs = addresses_of(to, version)
        if theirs and addresses_of(sender, version):
            return theirs[0]
    raise InvalidInput("The two ports have no addresses of one family")


def _port(region: Region, port_id: str) -> PortRecord:
    port = region.one(PortRecord, port_id)
    if port is None:
        raise PortNotFound(port_id)
    return port


def _address(text: str) -> Address:
    try:
        return address(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def _reply(found: Trace, sent: Packet) -> TraceReply:
    return TraceReply(
        verdict=found.verdict,
        stage=found.stage,
        steps=[_step(each) for each in found.steps],
        sent=_told(sent),
        arrives=_told(found.packet) if found.packet is not None else None,
        port_id=found.port_id,
        source_mac=found.macs[0],
        next_hop_mac=found.macs[1],
        ways=[_reply(each, sent) for each in found.ways],
    )


def _step(step: Step) -> TracedStep:
    kind, id_ = step.about[:2] if step.about is not None else ("", "")
    return TracedStep(
        stage=step.stage,
        host=step.host,
        network_id=step.network_id,
        says=step.says,
        kind=kind,
        id=id_,
    )


def _told(packet: Packet) -> TracedPacket:
    told: dict[str, Any] = packet._asdict()
    ends = {"source": str(packet.source), "destination": str(packet.destination)}
    return TracedPacket(**told | ends)
