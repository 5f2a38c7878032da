"""The OpenFlow codec against bytes made by hand, and against any bytes at all."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.ovs.fields import FIELDS
from alcor.ovs.flow import DROP, Flow, Match, Term, apply, match, output, set_field
from alcor.ovs.openflow import flows, meters, packets, wire
from alcor.ovs.openflow.flows import flow_body, flow_key
from alcor.ovs.openflow.matches import decode_match, encode_match
from alcor.ovs.openflow.tracking import Opening, flush
from alcor.ovs.openflow.wire import Frames, Malformed, Message


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def test_a_match_is_encoded_as_the_standard_says() -> None:
    encoded = encode_match(match(in_port=3, eth_dst=(1 << 40, 1 << 40)))

    assert encoded == hexed(
        "0001 001c 80000004 00000003 8000070c 010000000000 010000000000 00000000"
    )


def test_a_flow_mod_in_a_bundle_is_encoded_as_the_standard_says() -> None:
    flow = Flow(7, 100, match(in_port=3), apply(output(2), goto=9), 0xAB)

    encoded = flows.Bundle(6).put(5, flow_key(flow), flow_body(flow))

    assert encoded == hexed(
        "05 22 0070 00000005  00000006 0000 0003"
        "05 0e 0060 00000005  00000000000000ab 0000000000000000  07 00 0000 0000 0064"
        "ffffffff ffffffff ffffffff 0000 0000"
        "0001 000c 80000004 00000003 00000000"
        "0004 0018 00000000  0000 0010 00000002 0000 000000000000"
        "0001 0008 09 000000"
    )


def test_a_deletion_means_any_port_and_any_group() -> None:
    one = flows.Bundle(6).take(5, flow_key(Flow(7, 100, match(), DROP)))[16:]
    many = flows.delete_flows(5, 0xAB, 0xFF)

    assert (one[25], many[25]) == (4, 3)  # strictly this one, and all that the cookie says
    assert one[36:44] == many[36:44] == b"\xff" * 8


def test_a_masked_set_field_goes_by_nicira_for_1_4_has_none() -> None:
    body = flow_body(Flow(0, 0, match(), apply(set_field("reg0", 1, 3))))

    assert body[16:] == hexed("ffff 0018 00002320 0021 00010108 00000001 00000003 0000")


def test_connections_are_forgotten_in_the_words_of_ovs_ofctl() -> None:
    """As `ovs-ofctl ct-flush` of Open vSwitch 3.1 sends it, caught on its socket."""
    zeros = "00" * 10
    pair = f"0000 0014 {zeros} ffff 0a000001 000000000001 0014 {zeros} ffff 0a000002 00000000"
    one = flush(2, 5, Opening(0x0A000001, 0x0A000002, 17, 4444, 7777))
    all_between = flush(2, 5, Opening(0x0A000001, 0x0A000002))

    assert one == hexed(
        "05 04 0068 00000002 00002320 00000020 11 00 000000000000"
        f"0000 0048 00000000 {pair} 0002 0008 115c 0000 0003 0008 1e61 0000"
        "0002 0008 0005 0000"
    )
    assert all_between == hexed(
        "05 04 0058 00000002 00002320 00000020 00 00 000000000000"
        f"0000 0038 00000000 {pair} 0002 0008 0005 0000"
    )


MATCHES = st.lists(st.sampled_from(FIELDS), unique_by=lambda field: field.place).flatmap(
    lambda fields: st.tuples(
        *(
            st.builds(
                lambda value, mask, field=field: Term(field.place, value & mask, mask),
                st.integers(0, field.full),
                st.integers(1, field.full) if field.maskable else st.just(field.full),
            )
            for field in sorted(fields, key=lambda field: field.place)
        )
    )
)


@given(MATCHES)
def test_a_match_survives_the_wire(terms: tuple[Term, ...]) -> None:
    encoded = encode_match(Match(terms))

    assert len(encoded) % 8 == 0
    assert decode_match(encoded) == Match(terms)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_frames_are_the_same_however_the_bytes_arrive(body: bytes, size: int) -> None:
    stream = wire.hello(1) + wire.message(wire.ECHO_REQUEST, 2, body) + wire.message(21, 3)
    frames, found = Frames(), list[Message]()

    for at in range(0, len(stream), size):
        found += frames.feed(stream[at : at + size])

    assert [message.xid for message in found] == [1, 2, 3]
    assert found[1].body == body


DECODERS: list[Callable[[bytes], Any]] = [
    lambda data: Frames().feed(data),
    lambda data: Frames().feed(b"\x05" + data),
    lambda data: flows.decode_flows(data, {}),
    meters.decode_meters,
    packets.decode_packet_in,
    lambda data: packets.decode_packet_in(hexed("00002320 0000001e") + data),
    decode_match,
    wire.decode_error,
]


@pytest.mark.parametrize("decode", DECODERS)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_are_malformed(decode: Callable[[bytes], Any], data: bytes) -> None:
    with suppress(Malformed):
        decode(data)


FLOW_STATS = hexed(
    "0048 07 00 00000001 00000002 0064 0000 0000 0000 0000 0000"
    "00000000000000ab 0000000000000003 0000000000000004"
    "0001 000c 80000004 00000003 00000000"
    "0001 0008 09 000000"
)


def test_flow_statistics_are_read_as_key_and_body() -> None:
    flow = Flow(7, 100, match(in_port=3), apply(goto=9), 0xAB)
    found: dict[Any, Any] = {}

    flows.decode_flows(FLOW_STATS * 2, found)

    assert found == {flow_key(flow): flow_body(flow)}
    assert (flows.table_of(flow_key(flow)), flows.cookie_of(flow_body(flow))) == (7, 0xAB)
    assert flows.match_of(flow_key(flow)) == flow.match
    assert flows.key_text(flow_key(flow)) == str(flow)


@given(st.integers(0, len(FLOW_STATS) - 1), st.integers(0, 255), st.integers(0, 80))
def test_damaged_flow_statistics_never_crash_the_reader(at: int, octet: int, cut: int) -> None:
    damaged = bytearray(FLOW_STATS * 2)
    damaged[at] = octet
    with suppress(Malformed):
        flows.decode_flows(bytes(damaged[: len(damaged) - cut]), {})


def test_a_message_that_is_too_long_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="65,535"):
        wire.message(0, 1, bytes(70_000))
    long = Flow(0, 1, match(), apply(*(set_field("ipv6_src", n) for n in range(3000))))
    with pytest.raises(ValueError, match="do not fit"):
        flow_body(long)
