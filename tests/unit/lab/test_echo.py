"""Echo requests and replies, byte by byte."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from alcor.lab.traffic.echo import V4, V6, checksum, kind_of, reply, request
from alcor.lab.traffic.ping import all_pairs
from alcor.lab.traffic.stream import StreamResult, interval_s


@given(st.binary(max_size=100).filter(lambda data: len(data) % 2 == 0))
def test_data_with_its_checksum_sums_to_nothing(data: bytes) -> None:
    assert checksum(data + struct.pack("!H", checksum(data))) == 0


def test_an_ipv4_request_carries_its_checksum_and_an_ipv6_one_leaves_it_to_the_kernel() -> None:
    assert checksum(request(V4, 7, 9)) == 0
    assert request(V6, 7, 9)[2:4] == b"\0\0"


def test_a_reply_is_told_by_identifier_and_sequence() -> None:
    echoed = bytes([V4.reply]) + request(V4, 7, 9)[1:]

    assert reply(V4, bytes([0x45]) + bytes(19) + echoed) == (7, 9)
    assert reply(V6, bytes([V6.reply]) + request(V6, 7, 9)[1:]) == (7, 9)


@given(st.binary(max_size=64), st.sampled_from([V4, V6]))
def test_any_bytes_are_a_reply_or_none(data: bytes, kind: object) -> None:
    assert kind in (V4, V6)
    reply(V4 if kind is V4 else V6, data)


def test_a_request_is_no_reply() -> None:
    assert reply(V6, request(V6, 7, 9)) is None


def test_a_family_is_known_by_the_text_of_an_address() -> None:
    assert kind_of("10.0.0.1") is V4
    assert kind_of("fd00::1") is V6


def test_all_pairs_are_every_machine_and_every_other() -> None:
    pairs = all_pairs({f"vm{n}": f"10.0.0.{n}" for n in range(20)})

    assert len(pairs) == len(set(pairs)) == 380
    assert all(pair.source != pair.target for pair in pairs)


def test_the_gap_is_the_longest_run_of_lost_packets() -> None:
    assert StreamResult(100, (3, 10, 11, 12, 40)).gap_s == 3 * interval_s
    assert StreamResult(100, ()).gap_s == 0
