"""Frames that tests send are well formed, so that only what they claim is wrong with them."""

import struct

from alcor.lab.traffic.echo import checksum
from alcor.lab.traffic.frames import arp, broadcast, neighbour_advertisement, udp4, udp6
from alcor.values.addresses import address

ME = ("fa:16:3e:00:00:01", "10.0.0.1", 67)
YOU = ("fa:16:3e:00:00:02", "10.0.0.2", 68)
ME6 = (ME[0], "fe80::1", 547)
YOU6 = (YOU[0], "fe80::2", 546)


def test_an_ipv4_frame_has_its_header_checksum_and_its_lengths() -> None:
    frame = udp4(ME, YOU, b"words")

    assert frame[12:14] == b"\x08\x00"
    assert checksum(frame[14:34]) == 0
    assert struct.unpack("!H", frame[16:18])[0] == 20 + 8 + 5
    assert struct.unpack("!HHH", frame[34:40]) == (67, 68, 8 + 5)
    assert len(frame) == 60


def pseudo(frame: bytes) -> bytes:
    size, protocol = struct.unpack("!HB", frame[18:21])
    return frame[22:54] + struct.pack("!II", size, protocol) + frame[54 : 54 + size]


def test_ipv6_frames_have_the_checksum_that_their_kind_needs() -> None:
    advertisement = neighbour_advertisement(ME6[:2], YOU6[:2], "fe80::9")

    assert checksum(pseudo(udp6(ME6, YOU6, b"words"))) == 0
    assert checksum(pseudo(advertisement)) == 0
    assert advertisement[21] == 255  # hops: RFC 4861 takes no other
    assert advertisement[62:78] == address("fe80::9").packed


def test_an_arp_frame_claims_what_it_is_told_to() -> None:
    frame = arp(ME[0], broadcast, operation=1, sender=(YOU[0], "10.0.0.9"), asked="10.0.0.2")

    assert frame[:6] == b"\xff" * 6
    assert frame[20:22] == b"\0\1"
    assert frame[22:28] == bytes.fromhex("fa163e000002")
    assert frame[28:32] == address("10.0.0.9").packed
    assert frame[38:42] == address("10.0.0.2").packed
