"""What a router says of packets that it can't forward: rightly, and never of the wrong ones."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.packets.icmp import Ends, Error, refuse
from alcor.agent.packets.ipv4 import Malformed, checksum
from alcor.ovs import frames
from alcor.ovs.packet import Packet
from alcor.values.addresses import address

ME, YOU = 0x020000000001, 0x020000000002
ENDS4 = Ends(ME, YOU, address("10.0.0.1"))
ENDS6 = Ends(ME, YOU, address("fd00::1"))
HERE, THERE = address("10.0.0.5").number, address("10.0.1.6").number
HERE6, THERE6 = address("fd00::5").number, address("fd01::6").number


def framed(packet: bytes, dst: int = ME) -> bytes:
    return frames.ip_frame(dst, YOU, packet)


def test_an_error_quotes_the_packet_and_names_the_next_mtu() -> None:
    packet = frames.udp4(HERE, THERE, 1000, 2000, b"d" * 1400)

    told = refuse(framed(packet), Error.TOO_BIG, ENDS4, mtu=1300)

    said = Packet(told)
    assert (said["icmpv4_type"], said["icmpv4_code"]) == (3, 4)
    assert (said["ipv4_src"], said["ipv4_dst"]) == (ENDS4.source.number, HERE)
    assert (said["eth_src"], said["eth_dst"]) == (ME, YOU)
    assert int.from_bytes(told[38:42], "big") == 1300
    assert len(told) == 14 + 576
    assert packet.startswith(told[42:])
    assert checksum(told[34:]) == 0


def test_an_error_of_ipv6_quotes_as_much_as_every_link_takes() -> None:
    packet = frames.udp6(HERE6, THERE6, 1000, 2000, b"d" * 1400)

    told = refuse(framed(packet), Error.TOO_BIG, ENDS6, mtu=1300)

    said = Packet(told)
    assert (said["icmpv6_type"], said["icmpv6_code"]) == (2, 0)
    assert (said["ipv6_src"], said["ipv6_dst"]) == (ENDS6.source.number, HERE6)
    assert int.from_bytes(told[58:62], "big") == 1300
    assert len(told) == 14 + 1280
    assert packet.startswith(told[62:])


@pytest.mark.parametrize(
    "frame",
    [
        framed(frames.icmp4(HERE, THERE, 11, 0, bytes(40))),
        framed(frames.icmp6(HERE6, THERE6, 3, 0, bytes(40))),
        framed(frames.udp4(HERE, THERE, 1, 2, b"x"), dst=frames.BROADCAST),
        framed(frames.ipv4(HERE, THERE, 17, bytes(20), fragment=100)),
        framed(frames.udp4(0, THERE, 1, 2, b"x")),
        framed(frames.udp4(0xE0000001, THERE, 1, 2, b"x")),
        framed(frames.udp4(HERE, 0xE0000001, 1, 2, b"x")),
        framed(frames.udp4(0x7F000001, THERE, 1, 2, b"x")),
        framed(frames.udp6(0, THERE6, 1, 2, b"x")),
        framed(frames.udp6(0xFF << 120 | 1, THERE6, 1, 2, b"x")),
        framed(frames.udp6(HERE6, 0xFF << 120 | 1, 1, 2, b"x")),
        frames.arp(1, YOU, HERE, THERE, dst=ME),
    ],
)
def test_of_errors_fragments_and_crowds_nothing_is_said(frame: bytes) -> None:
    ends = ENDS6 if frame[12:14] == b"\x86\xdd" else ENDS4

    with pytest.raises(Malformed):
        refuse(frame, Error.TIME_EXCEEDED, ends)


@given(st.binary(max_size=200), st.sampled_from((b"\x08\x00", b"\x86\xdd", b"")))
def test_any_bytes_are_survived(junk: bytes, kind: bytes) -> None:
    for ends in (ENDS4, ENDS6):
        with suppress(Malformed):
            refuse(junk[:12] + kind + junk[12:], Error.NO_PORT, ends)
