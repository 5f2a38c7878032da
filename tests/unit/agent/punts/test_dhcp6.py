"""The DHCPv6 server says what RFC 8415 says, and survives any bytes."""

import contextlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.packets.dhcp6 import (
    Association,
    Message,
    MessageType,
    Option,
    build_message,
    option_bytes,
    parse_message,
)
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.ipv6 import parse_datagram
from alcor.agent.punts.dhcp import Answer, Served, Silence
from alcor.agent.punts.dhcp6 import answer
from alcor.goal_state.entries import FixedIp, Ipv6Mode, Network, Port, Subnet
from alcor.ovs import frames
from alcor.values.addresses import Mac, address, eui64_link_local, prefix

MAC = Mac(0x020000000001)
MINE, OTHER, SECOND = (address(f"fd00::{n}").number for n in ("5", "6", "1:5"))
PORT = Port("p1", "n1", MAC, (FixedIp("s1", address("fd00::5")),), True, True, "web", "")
NETWORK = Network("n1", 7, 1450, True, "tenant.example.", zone="example.org.")
CLIENT = (Option.CLIENT_ID, b"\x00\x03\x00\x01" + MAC.to_bytes(6, "big"))
ALL_SERVERS = address("ff02::1:2").number


def subnet(mode: Ipv6Mode = Ipv6Mode.STATEFUL, servers: tuple[str, ...] = ("fd00::53",)) -> Subnet:
    where = prefix("fd00::/80")
    return Subnet("s1", "n1", where, None, True, tuple(map(address, servers)), (), mode, mode)


def served(of: Subnet | None = None, port: Port = PORT, lease_s: int = 86_400) -> Served:
    return Served(port, NETWORK, {"s1": of or subnet()}, lease_s)


def ia(iaid: int, *addresses: int, code: int = Option.IA_NA) -> tuple[int, bytes]:
    inner = (option_bytes(5, each.to_bytes(16, "big") + bytes(8)) for each in addresses)
    times = b"" if code == Option.IA_TA else bytes(8)
    return code, iaid.to_bytes(4, "big") + times + b"".join(inner)


def ask(
    kind: MessageType, *options: tuple[int, bytes], by: Served | None = None
) -> Message | Silence:
    return said_to(build_message(kind, b"xyz", options), by or served())


def said_to(payload: bytes, by: Served) -> Message | Silence:
    source = eui64_link_local(MAC).number
    packet = frames.udp6(source, ALL_SERVERS, 546, 547, payload)
    said = answer(frames.ip_frame(0x3333_0001_0002, MAC, packet), by)
    if isinstance(said, Silence):
        return said
    assert isinstance(said, Answer)
    datagram = parse_datagram(said.frame)
    assert (datagram.udp_src, datagram.udp_dst, datagram.ip_dst) == (547, 546, source)
    return parse_message(datagram.payload)


def heard(said: Message | Silence) -> Message:
    assert isinstance(said, Message), said
    return said


def server() -> tuple[int, bytes]:
    return Option.SERVER_ID, heard(ask(MessageType.SOLICIT, CLIENT)).option(2) or b""


def given_by(message: Message) -> list[tuple[int, ...]]:
    return [each.addresses for each in message.associations()]


def status_of(message: Message, at: int = 0) -> int | None:
    """The status inside an association, or at the top when there is none."""
    ias = [value for code, value in message.options if code in (3, 4, 25)]
    inner = ias[at][12:] if ias else None
    raw = (
        parse_message(bytes(4) + inner).option(Option.STATUS)
        if inner is not None
        else message.option(Option.STATUS)
    )
    return int.from_bytes(raw[:2], "big") if raw is not None else None


def test_a_solicitation_is_answered_by_an_offer_of_the_ports_own_address() -> None:
    said = heard(ask(MessageType.SOLICIT, CLIENT, ia(7)))

    assert said.kind == MessageType.ADVERTISE
    assert said.associations() == [Association(3, (7).to_bytes(4, "big"), (MINE,))]
    assert said.option(Option.NAME_SERVERS) == address("fd00::53").packed
    assert said.option(Option.SEARCH_LIST) == b"\x07example\x03org\x00"
    assert said.option(Option.CLIENT_ID) == CLIENT[1]


def name_told(*options: tuple[int, bytes], port: Port = PORT) -> bytes | None:
    by = served(port=port)
    return heard(ask(MessageType.SOLICIT, CLIENT, ia(7), *options, by=by)).option(39)


def test_a_machine_is_told_its_name_if_it_asks_for_it_or_says_what_it_takes_for_it() -> None:
    asks = (Option.REQUESTED, bytes((0, 23, 0, 39)))
    whole = b"\x03web\x07example\x03org\x00"

    assert name_told() is None
    assert name_told((Option.REQUESTED, bytes((0, 23, 39, 0, 39)))) is None
    assert name_told(asks) == b"\x01" + whole
    assert name_told((Option.CLIENT_NAME, b"\x01\x03mine")) == b"\x01" + whole
    assert name_told((Option.CLIENT_NAME, b"\x04\x03mine"), asks) == b"\x03" + whole
    assert name_told((Option.CLIENT_NAME, b"")) == b"\x03" + whole


def test_who_has_no_name_is_told_that_of_its_address_and_what_is_no_name_is_not_told() -> None:
    asks = (Option.REQUESTED, bytes((0, 39)))

    for name in ("", "$(reboot)"):
        told = name_told(asks, port=PORT._replace(name=name))
        assert told == b"\x01\x0chost-fd00--5\x07example\x03org\x00"
    four_only = PORT._replace(fixed_ips=(FixedIp("s1", address("10.0.0.5")),))
    assert name_told(asks, port=four_only) is None


def test_with_rapid_commit_the_answer_is_final() -> None:
    said = heard(ask(MessageType.SOLICIT, CLIENT, ia(7), (Option.RAPID_COMMIT, b"")))

    assert said.kind == MessageType.REPLY
    assert said.option(Option.RAPID_COMMIT) == b""
    assert given_by(said) == [(MINE,)]


@pytest.mark.parametrize("kind", [MessageType.REQUEST, MessageType.RENEW])
def test_requests_name_this_server_and_are_granted_whatever_their_association(
    kind: MessageType,
) -> None:
    assert given_by(heard(ask(kind, CLIENT, server(), ia(99, MINE)))) == [(MINE,)]
    assert isinstance(ask(kind, CLIENT, (Option.SERVER_ID, b"other"), ia(99)), Silence)
    assert isinstance(ask(kind, CLIENT, ia(99)), Silence)
    assert isinstance(ask(kind, server(), ia(99)), Silence)


def test_an_address_that_is_not_the_ports_ends_at_once() -> None:
    said = heard(ask(MessageType.REBIND, CLIENT, ia(1, OTHER)))

    value = said.option(Option.IA_NA) or b""
    lifetimes = {each[:16]: each[16:24] for each in _addresses(value[12:])}
    assert lifetimes[OTHER.to_bytes(16, "big")] == bytes(8)
    assert lifetimes[MINE.to_bytes(16, "big")] == (86_400).to_bytes(4, "big") * 2


def _addresses(options: bytes) -> Iterable[bytes]:
    return [value for code, value in parse_message(bytes(4) + options).options if code == 5]


def test_a_second_association_gets_nothing_and_nobody_gets_a_prefix() -> None:
    said = heard(ask(MessageType.SOLICIT, CLIENT, ia(1), ia(2), ia(3, code=Option.IA_PD)))

    assert given_by(said) == [(MINE,), (), ()]
    assert [status_of(said, at) for at in range(3)] == [None, 2, 6]


def test_addresses_of_several_subnets_come_in_one_association() -> None:
    both = PORT._replace(fixed_ips=(*PORT.fixed_ips, FixedIp("s1", address("fd00::1:5"))))

    assert given_by(heard(ask(MessageType.SOLICIT, CLIENT, ia(1), by=served(port=both)))) == [
        (MINE, SECOND)
    ]


def test_confirm_says_whether_the_addresses_are_right() -> None:
    assert status_of_top(ask(MessageType.CONFIRM, CLIENT, ia(1, MINE))) == 0
    assert status_of_top(ask(MessageType.CONFIRM, CLIENT, ia(1, OTHER))) == 4
    assert isinstance(ask(MessageType.CONFIRM, CLIENT, ia(1)), Silence)


def status_of_top(said: Message | Silence) -> int:
    return int.from_bytes((heard(said).option(Option.STATUS) or b"\xff")[:2], "big")


def test_a_release_is_acknowledged_and_a_decline_is_notable() -> None:
    assert status_of_top(ask(MessageType.RELEASE, CLIENT, server(), ia(1, MINE))) == 0
    declined = ask(MessageType.DECLINE, CLIENT, server(), ia(1, MINE))
    assert isinstance(declined, Silence)
    assert declined.notable


def test_on_a_stateless_subnet_there_are_answers_but_no_addresses() -> None:
    stateless = served(subnet(Ipv6Mode.STATELESS))

    told = heard(ask(MessageType.INFORMATION_REQUEST, by=stateless))
    asked = heard(ask(MessageType.SOLICIT, CLIENT, ia(1), by=stateless))

    assert told.option(Option.NAME_SERVERS) == address("fd00::53").packed
    assert told.option(Option.REFRESH_TIME) == (86_400).to_bytes(4, "big")
    assert given_by(asked) == [()]
    assert status_of(asked) == 2


@pytest.mark.parametrize("lease_s", [60, 0xFFFF_FFFE, 0xFFFF_FFFF])
def test_times_are_in_order_and_never_overflow(lease_s: int) -> None:
    said = heard(ask(MessageType.SOLICIT, CLIENT, ia(1), by=served(lease_s=lease_s)))

    value = said.option(Option.IA_NA) or b""
    renew, rebind = (int.from_bytes(value[at : at + 4], "big") for at in (4, 8))
    assert 0 < renew <= rebind <= lease_s


def test_an_unspecified_name_server_means_none() -> None:
    silent = served(subnet(servers=("::",)))

    assert heard(ask(MessageType.SOLICIT, CLIENT, ia(1), by=silent)).option(23) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        parse_message(data).associations()
    said_to(data, served())


@given(st.binary(max_size=300), st.sampled_from(sorted(MessageType)))
def test_any_options_are_answered_or_ignored(options: bytes, kind: MessageType) -> None:
    said_to(bytes((kind,)) + b"xyz" + option_bytes(*CLIENT) + options, served())


def test_a_message_cut_short_anywhere_does_no_harm() -> None:
    whole = build_message(MessageType.SOLICIT, b"xyz", (CLIENT, ia(1, MINE)))
    for size in range(len(whole)):
        said_to(whole[:size], served())
