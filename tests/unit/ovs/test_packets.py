"""Packets are read and changed as a switch does it; no bytes crash the reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME, FIELDS
from alcor.ovs.packet import Packet

A, B = 0x020000000001, 0x020000000002
IP_A, IP_B = 0x0A000001, 0x0A000002
IP6_A, IP6_B = 0xFE80 << 112 | 1, 0xFE80 << 112 | 2


def setting(packet: Packet, name: str, value: int) -> Packet:
    field = FIELD_BY_NAME[name]
    return packet.with_bits(field.place, value, field.full)


def test_an_arp_request_reads_as_its_fields() -> None:
    packet = Packet(frames.arp(1, A, IP_A, IP_B))

    assert packet.fields == {
        "eth_src": A, "eth_dst": frames.BROADCAST, "eth_type": 0x0806, "arp_op": 1,
        "arp_sha": A, "arp_spa": IP_A, "arp_tha": 0, "arp_tpa": IP_B,
    }  # fmt: skip
    assert packet["ipv4_src"] == 0


def test_a_tagged_datagram_is_read_behind_its_tag() -> None:
    packet = Packet(frames.ip_frame(B, A, frames.udp4(IP_A, IP_B, 68, 67, b"?"), vlan=0x6005))

    assert packet["vlan_vid"] == 0x1005
    assert packet["vlan_pcp"] == 3
    assert (packet["eth_type"], packet["udp_src"], packet["udp_dst"]) == (0x0800, 68, 67)


def test_a_later_fragment_has_no_ports() -> None:
    packet = Packet(frames.ip_frame(B, A, frames.ipv4(IP_A, IP_B, 17, bytes(40), fragment=5)))

    assert packet["ip_frag"] == 3
    assert "udp_src" not in packet.fields


UDP4 = frames.ip_frame(B, A, frames.udp4(IP_A, IP_B, 1, 2, b"payload"))
UDP6 = frames.ip_frame(B, A, frames.udp6(IP6_A, IP6_B, 1, 2, b"odd"))
ICMP4 = frames.ip_frame(B, A, frames.icmp4(IP_A, IP_B, 8, 0, b"ping" * 9))
NS = frames.ip_frame(B, A, frames.neighbour(135, IP6_A, IP6_B, IP6_B, (1, A)))


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("ipv4_src", IP_B, UDP4, frames.udp4(IP_B, IP_B, 1, 2, b"payload")),
        ("ip_ttl", 9, UDP4, frames.udp4(IP_A, IP_B, 1, 2, b"payload", ttl=9)),
        ("udp_dst", 99, UDP4, frames.udp4(IP_A, IP_B, 1, 99, b"payload")),
        ("ipv6_dst", IP6_A, UDP6, frames.udp6(IP6_A, IP6_A, 1, 2, b"odd")),
        ("icmpv4_type", 0, ICMP4, frames.icmp4(IP_A, IP_B, 0, 0, b"ping" * 9)),
        ("nd_target", IP6_A, NS, frames.neighbour(135, IP6_A, IP6_B, IP6_A, (1, A))),
        ("nd_sll", B, NS, frames.neighbour(135, IP6_A, IP6_B, IP6_B, (1, B))),
    ],
)
def test_a_changed_packet_has_the_checksums_of_one_that_was_made_so(
    name: str, value: int, old: bytes, new: bytes
) -> None:
    assert setting(Packet(old), name, value).frame == frames.ip_frame(B, A, new)


def test_a_wrong_checksum_stays_wrong_and_an_absent_one_absent() -> None:
    wrong = bytearray(UDP4)
    wrong[40] ^= 1
    changed = setting(setting(Packet(bytes(wrong)), "ipv4_src", 7), "ipv4_src", IP_A)
    assert changed.frame == bytes(wrong)

    absent = bytearray(UDP4)
    absent[40:42] = b"\0\0"
    assert setting(Packet(bytes(absent)), "ipv4_src", 7).frame[40:42] == b"\0\0"


def test_a_tag_is_pushed_and_popped() -> None:
    packet = Packet(UDP4)

    tagged = setting(packet.push_vlan(0x8100), "vlan_vid", 0x1007)

    assert tagged["vlan_vid"] == 0x1007
    assert tagged["udp_src"] == 1
    assert tagged.pop_vlan() == packet


def test_setting_what_a_packet_has_not_changes_nothing() -> None:
    packet = Packet(UDP4)

    assert setting(packet, "arp_spa", 5) is packet
    assert packet.pop_vlan() is packet


@given(st.sampled_from([UDP4, UDP6, ICMP4, NS]), st.data())
def test_no_damage_to_a_frame_crashes_the_reader(frame: bytes, data: st.DataObject) -> None:
    damaged = bytearray(frame)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    packet = Packet(bytes(damaged[: data.draw(st.integers(0, len(frame)))]))

    for field in FIELDS:
        changed = packet.with_bits(field.place, data.draw(st.integers(0, field.full)), field.full)
        assert len(changed.frame) == len(packet.frame)
