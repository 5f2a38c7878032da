"""The frames that machines send, from a scenario's words. See test_agent_scenarios.py."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from alcor.agent.packets import dhcp6
from alcor.agent.packets.dhcp import Message, MessageType, Option, build_message
from alcor.goal_state.entries import Port
from alcor.ovs import frames
from alcor.values.addresses import Address, Mac, address, eui64_link_local, mac

ALL_NODES, ALL_NODES_MAC = address("ff02::1").number, 0x3333_0000_0001
_TCP_FLAGS = {"syn": 0x02, "synack": 0x12, "ack": 0x10}
ALL_SERVERS, ALL_SERVERS_MAC = address("ff02::1:2").number, 0x3333_0001_0002


class Nic(NamedTuple):
    """A port of the world, and where it is plugged."""

    port: Port
    host: str
    ofport: int
    plugged: bool

    def number(self, version: int) -> int:
        """Its first address of a family; 0 when it has none."""
        every = [each.address for each in self.port.fixed_ips if each.address.version == version]
        return every[0].number if every else 0


def frame_of(nics: Mapping[str, Nic], nic: Nic, words: list[str], said: dict[str, str]) -> bytes:
    """What a machine sends, in the scenario's words."""
    verb, *arguments = words
    to = nics.get(arguments[0]) if arguments else None
    makers: dict[str, Callable[[], bytes]] = {
        "udp": lambda: _udp(4, nic, to, said),
        "udp6": lambda: _udp(6, nic, to, said),
        "tcp": lambda: _tcp(nic, to, arguments[1], said),
        "unreachable": lambda: _unreachable(nic, to, said),
        "icmp": lambda: _icmp(nic, to, int(arguments[1]), said),
        "ping": lambda: _ping(nic, address(arguments[0]), said),
        "icmp6": lambda: _icmp6(nic, int(arguments[0]), said),
        "arp": lambda: _arp(1, nic, address(arguments[0]).number, said),
        "arp-reply": lambda: _arp(2, nic, to.number(4) if to else 0, said, to),
        "ns": lambda: _neighbour(135, nic, address(arguments[0]).number, said),
        "dad": lambda: _neighbour(
            135, nic, address(arguments[0]).number, {"ip": "::", "sll": "none", **said}
        ),
        "na": lambda: _neighbour(136, nic, address(arguments[0]).number, said),
        "rs": lambda: _icmp6(nic, 133, said),
        "dhcp6": lambda: _dhcp6(nic, dhcp6.MessageType[arguments[0].upper()], said),
        "dhcp": lambda: _dhcp(nic, MessageType[arguments[0].upper()], said),
        "ethertype": lambda: frames.ethernet(
            _mac(said, "dst_mac", ALL_NODES_MAC),
            _mac(said, "mac", nic.port.mac),
            int(arguments[0], 16),
            b"data",
        ),
    }
    return _tagged(makers[verb](), said)


def _tagged(frame: bytes, said: dict[str, str]) -> bytes:
    """With the tags that the scenario names, the outer one first."""
    words = said.get("vlan", "none").split("+")
    for vlan in [int(word) for word in reversed(words) if word != "none"]:
        frame = frame[:12] + b"\x81\x00" + vlan.to_bytes(2, "big") + frame[12:]
    return frame


def _mac(said: dict[str, str], name: str, default: int) -> int:
    return mac(said[name]) if name in said else default


def _ip(said: dict[str, str], name: str, default: int) -> int:
    return address(said[name]).number if name in said else default


def _in_frame(nic: Nic, to_mac: int, packet: bytes, said: dict[str, str]) -> bytes:
    destination, source = _mac(said, "dst_mac", to_mac), _mac(said, "mac", nic.port.mac)
    return frames.ip_frame(destination, source, packet)


def _udp(version: int, nic: Nic, to: Nic | None, said: dict[str, str]) -> bytes:
    source = _ip(said, "ip", nic.number(version))
    destination = _ip(said, "dst_ip", to.number(version) if to else 0)
    ports = int(said.get("sport", "1000")), int(said.get("dport", "2000"))
    make = frames.udp4 if version == 4 else frames.udp6
    data = b"d" * int(said.get("size", "4"))
    packet = make(source, destination, *ports, data, int(said.get("ttl", "64")))
    return _in_frame(nic, to.port.mac if to else frames.BROADCAST, packet, said)


def _tcp(nic: Nic, to: Nic | None, kind: str, said: dict[str, str]) -> bytes:
    assert to is not None
    flags, ports = (
        _TCP_FLAGS[kind],
        (int(said.get("sport", "1000")), int(said.get("dport", "2000"))),
    )
    packet = frames.tcp4(_ip(said, "ip", nic.number(4)), to.number(4), *ports, flags, b"")
    return _in_frame(nic, to.port.mac, packet, said)


def _unreachable(nic: Nic, to: Nic | None, said: dict[str, str]) -> bytes:
    """What `nic` says of a datagram that `to` has sent it."""
    assert to is not None
    ports = int(said.get("sport", "1000")), int(said.get("dport", "2000"))
    quoted = frames.udp4(to.number(4), nic.number(4), *ports, b"data")
    packet = frames.icmp4(nic.number(4), to.number(4), 3, 3, bytes(4) + quoted)
    return _in_frame(nic, to.port.mac, packet, said)


def _icmp(nic: Nic, to: Nic | None, kind: int, said: dict[str, str]) -> bytes:
    assert to is not None
    packet = frames.icmp4(_ip(said, "ip", nic.number(4)), to.number(4), kind, 0, bytes(8))
    return _in_frame(nic, to.port.mac, packet, said)


def _ping(nic: Nic, to: Address, said: dict[str, str]) -> bytes:
    source, ttl = _ip(said, "ip", nic.number(to.version)), int(said.get("ttl", "64"))
    if to.version == 4:
        packet = frames.icmp4(source, to.number, 8, 0, bytes(8), ttl)
    else:
        packet = frames.icmp6(source, to.number, 128, 0, bytes(8), ttl)
    return _in_frame(nic, ALL_NODES_MAC, packet, said)


def _icmp6(nic: Nic, kind: int, said: dict[str, str]) -> bytes:
    source = _ip(said, "ip", eui64_link_local(nic.port.mac).number)
    packet = frames.icmp6(source, ALL_NODES, kind, 0, bytes(32))
    return _in_frame(nic, ALL_NODES_MAC, packet, said)


def _neighbour(kind: int, nic: Nic, target: int, said: dict[str, str]) -> bytes:
    source = _ip(said, "ip", nic.number(6))
    sll = said.get("sll")
    option = None if sll == "none" else (kind - 134, mac(sll) if sll else nic.port.mac)
    packet = frames.neighbour(kind, source, _ip(said, "dst_ip", ALL_NODES), target, option)
    return _in_frame(nic, ALL_NODES_MAC, packet, said)


def _arp(op: int, nic: Nic, target: int, said: dict[str, str], to: Nic | None = None) -> bytes:
    return frames.arp(
        op,
        sha=_mac(said, "sha", nic.port.mac),
        spa=_ip(said, "ip", nic.number(4)),
        tpa=target,
        dst=_mac(said, "dst_mac", to.port.mac if to else frames.BROADCAST),
        src=_mac(said, "mac", nic.port.mac),
    )


def _dhcp(nic: Nic, kind: MessageType, said: dict[str, str]) -> bytes:
    options = {int(Option.MESSAGE_TYPE): bytes((kind,))}
    client = Mac(_mac(said, "chaddr", nic.port.mac))
    source = _ip(said, "ip", 0)  # a machine that renews says it inside as well
    payload = build_message(Message(1, 7, 0, source, 0, 0, 0, client, options))
    ports = int(said.get("sport", "68")), int(said.get("dport", "67"))
    packet = frames.udp4(source, _ip(said, "dst_ip", 0xFFFFFFFF), *ports, payload)
    return _in_frame(nic, frames.BROADCAST, packet, said)


def _dhcp6(nic: Nic, kind: dhcp6.MessageType, said: dict[str, str]) -> bytes:
    asks_for_addresses = kind is not dhcp6.MessageType.INFORMATION_REQUEST
    options = [(1, b"client"), *[(3, bytes(12))] * asks_for_addresses]
    source = _ip(said, "ip", eui64_link_local(nic.port.mac).number)
    ports = int(said.get("sport", "546")), int(said.get("dport", "547"))
    payload = dhcp6.build_message(kind, b"abc", options)
    packet = frames.udp6(source, ALL_SERVERS, *ports, payload)
    return _in_frame(nic, ALL_SERVERS_MAC, packet, said)
