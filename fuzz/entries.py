"""What is fuzzed: a function of bytes for each parser, and honest bytes to begin with.

An entry swallows `Malformed`, which is how a parser says no; anything else that it raises is a
fault. It goes on with what was parsed, to what answers it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from alcor.agent.announcements import ra
from alcor.agent.model.model import HostModel, Interface, Wired
from alcor.agent.packets import advertisement, bfd, dhcp, dhcp6, dns, icmp, ipv4, ipv6, tcp
from alcor.agent.packets.names import name_bytes
from alcor.agent.punts import dhcp4 as dhcp4_server
from alcor.agent.punts import dhcp6 as dhcp6_server
from alcor.agent.punts.bfd_session import Session
from alcor.agent.punts.dhcp import Served
from alcor.agent.services import answers
from alcor.agent.services.connection import Connection
from alcor.agent.services.http import HttpRequest, HttpSession, Reply, plain
from alcor.agent.services.streams import Line
from alcor.agent.services.zones import Zones
from alcor.goal_state import codec
from alcor.goal_state.entries import FixedIp, Ipv6Mode, Name, Neighbour, Network, Port, Subnet
from alcor.ovs import frames
from alcor.ovs.flow import Flow, apply, match, output
from alcor.ovs.openflow import flows, matches, meters, packets, wire
from alcor.ovs.ovsdb import framing
from alcor.ovs.packet import Packet
from alcor.values.addresses import Mac, address, eui64_link_local, prefix

MAC = Mac(0x020000000001)
LINK_LOCAL = eui64_link_local(MAC).number
ALL = 0xFF02 << 112 | 1


class Entry(NamedTuple):
    """A parser, and what it reads on a good day."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


def _model() -> HostModel:
    made = HostModel()
    mode = Ipv6Mode.STATEFUL
    fixed = (FixedIp("s4", address("10.0.0.5")), FixedIp("s6", address("fd00::5")))
    made.put(Network("n1", 7, 1450, True, "tenant.example.", zone="region.test."))
    made.put(Subnet("s4", "n1", prefix("10.0.0.0/24"), address("10.0.0.1"), True, (), ()))
    made.put(Subnet("s6", "n1", prefix("fd00::/64"), None, True, (), (), mode, mode))
    made.put(Port("p1", "n1", MAC, fixed, True, True, "web", "vm"))
    addresses = tuple(each.address for each in fixed)
    made.put(Neighbour("p1", "n1", MAC, addresses, "h1", address("172.31.0.1")))
    made.put(Name("p1", "n1", "web", "", addresses))
    made.set_interface("p1", Interface(3, True))
    return made


MODEL = _model()
ZONES = Zones(MODEL)
NETWORK = MODEL.networks["n1"]


def _wired() -> Wired:
    wired = MODEL.wired("p1")
    assert wired is not None
    return wired


WIRED = _wired()
SUBNETS = MODEL.subnets_of(WIRED.port)


def _dhcp4(data: bytes) -> None:
    served = Served(WIRED.port, NETWORK, SUBNETS, 3600)
    dhcp4_server.answer(data, served)
    # Past the checksum of the IP header, which random bytes never get right.
    packet = frames.udp4(0, 0xFFFFFFFF, 68, 67, data)
    dhcp4_server.answer(frames.ip_frame(frames.BROADCAST, MAC, packet), served)


def _dhcp6(data: bytes) -> None:
    served = Served(WIRED.port, NETWORK, SUBNETS, 3600)
    dhcp6_server.answer(data, served)
    packet = frames.udp6(LINK_LOCAL, ALL, 546, 547, data)
    dhcp6_server.answer(frames.ip_frame(0x3333_0001_0002, MAC, packet), served)


def _bfd(data: bytes) -> None:
    for packet in (frames.udp4(1, 2, 50_000, bfd.PORT, data, bfd.ttl),
                   frames.udp6(1, 2, 50_000, bfd.PORT, data, bfd.ttl)):  # fmt: skip
        for frame in (data, frames.ip_frame(1, MAC, packet)):
            with suppress(ipv4.Malformed):
                said = bfd.parse(frame).control
                session = Session(1, 0.3)
                for now_s in (0.0, 1.0):
                    session.hear(said, now_s)
                    session.speak(now_s, 0.5)
                    session.expire(now_s + said.multiplier * said.tx_us)


def _ra(data: bytes) -> None:
    with suppress(ipv4.Malformed):
        for _ in ra.answers(advertisement.parse_solicitation(data), ra.link_of(MODEL, WIRED)):
            pass


def _dns(data: bytes) -> None:
    dns.build_refusal(data, dns.Code.FORMAT_ERROR)
    with suppress(ipv4.Malformed):
        question = dns.parse_question(data)
        answers.answer(question, ZONES.zone(NETWORK))
        dns.fitted(question, question.passed_on(1))
        dns.is_answer_to(question, 1, data)


def _tcp(data: bytes) -> None:
    with suppress(ipv4.Malformed):
        tcp.parse_segment(data)
    connection = Connection(tcp.Segment(0, 0, tcp.SYN, 1000), 0, 1000, 0.0)
    for at in range(0, min(len(data), 400), 16):
        piece = data[at : at + 16].ljust(16, b"\0")
        seq, ack = int.from_bytes(piece[:2], "big", signed=True), piece[2]
        segment = tcp.Segment(
            seq % (1 << 32), ack, piece[3] & 63, piece[4] << 8, piece[5:], piece[6]
        )
        connection.receive(segment, float(at))
        connection.write(piece[:3], float(at))
        connection.tick(float(at))
        connection.take()


class _Wire:
    """A connection that forgets what is said."""

    wired, client = WIRED, "10.0.0.5"

    def write(self, data: bytes) -> None:
        pass

    def finish(self) -> None:
        pass

    def abort(self) -> None:
        pass


def _http(data: bytes) -> None:
    def ask(request: HttpRequest, line: Line, reply: Reply) -> None:
        reply(plain(200))

    session = HttpSession(_Wire(), ask)
    for at in range(0, len(data), 50):
        session.received(data[at : at + 50])


def _packet(data: bytes) -> None:
    """ARP and neighbour discovery are answered by flows; traces and ICMP errors read them."""
    packet = Packet(data)
    _ = packet.fields
    for version in (4, 6):
        ends = icmp.Ends(1, 2, address("10.0.0.1" if version == 4 else "fd00::1"))
        with suppress(ipv4.Malformed):
            icmp.refuse(data, icmp.Error.TIME_EXCEEDED, ends)
    for parse in (ipv4.parse_packet, ipv6.parse_packet, ipv4.parse_datagram, ipv6.parse_datagram):
        with suppress(ipv4.Malformed):
            parse(data)


def _openflow(data: bytes) -> None:
    with suppress(wire.Malformed):
        for message in wire.Frames().feed(data):
            _openflow_body(message.body)
    _openflow_body(data)


def _openflow_body(body: bytes) -> None:
    readers: tuple[Callable[[bytes], object], ...] = (
        wire.decode_error,
        packets.decode_packet_in,
        matches.decode_match,
        meters.decode_meters,
        lambda data: flows.decode_flows(data, {}),
    )
    for read in readers:
        with suppress(wire.Malformed):
            read(body)


def _ovsdb(data: bytes) -> None:
    parser = framing.JsonFrames()
    with suppress(framing.Malformed):
        for at in range(0, len(data), 100):
            parser.feed(data[at : at + 100])


def _goal_state(data: bytes) -> None:
    for key in ("host/h/port/p", "network/n/subnet/s", "network/n/name/p", "group/g/rule/r"):
        with suppress(codec.Malformed):
            codec.decode(key, data)
    with suppress(codec.Malformed):
        codec.decode(data.decode(errors="replace"), b"")


def _question(name: str, kind: int, more: bytes = b"") -> bytes:
    head = b"\x12\x34\x01\0\0\1\0\0\0\0\0" + bytes((bool(more),))
    return head + name_bytes(name) + kind.to_bytes(2, "big") + b"\0\1" + more


_DISCOVER = dhcp.build_message(
    dhcp.Message(1, 7, 0, 0, 0, 0, 0, MAC, {53: b"\1", 55: b"\1\3\x79", 77: b"\4iPXE"})
)
_SOLICIT = dhcp6.build_message(
    dhcp6.MessageType.SOLICIT, b"abc", ((1, b"client"), (3, bytes(12)), (25, bytes(12)), (14, b""))
)
_FLOW = Flow(10, 100, match(in_port=3, eth_src=MAC, reg0=(1, 1)), apply(output(4), goto=20), 1)
_ENDS = tcp.Ends(1, 2, address("10.0.0.5"), address("169.254.169.254"), 40_000, 80)

ENTRIES: dict[str, Entry] = {
    "dhcp4": Entry(_dhcp4, [_DISCOVER]),
    "dhcp6": Entry(_dhcp6, [_SOLICIT, _SOLICIT.replace(b"\1abc", b"\x06abc")]),
    "bfd": Entry(
        _bfd,
        [
            bfd.build(bfd.Control(bfd.State.DOWN, 2, 0, 5, 1_000_000, 1_000_000)),
            bfd.build(bfd.Control(bfd.State.UP, 2, 1, 5, 300_000, 300_000, poll=True)),
        ],
    ),
    "ra": Entry(
        _ra,
        [frames.ip_frame(0x3333_0000_0002, MAC, frames.icmp6(LINK_LOCAL, ALL, 133, 0, bytes(12)))],
    ),
    "dns": Entry(
        _dns,
        [
            _question("web.region.test", 1),
            _question("5.0.0.10.in-addr.arpa", 12),
            _question("web", 28, b"\0\0\x29\x10\0\0\0\0\0\0\0"),
        ],
    ),
    "tcp": Entry(_tcp, [tcp.build_segment(_ENDS, tcp.Segment(1, 2, tcp.ACK, 3, b"data", 1400))]),
    "http": Entry(
        _http,
        [
            b"GET /latest?x=y HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ],
    ),
    "arp-nd": Entry(
        _packet,
        [
            frames.arp(1, sha=MAC, spa=1, tpa=2),
            frames.ip_frame(1, MAC, frames.neighbour(135, LINK_LOCAL, ALL, LINK_LOCAL, (1, MAC))),
            frames.ip_frame(1, MAC, frames.udp4(1, 2, 3, 4, b"data")),
        ],
    ),
    "openflow": Entry(
        _openflow,
        [
            wire.hello(1),
            flows.Bundle(1).put(1, flows.flow_key(_FLOW), flows.flow_body(_FLOW)),
            meters.meter_mod(1, 0, 3, meters.Meter(10, 20)),
            packets.packet_out(1, b"frame", (output(3),)),
        ],
    ),
    "ovsdb": Entry(_ovsdb, [b'{"id":1,"result":[["set",[]]],"error":null}{"id":"echo","x":"}{"}']),
    "goal-state": Entry(
        _goal_state,
        [
            codec.encode("host/h/port/p", WIRED.port),
            codec.encode("network/n/subnet/s", SUBNETS["s6"]),
        ],
    ),
}
