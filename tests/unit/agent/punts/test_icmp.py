"""What a router says of packets that it can't forward: rightly, and never of the wrong ones."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.packets.icmp import Ends, Error, answered_piece, is_piece, refuse
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


def test_a_ping_in_fragments_is_answered_by_the_fragments_of_its_answer() -> None:
    words = bytes(range(256)) * 5
    asked = frames.icmp4(HERE, ENDS4.source.number, 8, 0, words)[20:]
    wanted = frames.icmp4(ENDS4.source.number, HERE, 0, 0, words)[20:]
    for at, more in ((0, 0x2000), (1000, 0)):
        piece = asked[at : at + 1000]
        field = more | at // 8
        packet = frames.ipv4(HERE, ENDS4.source.number, 1, piece, ttl=9, fragment=field)
        sent = Packet(framed(packet))
        assert is_piece(sent)

        told = answered_piece(sent, ENDS4)

        said = frames.ipv4(ENDS4.source.number, HERE, 1, wanted[at : at + 1000], fragment=field)
        assert told == frames.ip_frame(YOU, ME, said)


def test_a_ping_of_ipv6_in_fragments_is_answered_as_well() -> None:
    words = bytes(range(256)) * 5
    asked = frames.icmp6(HERE6, ENDS6.source.number, 128, 0, words)[40:]
    wanted = frames.icmp6(ENDS6.source.number, HERE6, 129, 0, words)[40:]
    for at, more in ((0, 1), (1000, 0)):
        head = bytes((58, 0)) + (at | more).to_bytes(2, "big") + b"same"
        packet = frames.ipv6(HERE6, ENDS6.source.number, 44, head + asked[at : at + 1000], hops=9)
        sent = Packet(framed(packet))
        assert is_piece(sent)

        told = answered_piece(sent, ENDS6)

        said = frames.ipv6(ENDS6.source.number, HERE6, 44, head + wanted[at : at + 1000])
        assert told == frames.ip_frame(YOU, ME, said)


def test_other_fragments_are_not_taken_for_pings() -> None:
    here, router = HERE, ENDS4.source.number
    no_ping = Packet(
        framed(frames.ipv4(here, router, 1, bytes((13,)) + bytes(23), fragment=0x2000))
    )
    with pytest.raises(Malformed):
        answered_piece(no_ping, ENDS4)
    assert not is_piece(Packet(framed(frames.ipv4(here, router, 17, bytes(24), fragment=0x2000))))
    assert not is_piece(Packet(framed(frames.icmp4(here, router, 8, 0, bytes(24)))))


@given(st.binary(max_size=80), st.sampled_from([0x2000, 0x0001]))
def test_any_fragment_is_answered_or_malformed(payload: bytes, field: int) -> None:
    with suppress(Malformed):
        packet = frames.ipv4(HERE, THERE, 1, payload, fragment=field)
        answered_piece(Packet(framed(packet)), ENDS4)
    with suppress(Malformed):
        answered_piece(Packet(framed(frames.ipv6(HERE6, THERE6, 44, payload))), ENDS6)
