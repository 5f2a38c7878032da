"""Ask the flows of whole worlds where packets go.

A scenario is a text file: first the world (hosts, networks, subnets, ports), then packets, each
with where it ends. `--update` writes the ends again. Every host's flows are compiled from its
model and carried out by the switch simulator; what leaves by a tunnel enters the other host's.

    host NAME TUNNEL_ADDRESS
    network NAME VNI [down]
    subnet NAME NETWORK PREFIX [gateway=ADDRESS] [nodhcp]
    port NAME NETWORK HOST MAC ADDRESS... [insecure] [down] [unplugged]
    PORT: FRAME [field=value ...] -> where it ends
    tunnel HOST VNI: FRAME from PORT ... -> where it ends

Frames: `udp PORT`, `udp6 PORT`, `ping PORT`, `arp ADDRESS`, `arp-reply PORT`, `ns ADDRESS`,
`dad ADDRESS`, `na ADDRESS`, `icmp6 TYPE`, `dhcp TYPE`, `ethertype NUMBER`; fields override what the
frame says: eth_src, eth_dst, ip_src, ip_dst, sha, sll, sport, dport, vlan, target.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alcor.agent.compiler import Compiler
from alcor.agent.model import HostModel, Interface, Tunnel
from alcor.agent.packets.dhcp import Message, Option, build_message, parse_message
from alcor.agent.packets.ipv4 import Datagram, build_datagram, checksum, parse_datagram
from alcor.goal_state.entries import FixedIp, Neighbour, Network, Port, Subnet
from alcor.values.addresses import (
    Address,
    address,
    eui64_link_local,
    mac,
    mac_text,
    prefix,
)

HERE = Path(__file__).parent
BROADCAST = "ff:ff:ff:ff:ff:ff"
TUNNEL_OFPORT = 100
DHCP_TYPES = {"discover": 1, "request": 3, "offer": 2}


def packed(text: str) -> bytes:
    return address(text).packed


def mac_bytes(text: str) -> bytes:
    return mac(text).to_bytes(6, "big")


def ethernet(fields: dict[str, str], kind: int, payload: bytes) -> bytes:
    head = mac_bytes(fields["eth_dst"]) + mac_bytes(fields["eth_src"])
    if "vlan" in fields:
        head += struct.pack("!HH", 0x8100, int(fields["vlan"]))
    return head + struct.pack("!H", kind) + payload


def ipv6(fields: dict[str, str], protocol: int, body: bytes, sum_at: int) -> bytes:
    source, destination = packed(fields["ip_src"]), packed(fields["ip_dst"])
    pseudo = source + destination + struct.pack("!II", len(body), protocol)
    total = checksum(pseudo + body).to_bytes(2, "big")
    body = body[:sum_at] + total + body[sum_at + 2 :]
    head = struct.pack("!IHBB", 6 << 28, len(body), protocol, 255) + source + destination
    return ethernet(fields, 0x86DD, head + body)


def ipv4(fields: dict[str, str], protocol: int, body: bytes) -> bytes:
    def head(total: int) -> bytes:
        numbers = (0x45, 0, 20 + len(body), 0, 0, 64, protocol, total)
        packed_addresses = packed(fields["ip_src"]) + packed(fields["ip_dst"])
        return struct.pack("!BBHHHBBH", *numbers) + packed_addresses

    return ethernet(fields, 0x0800, head(checksum(head(0))) + body)


def udp(fields: dict[str, str]) -> bytes:
    ports = int(fields.get("sport", "1000")), int(fields.get("dport", "2000"))
    body = struct.pack("!HHHH", *ports, 12, 0) + b"data"
    if ":" in fields["ip_src"]:
        return ipv6(fields, 17, body, 6)
    return ipv4(fields, 17, body)


def icmp(fields: dict[str, str]) -> bytes:
    kind = int(fields.get("type", "8"))
    body = struct.pack("!BBHHH", kind, 0, 0, 1, 1) + b"data"
    return ipv4(fields, 1, body[:2] + checksum(body).to_bytes(2, "big") + body[4:])


def arp(fields: dict[str, str]) -> bytes:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, int(fields["op"]))
    body += mac_bytes(fields.get("sha", fields["eth_src"])) + packed(fields["ip_src"])
    body += mac_bytes("00:00:00:00:00:00") + packed(fields["ip_dst"])
    return ethernet(fields, 0x0806, body)


def icmp6(fields: dict[str, str]) -> bytes:
    kind, option = int(fields["type"]), {"135": 1, "136": 2}.get(fields["type"])
    body = struct.pack("!BBHI", kind, 0, 0, 0)
    if option is not None:
        body += packed(fields["target"])
        link_layer = fields.get("sll", fields["eth_src"])
        if link_layer != "none":
            body += bytes((option, 1)) + mac_bytes(link_layer)
    return ipv6(fields, 58, body, 2)


def dhcp(fields: dict[str, str]) -> bytes:
    options = {int(Option.MESSAGE_TYPE): bytes((int(fields["type"]),))}
    client = mac(fields["eth_src"])
    message = Message(1, 7, 0, 0, 0, 0, 0, client, options)
    ports = int(fields["sport"]), int(fields["dport"])
    addresses = address(fields["ip_src"]).number, address(fields["ip_dst"]).number
    payload = build_message(message)
    return build_datagram(Datagram(client, mac(fields["eth_dst"]), *addresses, *ports, payload))
