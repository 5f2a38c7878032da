"""The DHCPv4 server says what RFC 2131 says, and survives any bytes."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcor.agent.model.service_address import SERVER_ADDRESS, SERVER_MAC
from alcor.agent.packets.dhcp import (
    BOOT_REPLY,
    BOOT_REQUEST,
    BROADCAST_FLAG,
    Message,
    MessageType,
    Option,
    build_message,
    parse_message,
    route_bytes,
)
from alcor.agent.packets.ipv4 import (
    BROADCAST,
    BROADCAST_MAC,
    Datagram,
    Malformed,
    build_datagram,
    checksum,
    parse_datagram,
)
from alcor.agent.punts.dhcp import Answer, Served, Silence
from alcor.agent.punts.dhcp4 import answer
from alcor.goal_state.entries import FixedIp, Network, Port, Route, Subnet
from alcor.values.addresses import Mac, address, prefix
from alcor.values.dhcp_options import DhcpOption, option

MAC = Mac(0x020000000001)
MINE, OTHER, GATEWAY = (address(f"10.0.0.{n}").number for n in (5, 6, 1))
SUBNET = Subnet(
    "s1",
    "n1",
    prefix("10.0.0.0/24"),
    address("10.0.0.1"),
    True,
    (address("8.8.8.8"), address("fd00::53"), address("9.9.9.9")),
    (),
)
PORT = Port("p1", "n1", MAC, (FixedIp("s1", address("10.0.0.5")),), True, True, "web", "")
NETWORK = Network("n1", 7, 1450, True, "tenant.example.", zone="example.org.")


def served(port: Port = PORT, subnet: Subnet = SUBNET, network: Network = NETWORK) -> Served:
    return Served(port, network, {subnet.id: subnet}, 86_400)


def request(
    kind: MessageType,
    options: Mapping[int, bytes] | None = None,
    *,
    ciaddr: int = 0,
    flags: int = 0,
    chaddr: int = MAC,
    giaddr: int = 0,
    op: int = BOOT_REQUEST,
) -> bytes:
    everything = {int(Option.MESSAGE_TYPE): bytes((kind,)), **(options or {})}
    message = Message(op, 0xABCD, flags, ciaddr, 0, 0, giaddr, chaddr, everything)
    datagram = Datagram(MAC, BROADCAST_MAC, ciaddr, BROADCAST, 68, 67, build_message(message))
    return build_datagram(datagram)


def reply(said: Answer | Silence) -> tuple[Datagram, Message]:
    assert isinstance(said, Answer), said
    datagram = parse_datagram(said.frame)
    return datagram, parse_message(datagram.payload)


def number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def ip(value: int) -> bytes:
    return value.to_bytes(4, "big")


def test_a_discover_is_offered_the_ports_address() -> None:
    datagram, message = reply(answer(request(MessageType.DISCOVER), served()))

    assert (message.type, message.yiaddr, message.xid) == (MessageType.OFFER, MINE, 0xABCD)
    assert message.op == BOOT_REPLY
    assert (datagram.eth_src, datagram.eth_dst) == (SERVER_MAC, MAC)
    assert (datagram.ip_src, datagram.ip_dst) == (GATEWAY, MINE)
    assert (datagram.udp_src, datagram.udp_dst) == (67, 68)


def test_a_lease_says_everything_that_the_subnet_knows() -> None:
    _, message = reply(answer(request(MessageType.DISCOVER), served()))

    said = message.options
    assert number(said[Option.SERVER_ID]) == GATEWAY
    assert number(said[Option.SUBNET_MASK]) == 0xFFFFFF00
    assert number(said[Option.ROUTER]) == GATEWAY
    assert said[Option.DNS_SERVER] == bytes((8, 8, 8, 8, 9, 9, 9, 9))
    assert number(said[Option.INTERFACE_MTU]) == 1450
    assert said[Option.DOMAIN_NAME] == b"example.org"
    assert said[Option.HOST_NAME] == b"web"
    assert number(said[Option.BROADCAST_ADDRESS]) == address("10.0.0.255").number
    times = (Option.RENEWAL_TIME, Option.REBINDING_TIME, Option.LEASE_TIME)
    assert [number(said[each]) for each in times] == [43_200, 75_600, 86_400]
    services = bytes((32, 169, 254, 169, 254, 0, 0, 0, 0))
    assert said[Option.CLASSLESS_ROUTES] == services + bytes((0, 10, 0, 0, 1))


def test_routes_carry_the_default_route_along() -> None:
    route = Route(prefix("192.168.4.0/22"), address("10.0.0.9"))

    _, message = reply(
        answer(request(MessageType.DISCOVER), served(subnet=SUBNET._replace(host_routes=(route,))))
    )

    routes = message.options[Option.CLASSLESS_ROUTES]
    services = bytes((32, 169, 254, 169, 254, 0, 0, 0, 0))
    assert routes == services + bytes((22, 192, 168, 4, 10, 0, 0, 9)) + bytes((0, 10, 0, 0, 1))
    assert Option.MICROSOFT_ROUTES not in message.options


def test_a_gateway_outside_the_subnet_is_on_the_link() -> None:
    beside = served(subnet=SUBNET._replace(gateway=address("100.64.0.1")))

    _, message = reply(answer(request(MessageType.DISCOVER), beside))

    routes = message.options[Option.CLASSLESS_ROUTES]
    on_link = bytes((32, 100, 64, 0, 1, 0, 0, 0, 0))
    assert routes.endswith(on_link + bytes((0, 100, 64, 0, 1)))
    assert number(message.options[Option.SERVER_ID]) == SERVER_ADDRESS.number


def test_old_windows_gets_its_own_number_when_it_asks() -> None:
    route = Route(prefix("192.168.4.0/22"), address("10.0.0.9"))
    asks = request(MessageType.DISCOVER, {Option.PARAMETER_LIST: bytes((1, 249))})

    _, message = reply(answer(asks, served(subnet=SUBNET._replace(host_routes=(route,)))))

    assert message.options[Option.MICROSOFT_ROUTES] == message.options[Option.CLASSLESS_ROUTES]


def test_without_a_gateway_the_server_is_link_local() -> None:
    datagram, message = reply(
        answer(request(MessageType.DISCOVER), served(subnet=SUBNET._replace(gateway=None)))
    )

    assert datagram.ip_src == number(message.options[Option.SERVER_ID]) == 0xA9FEA9FE
    assert Option.ROUTER not in message.options


@pytest.mark.parametrize(
    ("options", "ciaddr"),
    [
        ({Option.SERVER_ID: ip(GATEWAY), Option.REQUESTED_ADDRESS: ip(MINE)}, 0),
        ({Option.REQUESTED_ADDRESS: ip(MINE)}, 0),
        ({}, MINE),
    ],
    ids=["selecting", "init-reboot", "renewing or rebinding"],
)
def test_every_kind_of_request_for_the_own_address_is_acknowledged(
    options: Mapping[int, bytes], ciaddr: int
) -> None:
    datagram, message = reply(
        answer(request(MessageType.REQUEST, options, ciaddr=ciaddr), served())
    )

    assert (message.type, message.yiaddr) == (MessageType.ACK, MINE)
    assert datagram.ip_dst == MINE


@pytest.mark.parametrize(
    ("options", "ciaddr"),
    [
        ({Option.SERVER_ID: ip(GATEWAY), Option.REQUESTED_ADDRESS: ip(OTHER)}, 0),
        ({Option.REQUESTED_ADDRESS: ip(OTHER)}, 0),
        ({}, OTHER),
    ],
    ids=["selecting", "init-reboot", "renewing or rebinding"],
)
def test_every_kind_of_request_for_another_address_is_refused_to_all(
    options: Mapping[int, bytes], ciaddr: int
) -> None:
    datagram, message = reply(
        answer(request(MessageType.REQUEST, options, ciaddr=ciaddr), served())
    )

    assert (message.type, message.yiaddr) == (MessageType.NAK, 0)
    assert (datagram.eth_dst, datagram.ip_dst) == (BROADCAST_MAC, BROADCAST)
    assert set(message.options) == {Option.MESSAGE_TYPE, Option.SERVER_ID}


def test_a_client_that_can_not_hear_unicast_is_answered_by_broadcast() -> None:
    datagram, message = reply(answer(request(MessageType.DISCOVER, flags=BROADCAST_FLAG), served()))

    assert (datagram.eth_dst, datagram.ip_dst) == (BROADCAST_MAC, BROADCAST)
    assert message.flags == BROADCAST_FLAG


def test_inform_is_told_the_configuration_without_a_lease() -> None:
    datagram, message = reply(answer(request(MessageType.INFORM, ciaddr=MINE), served()))

    assert (message.type, message.yiaddr) == (MessageType.ACK, 0)
    assert datagram.ip_dst == MINE
    assert Option.LEASE_TIME not in message.options
    assert Option.DNS_SERVER in message.options


SILENT = {
    "another server was chosen": request(
        MessageType.REQUEST, {Option.SERVER_ID: ip(OTHER), Option.REQUESTED_ADDRESS: ip(MINE)}
    ),
    "a request without an address": request(MessageType.REQUEST),
    "an inform without an address": request(MessageType.INFORM),
    "a release": request(MessageType.RELEASE, ciaddr=MINE),
    "a decline": request(MessageType.DECLINE, {Option.REQUESTED_ADDRESS: ip(MINE)}),
    "a server's message": request(MessageType.OFFER),
    "a reply": request(MessageType.DISCOVER, op=BOOT_REPLY),
    "another client's MAC": request(MessageType.DISCOVER, chaddr=MAC + 1),
    "a relayed message": request(MessageType.DISCOVER, giaddr=OTHER),
    "an unknown type": request(MessageType.DISCOVER, {Option.MESSAGE_TYPE: b"\xfe"}),
    "a type of two bytes": request(MessageType.DISCOVER, {Option.MESSAGE_TYPE: b"\x01\x01"}),
}


@pytest.mark.parametrize("frame", SILENT.values(), ids=SILENT.keys())
def test_silence_is_right_for(frame: bytes) -> None:
    assert isinstance(answer(frame, served()), Silence)


def test_a_declined_address_is_told_to_the_operator() -> None:
    said = answer(SILENT["a decline"], served())

    assert isinstance(said, Silence)
    assert said.notable


def test_a_subnet_without_dhcp_is_not_served() -> None:
    said = answer(request(MessageType.DISCOVER), served(subnet=SUBNET._replace(dhcp=False)))

    assert isinstance(said, Silence)


def test_options_that_do_not_fit_are_left_out_whole() -> None:
    many = tuple(Route(prefix(f"10.{n}.0.0/16"), address("10.0.0.9")) for n in range(200))
    big = request(MessageType.DISCOVER, {Option.MAX_MESSAGE_SIZE: (1400).to_bytes(2, "big")})
    crowded = served(subnet=SUBNET._replace(host_routes=many))

    _, small = reply(answer(request(MessageType.DISCOVER), crowded))
    datagram, _ = reply(answer(big, crowded))

    assert Option.CLASSLESS_ROUTES not in small.options
    assert Option.DNS_SERVER in small.options
    assert len(datagram.payload) + 28 <= 1400


@pytest.mark.parametrize("name", ["a b", "x;reboot", "$(id)", "", "-a", "é", "a" * 254])
def test_a_name_that_is_none_is_not_told_to_shell_scripts(name: str) -> None:
    _, message = reply(
        answer(
            request(MessageType.DISCOVER),
            served(PORT._replace(name=name), network=NETWORK._replace(zone=name)),
        )
    )

    assert message.options[Option.HOST_NAME] == b"host-10-0-0-5"
    assert Option.DOMAIN_NAME not in message.options


@settings(max_examples=500)
@given(st.binary(max_size=700))
def test_any_frame_is_survived(frame: bytes) -> None:
    assert isinstance(answer(frame, served()), Silence)


@settings(max_examples=500)
@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=20), st.data())
def test_any_damage_to_a_request_is_survived(
    damage: list[tuple[int, int]], data: st.DataObject
) -> None:
    frame = bytearray(request(MessageType.DISCOVER, {Option.PARAMETER_LIST: bytes(range(60))}))
    for at, value in damage:
        frame[at % len(frame)] = value
    size = data.draw(st.integers(0, len(frame)))

    answer(bytes(frame[:size]), served())


@settings(max_examples=500)
@given(st.binary(max_size=400))
def test_any_options_are_survived(options: bytes) -> None:
    head = build_message(Message(1, 1, 0, 0, 0, 0, 0, MAC, {}))[:240]

    try:
        parse_message(head + options)
    except Malformed:
        return


def test_overloaded_fields_hold_options_too() -> None:
    head = bytearray(build_message(Message(1, 1, 0, 0, 0, 0, 0, MAC, {}))[:240])
    head[108:112] = bytes((Option.MESSAGE_TYPE, 1, 1, 255))  # file
    head[44:51] = bytes((Option.REQUESTED_ADDRESS, 4, 10, 0, 0, 5, 255))  # sname

    message = parse_message(bytes(head) + bytes((Option.OVERLOAD, 1, 3, 255)))

    assert message.type == MessageType.DISCOVER
    assert message.address(Option.REQUESTED_ADDRESS) == MINE


def test_an_option_in_parts_is_joined() -> None:
    long = bytes(range(256)) + b"more"

    assert parse_message(build_message(Message(1, 1, 0, 0, 0, 0, 0, MAC, {61: long}))).options == {
        61: long
    }


@given(st.binary(max_size=300), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF))
def test_a_datagram_is_read_as_it_was_built_with_right_sums(
    payload: bytes, ip_number: int, port: int
) -> None:
    datagram = Datagram(MAC, BROADCAST_MAC, ip_number, BROADCAST, port, 67, payload)

    frame = build_datagram(datagram)

    assert parse_datagram(frame) == datagram
    pseudo = frame[26:34] + bytes((0, 17)) + frame[38:40]
    assert checksum(pseudo + frame[34:]) == 0


def test_no_sum_of_a_datagram_is_all_ones_which_busybox_takes_for_a_wrong_one() -> None:
    datagram = Datagram(MAC, BROADCAST_MAC, MINE, BROADCAST, 67, 68, bytes(2))
    what_is_left = build_datagram(datagram)[40:42]

    frame = build_datagram(datagram._replace(payload=what_is_left))

    assert frame[40:42] == bytes(2)
    assert parse_datagram(frame).payload == what_is_left


def test_route_destinations_are_cut_to_their_significant_bytes() -> None:
    assert route_bytes([(0x0A000000, 8, GATEWAY)]) == bytes((8, 10, 10, 0, 0, 1))


def asked_for(*options: DhcpOption) -> Port:
    return PORT._replace(dhcp_options=options)


def discovered(port: Port, options: Mapping[int, bytes] | None = None) -> Message:
    return reply(answer(request(MessageType.DISCOVER, options), served(port)))[1]


def test_what_the_owner_asked_for_is_told_besides_all_that_a_machine_needs() -> None:
    port = asked_for(option("42", "10.0.0.3", 4), option("router", "10.0.0.254", 4))

    told = discovered(port).options

    assert told[42] == ip(address("10.0.0.3").number)
    assert told[Option.ROUTER] == ip(address("10.0.0.254").number)
    assert told.keys() >= {1, 6, 26, 51, 54, 58, 59}


def test_options_of_the_other_family_are_not_told() -> None:
    assert discovered(asked_for(option("23", "fd00::1", 6))).options.get(23) is None


def test_firmware_finds_its_boot_server_and_file_in_the_head() -> None:
    port = asked_for(
        option("server-ip-address", "192.0.2.5", 4), option("bootfile-name", "undionly.kpxe", 4)
    )

    said = discovered(port)

    assert said.siaddr == address("192.0.2.5").number
    assert said.file == b"undionly.kpxe"
    assert said.options[67] == b"undionly.kpxe"
    assert 0 not in said.options


def test_a_boot_server_that_is_an_address_is_the_next_server() -> None:
    assert discovered(asked_for(option("66", "192.0.2.6", 4))).siaddr == address("192.0.2.6").number
    assert discovered(asked_for(option("66", "tftp.example", 4))).siaddr == GATEWAY


def test_ipxe_gets_what_is_tagged_for_it_and_nobody_else() -> None:
    port = asked_for(
        option("tag:ipxe,67", "http://192.0.2.5/boot.ipxe", 4),
        option("bootfile-name", "undionly.kpxe", 4),
    )

    assert discovered(port).options[67] == b"undionly.kpxe"
    for sign in ({77: b"iPXE"}, {77: b"\x04iPXE"}, {175: b"\x01\x01\x01"}):
        assert discovered(port, sign).options[67] == b"http://192.0.2.5/boot.ipxe"


def test_what_the_owner_asked_for_goes_before_what_there_is_no_room_for() -> None:
    port = asked_for(*(option(str(code), "x" * 100, 4) for code in (224, 225)))

    told = discovered(port).options

    assert {1, 3, 51, 53, 54, 224, 225} <= told.keys()


def test_routes_say_the_default_route_that_the_owner_asked_for() -> None:
    routed = SUBNET._replace(host_routes=(Route(prefix("198.51.100.0/24"), address("10.0.0.9")),))
    port = asked_for(option("router", "10.0.0.254", 4))

    said = reply(answer(request(MessageType.DISCOVER), served(port, routed)))[1]

    assert said.options[121].endswith(b"\x00" + ip(address("10.0.0.254").number))
