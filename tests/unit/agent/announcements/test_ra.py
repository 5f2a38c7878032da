"""Router advertisements say what the subnets of a port say, and survive any question."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.announcements.beacon import Beacon
from alcor.agent.announcements.herald import Outgoing
from alcor.agent.announcements.ra import Link, advertisements, answers
from alcor.agent.model.model import HostModel, Interface, Unit, UnitKind
from alcor.agent.model.service_address import SERVER_ADDRESS6, SERVER_MAC
from alcor.agent.packets.advertisement import (
    FOREVER,
    Advertised,
    Solicitation,
    build_advertisement,
    parse_solicitation,
)
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.ipv6 import parse_datagram, parse_packet
from alcor.goal_state.entries import (
    FixedIp,
    Ipv6Mode,
    Network,
    Port,
    Router,
    RouterInterface,
    Subnet,
)
from alcor.ovs import frames
from alcor.values.addresses import Mac, address, eui64_link_local, prefix

MAC, ROUTER = Mac(0x020000000001), Mac(0x020000000099)
LINK_LOCAL = eui64_link_local(MAC).number
NETWORK = Network("n1", 7, 1450, True, "tenant.example.", zone="example.org.")


def subnet(name: str, cidr: str, mode: Ipv6Mode, servers: str = "") -> Subnet:
    told = tuple(map(address, servers.split()))
    return Subnet(name, "n1", prefix(cidr), None, True, told, (), mode, mode)


A = subnet("a", "fd00:a::/64", Ipv6Mode.SLAAC, "fd00::53 ::")
B = subnet("b", "fd00:b::/64", Ipv6Mode.STATEFUL)
C = subnet("c", "fd00:c::/64", Ipv6Mode.STATELESS)
PLAIN = subnet("d", "fd00:d::/64", Ipv6Mode.NONE)


def link(*subnets: Subnet, routers: dict[str, Mac] | None = None) -> Link:
    fixed = tuple(FixedIp(each.id, address("fd00::5")) for each in subnets)
    port = Port("p1", "n1", MAC, fixed, True, True, "web", "")
    return Link(port, NETWORK, {each.id: each for each in subnets}, routers or {})


def test_the_mode_of_a_subnet_decides_the_flags() -> None:
    for one, managed, other, autonomous in (
        (A, False, False, True),
        (B, True, False, False),
        (C, False, True, True),
    ):
        (said,) = advertisements(link(one))
        assert (said.managed, said.other) == (managed, other)
        assert said.prefixes == (Advertised(one.prefix, autonomous),)


def test_a_subnet_without_mode_is_not_advertised() -> None:
    assert advertisements(link(PLAIN)) == ()


def test_without_a_router_the_host_advertises_all_and_is_no_default_router() -> None:
    (said,) = advertisements(link(A, B))

    assert (said.mac, said.lifetime_s, said.mtu) == (SERVER_MAC, 0, 1450)
    assert [each.prefix for each in said.prefixes] == [A.prefix, B.prefix]
    servers = (address("fd00::53").number, SERVER_ADDRESS6.number)
    assert (said.name_servers, said.search) == (servers, ("example.org",))


def test_each_router_advertises_what_it_leads_out_of() -> None:
    host, router = sorted(
        advertisements(link(A, B, routers={"b": ROUTER})), key=lambda each: each.lifetime_s
    )

    assert (host.mac, [each.prefix for each in host.prefixes]) == (SERVER_MAC, [A.prefix])
    assert (router.mac, [each.prefix for each in router.prefixes]) == (ROUTER, [B.prefix])
    assert router.lifetime_s > 3600


def test_the_bytes_are_those_of_rfc_4861() -> None:
    (said,) = advertisements(link(A, routers={"a": ROUTER}))

    packet = parse_packet(build_advertisement(said, MAC, LINK_LOCAL))

    assert (packet.hops, packet.ip_src) == (255, eui64_link_local(ROUTER).number)
    assert packet.payload[:2] == bytes((134, 0))
    assert int.from_bytes(packet.payload[6:8], "big") == said.lifetime_s
    options = list(_options(packet.payload[16:]))
    assert [each[0] for each in options] == [1, 5, 3, 25, 31]
    assert all(len(each) % 8 == 0 for each in options)
    told = options[2]
    assert (told[2], told[3]) == (64, 0xC0)
    assert int.from_bytes(told[4:8], "big") == FOREVER
    assert told[16:32] == address("fd00:a::").packed
    assert options[3][8:] == address("fd00::53").packed
    assert options[4][8:].startswith(b"\x07example\x03org\x00")


def _options(data: bytes) -> list[bytes]:
    found = []
    while data:
        found.append(data[: data[1] * 8])
        data = data[data[1] * 8 :]
    return found


def test_who_has_no_address_is_answered_by_multicast() -> None:
    (to_all,) = answers(Solicitation(MAC, 0), link(A))
    (to_one,) = answers(Solicitation(MAC, LINK_LOCAL), link(A))

    assert parse_packet(to_all).ip_dst == address("ff02::1").number
    assert parse_packet(to_one).ip_dst == LINK_LOCAL


@given(st.binary(max_size=200))
def test_any_bytes_are_a_solicitation_or_malformed(data: bytes) -> None:
    ipv6 = MAC.to_bytes(6, "big") * 2 + b"\x86\xdd"
    icmp = frames.ip_frame(MAC, MAC, frames.icmp6(LINK_LOCAL, LINK_LOCAL, 133, 0, data))
    for frame in (data, ipv6 + data, icmp):
        for parse in (parse_solicitation, parse_packet, parse_datagram):
            with contextlib.suppress(Malformed):
                parse(frame)


def model() -> HostModel:
    made = HostModel()
    made.put(NETWORK)
    made.put(A)
    made.put(Port("p1", "n1", MAC, (FixedIp("a", address("fd00:a::5")),), True, True, "", ""))
    made.set_interface("p1", Interface(3, True))
    return made


def test_a_port_hears_of_its_router_at_once_when_something_changes_and_only_then() -> None:
    world, beacon = model(), Beacon()
    beacon.note(world.units())
    first = beacon.take(world)
    beacon.note([Unit(UnitKind.PORT, "p1")])
    unchanged = beacon.take(world)
    beacon.note(world.put(A._replace(dns_nameservers=(address("fd00::54"),))))
    changed = beacon.take(world)

    assert (len(first), unchanged, len(changed)) == (1, [], 1)
    assert address("fd00::54").packed in changed[0].frame
    assert beacon.again() == changed


def test_a_router_that_comes_is_a_default_router_and_when_it_goes_it_says_so() -> None:
    world, beacon = model(), Beacon()
    gateway = A._replace(gateway=address("fd00:a::1"))
    interface = RouterInterface("i1", "r1", "n1", ROUTER, (FixedIp("a", address("fd00:a::1")),))
    for entry in (gateway, Router("r1", True, ()), interface):
        beacon.note(world.put(entry))
    (come,) = beacon.take(world)
    beacon.note(world.put(Router("r1", False, ())))
    farewell, host = beacon.take(world)

    assert [lifetime_of(each.frame) > 0 for each in (come, farewell, host)] == [True, False, False]
    assert parse_packet(come.frame).ip_src == eui64_link_local(ROUTER).number
    assert parse_packet(farewell.frame).ip_src == eui64_link_local(ROUTER).number
    assert parse_packet(host.frame).ip_src == eui64_link_local(SERVER_MAC).number


def test_a_prefix_that_goes_is_said_to_be_of_no_use_by_who_told_it() -> None:
    world, beacon = model(), Beacon()
    ips = (FixedIp("a", address("fd00:a::5")), FixedIp("b", address("fd00:b::5")))
    both = Port("p1", "n1", MAC, ips, True, True, "", "")
    for entry in (B, both):
        world.put(entry)
    beacon.note(world.units())
    beacon.take(world)

    beacon.note(world.put(both._replace(fixed_ips=ips[1:])))
    withdrawn, now = map(prefixes_in, beacon.take(world))
    beacon.note(world.put(both._replace(fixed_ips=())))
    (last,) = map(prefixes_in, beacon.take(world))

    assert withdrawn == {address("fd00:a::").packed: (0, 0)}
    assert now == {address("fd00:b::").packed: (FOREVER, FOREVER)}
    assert last == {address("fd00:b::").packed: (0, 0)}
    assert beacon.again() == []


def prefixes_in(outgoing: Outgoing) -> dict[bytes, tuple[int, int]]:
    """The prefixes of an advertisement, with how long each is valid and preferred."""
    options = _options(parse_packet(outgoing.frame).payload[16:])
    return {
        each[16:32]: (int.from_bytes(each[4:8], "big"), int.from_bytes(each[8:12], "big"))
        for each in options
        if each[0] == 3
    }


def lifetime_of(frame: bytes) -> int:
    return int.from_bytes(parse_packet(frame).payload[6:8], "big")


def test_a_port_that_has_gone_is_told_nothing() -> None:
    world, beacon = model(), Beacon()
    beacon.note(world.units())
    beacon.take(world)

    beacon.note(world.set_interface("p1", None))

    assert beacon.take(world) == []
    assert beacon.again() == []
