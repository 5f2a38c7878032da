"""Takes what machines send to the host's own address, and hands it out by protocol and port.

A machine is known by the port that its packet came from. Its answer goes to that port, and only
while the port still belongs to the same machine.
"""

from collections.abc import Callable, Iterable, Mapping

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Wired
from alcor.agent.packets import ipv4, ipv6
from alcor.agent.packets.dns import PORT as DNS_PORT
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.tcp import PROTOCOL_TCP
from alcor.agent.services.dns_session import DnsSession
from alcor.agent.services.resolver import Resolver
from alcor.agent.services.streams import Service, Streams
from alcor.ovs import frames

Send = Callable[[Iterable[Outgoing]], None]


class Desk:
    """Takes machines' packets to services, and services' answers back."""

    def __init__(
        self,
        model: HostModel,
        send: Send,
        resolver: Resolver,
        services: Mapping[int, Service],
        chance: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self._model, self._send, self._resolver = model, send, resolver
        names: dict[int, Service] = {DNS_PORT: lambda line: DnsSession(line, resolver)}
        self._streams = Streams(self._say, chance, metrics, names | dict(services))

    def take(self, frame: bytes, wired: Wired) -> None:
        """A frame of a port to the host's own address; `Malformed` when nobody is asked by it."""
        if frame[12:14] == ipv6.ETHERTYPE_IPV6.to_bytes(2, "big"):
            protocol = ipv6.parse_packet(frame).protocol
        else:
            protocol = ipv4.parse_packet(frame)[2]
        if protocol == PROTOCOL_TCP:
            self._streams.take(frame, wired)
        else:
            self._take_datagram(frame, wired)

    def _take_datagram(self, frame: bytes, wired: Wired) -> None:
        version = 6 if frame[12:14] == ipv6.ETHERTYPE_IPV6.to_bytes(2, "big") else 4
        asked = ipv6.parse_datagram(frame) if version == 6 else ipv4.parse_datagram(frame)
        if asked.udp_dst != DNS_PORT:
            raise Malformed("no service at that port")
        make = frames.udp6 if version == 6 else frames.udp4

        def say(answer: bytes) -> None:
            packet = make(asked.ip_dst, asked.ip_src, asked.udp_dst, asked.udp_src, answer)
            self._say(wired, frames.ip_frame(asked.eth_src, asked.eth_dst, packet))

        self._resolver.ask(asked.payload, wired.network, wired.number, say)

    def _say(self, wired: Wired, frame: bytes) -> None:
        """An answer may come late: the interface may be another machine's by then."""
        now = self._model.wired(wired.port.id)
        if now is not None and now.delivery == wired.delivery:
            self._send((Outgoing(frame, now.delivery),))
