"""A connection tracker in memory, for the simulator: what `ct()` finds, and what it keeps.

It tells apart what flows can tell apart: new, established, reply, related, invalid; it knows no
time and no TCP window, and translates addresses, but not those inside of ICMP errors.
Source: ovs-fields(7), "Connection Tracking Fields"; lib/conntrack.c of Open vSwitch 3.1.
"""

from dataclasses import dataclass
from typing import NamedTuple

from alcor.ovs.fields import (
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    FIELD_BY_NAME,
    IP_PROTO_ICMP,
    IP_PROTO_ICMPV6,
    IP_PROTO_SCTP,
    IP_PROTO_TCP,
    IP_PROTO_UDP,
)
from alcor.ovs.flow import (
    CT_DNAT,
    CT_EST,
    CT_INV,
    CT_NEW,
    CT_REL,
    CT_RPL,
    CT_SNAT,
    CT_TRK,
    Nat,
)
from alcor.ovs.packet import Packet

_PORTS = {IP_PROTO_TCP: "tcp", IP_PROTO_UDP: "udp", IP_PROTO_SCTP: "sctp"}
_ANSWERS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15}  # ICMP types that ask and answer
_ANSWERS6 = {128: 129, 129: 128}
_QUESTIONS = {IP_PROTO_ICMP: (8, 13, 15), IP_PROTO_ICMPV6: (128,)}
_ERRORS = {IP_PROTO_ICMP: (3, 4, 5, 11, 12), IP_PROTO_ICMPV6: (1, 2, 3, 4)}
_SYN_ACK = 0x12


class Key(NamedTuple):
    """Who speaks to whom; of ICMP the ports are type and code, `identifier` tells pings apart."""

    version: int
    source: int
    destination: int
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    identifier: int = 0

    def reversed(self) -> "Key | None":
        """The key of an answer; None when there is no answer to it."""
        ports = self.destination_port, self.source_port
        if self.protocol in _ERRORS:
            answers = _ANSWERS if self.protocol == IP_PROTO_ICMP else _ANSWERS6
            if self.source_port not in answers:
                return None
            ports = answers[self.source_port], self.destination_port
        source, destination = self.destination, self.source
        return Key(self.version, source, destination, self.protocol, *ports, self.identifier)


@dataclass
class Connection:
    """A connection that was committed, as its first packet opened it."""

    key: Key
    replied: bool = False
    mark: int = 0
    label: int = 0
    translated: Key | None = None  # what the opening packet has become; None: itself


class Found(NamedTuple):
    """What the tracker says of a packet: its state, the opening packet's key, the connection."""

    state: int
    key: Key | None
    connection: Connection | None


class Tracker:
    """The connections of every zone."""

    def __init__(self) -> None:
        self._connections: dict[tuple[int, Key], Connection] = {}
        self._answers: dict[tuple[int, Key], Connection] = {}  # of translated ones

    def find(self, zone: int, packet: Packet) -> Found:
        """What is known of a packet in a zone; an answer is remembered as one."""
        key = _key(packet)
        if key is None:
            return Found(CT_TRK | CT_INV, None, None)
        if key.source_port in _ERRORS.get(key.protocol, ()):
            return self._related(zone, packet)
        if (connection := self._connections.get((zone, key))) is not None:
            return Found(CT_TRK | (CT_EST if connection.replied else CT_NEW), key, connection)
        if (connection := self._answered(zone, key)) is not None:
            connection.replied = True
            return Found(CT_TRK | CT_EST | CT_RPL, connection.key, connection)
        if not _may_open(key, packet):
            return Found(CT_TRK | CT_INV, None, None)
        return Found(CT_TRK | CT_NEW, key, None)

    def commit(
        self, zone: int, packet: Packet, mark: int, label: int, nat: Nat | None = None
    ) -> None:
        """Keep the packet's connection, with this mark and label; what is invalid is not kept.

        With `nat` a connection that is not known yet is translated for as long as it lasts.
        """
        state, key, connection = self.find(zone, packet)
        if connection is None and key is not None and not state & CT_INV:
            connection = self._connections[zone, key] = Connection(key)
            if nat is not None and nat.direction:
                self._translate_from_now(zone, connection, nat)
        if connection is not None:
            connection.mark, connection.label = mark, label

    def _translate_from_now(self, zone: int, connection: Connection, nat: Nat) -> None:
        key = connection.key
        if nat.direction == "source":
            into = key._replace(source=nat.address, source_port=nat.port or key.source_port)
        else:
            port = nat.port or key.destination_port
            into = key._replace(destination=nat.address, destination_port=port)
        connection.translated = into
        answer = into.reversed()
        if answer is not None:
            self._answers[zone, answer] = connection

    def translate(self, zone: int, packet: Packet) -> tuple[Packet, int]:
        """The packet as its connection is translated, and the ct_state bits that say so."""
        state, _, connection = self.find(zone, packet)
        if connection is None or connection.translated is None:
            return packet, 0
        key, into = connection.key, connection.translated
        if state & CT_RPL:
            opened, changed = into.reversed(), key.reversed()
        else:
            opened, changed = key, into
        if state & CT_REL or opened is None or changed is None:
            opened, changed = (_ends_of(into), _ends_of(key)) if state & CT_RPL else (key, into)
        for end in ("source", "destination"):
            if getattr(opened, end) != getattr(changed, end):
                packet = _with_end(packet, end, changed)
        # As the packet itself is changed: an answer to a translated source has its destination so.
        is_source = (key.source != into.source) != bool(state & CT_RPL)
        return packet, CT_SNAT if is_source else CT_DNAT

    def flush(self, zone: int) -> None:
        """Forget every connection of a zone."""
        for held in (self._connections, self._answers):
            for each in [each for each in held if each[0] == zone]:
                del held[each]

    def _answered(self, zone: int, key: Key) -> Connection | None:
        if (translated := self._answers.get((zone, key))) is not None:
            return translated
        opened = key.reversed()
        found = self._connections.get((zone, opened)) if opened else None
        return found if found is None or found.translated is None else None

    def _related(self, zone: int, packet: Packet) -> Found:
        """An error is related to the connection of the packet that it quotes."""
        quoted = _quoted(packet)
        key = _key(quoted) if quoted is not None else None
        if key is not None:
            # Who hears of the error has sent the quoted packet: the error goes the other way.
            if (connection := self._connections.get((zone, key))) is not None:
                return Found(CT_TRK | CT_REL | CT_RPL, connection.key, connection)
            if (connection := self._answered(zone, key)) is not None:
                return Found(CT_TRK | CT_REL, connection.key, connection)
            # What is quoted may have been translated already.
            answer = key.reversed()
            if answer and (connection := self._answers.get((zone, answer))) is not None:
                return Found(CT_TRK | CT_REL | CT_RPL, connection.key, connection)
        return Found(CT_TRK | CT_INV, None, None)


def _key(packet: Packet) -> Key | None:
    """Who speaks to whom, by the packet itself; None when it is not IP."""
    kind, protocol = packet["eth_type"], packet["ip_proto"]
    if kind not in (ETH_TYPE_IPV4, ETH_TYPE_IPV6) or not packet.has("ip_proto"):
        return None
    version = 4 if kind == ETH_TYPE_IPV4 else 6
    ends = version, packet[f"ipv{version}_src"], packet[f"ipv{version}_dst"], protocol
    if protocol in _PORTS:
        name = _PORTS[protocol]
        return Key(*ends, packet[f"{name}_src"], packet[f"{name}_dst"])
    if protocol in _ERRORS:
        name = f"icmpv{version}"
        if not packet.has(f"{name}_type"):
            return None
        at = packet.headers.slots[FIELD_BY_NAME[f"{name}_type"].place].at
        identifier = int.from_bytes(packet.frame[at + 4 : at + 6], "big")
        return Key(*ends, packet[f"{name}_type"], packet[f"{name}_code"], identifier)
    return Key(*ends)


def _ends_of(key: Key) -> Key:
    """The key with its ends exchanged, as an error comes back."""
    return key._replace(source=key.destination, destination=key.source)


def _with_end(packet: Packet, end: str, key: Key) -> Packet:
    """The packet with the address of one end, and its port if it has ports, from the key."""
    short = "src" if end == "source" else "dst"
    field = FIELD_BY_NAME[f"ipv{key.version}_{short}"]
    packet = packet.with_bits(field.place, getattr(key, end), field.full)
    if key.protocol in _PORTS and packet["ip_proto"] == key.protocol:
        port = FIELD_BY_NAME[f"{_PORTS[key.protocol]}_{short}"]
        packet = packet.with_bits(port.place, getattr(key, f"{end}_port"), port.full)
    return packet


def _may_open(key: Key, packet: Packet) -> bool:
    if key.protocol in _QUESTIONS:
        return key.source_port in _QUESTIONS[key.protocol]
    if key.protocol == IP_PROTO_TCP and packet.has("tcp_src"):
        flags = packet.frame[packet.headers.slots[FIELD_BY_NAME["tcp_src"].place].at + 13]
        return flags & _SYN_ACK != _SYN_ACK
    return True


def _quoted(packet: Packet) -> Packet | None:
    """The packet that an ICMP error quotes, its length made that of what is quoted of it."""
    version = 4 if packet["eth_type"] == ETH_TYPE_IPV4 else 6
    at = packet.headers.slots[FIELD_BY_NAME[f"icmpv{version}_type"].place].at
    inner = bytearray(packet.frame[at + 8 :])
    if len(inner) < (20 if version == 4 else 40):
        return None
    if version == 4:
        inner[2:4] = len(inner).to_bytes(2, "big")
    else:
        inner[4:6] = (len(inner) - 40).to_bytes(2, "big")
    return Packet(packet.frame[:12] + packet["eth_type"].to_bytes(2, "big") + bytes(inner))
