"""DNS on the host: the network's own names are answered, others passed on, any bytes survived."""

import struct
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.packets.dns import (
    Code,
    Question,
    Record,
    Type,
    build_answer,
    build_refusal,
    fitted,
    is_answer_to,
    parse_question,
)
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.names import can_be_written, is_domain, name_bytes
from alcor.agent.services.answers import answer, wanted
from alcor.agent.services.forwarder import Endpoint, endpoints_of
from alcor.agent.services.resolver import Resolver
from alcor.agent.services.reverse import reverse_prefix
from alcor.agent.services.zones import Zones
from alcor.goal_state.entries import (
    FloatingIp,
    FoundName,
    Name,
    Neighbour,
    Network,
    RouterInterface,
    Subnet,
)
from alcor.goal_state.slices import found_slice, name_wanted
from alcor.values.addresses import Mac, address, prefix

NETWORK = Network("n1", 7, 1450, True, "tenant.example.", zone="region.test.")
WEB4, WEB6 = address("10.0.0.5"), address("fd00::5")
OPT = b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0)


def model() -> HostModel:
    made = HostModel()
    made.put(NETWORK)
    made.put(Subnet("s4", "n1", prefix("10.0.0.0/24"), None, True, (), ()))
    made.put(Subnet("s6", "n1", prefix("fd00::/64"), None, True, (), ()))
    made.put(Neighbour("p1", "n1", Mac(1), (WEB4, WEB6), "h1", address("172.31.0.1")))
    made.put(Name("p1", "n1", "web", "port.example.", (WEB4, WEB6)))
    made.put(Neighbour("p2", "n1", Mac(2), (address("10.0.0.6"),), "h2", address("172.31.0.2")))
    return made


def ask(name: str, type_: int = Type.A, *, edns: bool = False, flags: int = 0x0100) -> bytes:
    head = struct.pack("!HHHHHH", 0x1234, flags, 1, 0, 0, int(edns))
    return head + name_bytes(name) + struct.pack("!HH", type_, 1) + OPT * edns


def said(name: str, type_: int = Type.A) -> tuple[int, list[bytes]] | None:
    """The code and the data of the records that the network's own zone answers."""
    told = answer(parse_question(ask(name, type_)), Zones(model()).zone(NETWORK))
    return None if told is None else read(told)


def read(data: bytes) -> tuple[int, list[bytes]]:
    _, flags, _, count, _, _ = struct.unpack_from("!HHHHHH", data)
    assert flags & 0x8000
    at = 12
    while data[at]:
        at += 1 + data[at]
    at += 5
    found = []
    for _ in range(count):
        size = int.from_bytes(data[at + 10 : at + 12], "big")
        found.append(data[at + 12 : at + 12 + size])
        at += 12 + size
    return flags & 15, found


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "web.region.test.",
        "WEB.Region.Test",
        "web.tenant.example",
        "web.port.example",
        "host-10-0-0-5.region.test",
    ],
)
def test_a_port_is_found_by_its_name_in_every_domain_of_it(name: str) -> None:
    assert said(name) == (0, [WEB4.packed])


def test_each_family_has_its_type_and_a_name_without_one_has_no_data() -> None:
    assert said("web", Type.AAAA) == (0, [WEB6.packed])
    assert said("host-10-0-0-6.region.test", Type.AAAA) == (0, [])
    assert said("web", 16) == (0, [])


def test_a_machine_without_a_name_has_one_of_its_address() -> None:
    assert said("host-10-0-0-6.region.test") == (0, [address("10.0.0.6").packed])


def test_addresses_have_names() -> None:
    assert said("5.0.0.10.in-addr.arpa", Type.PTR) == (0, [name_bytes("web.region.test")])
    assert said("6.0.0.10.in-addr.arpa", Type.PTR) == (0, [name_bytes("host-10-0-0-6.region.test")])
    backwards = ".".join(reversed(f"{WEB6.number:032x}")) + ".ip6.arpa"
    assert said(backwards, Type.PTR) == (0, [name_bytes("web.region.test")])


def test_an_address_whose_name_is_too_long_keeps_the_one_that_is_made_of_it() -> None:
    made = model()
    made.put(Name("p1", "n1", ".".join(["a" * 60] * 4), "", (WEB4,)))

    told = answer(parse_question(ask("5.0.0.10.in-addr.arpa", Type.PTR)), Zones(made).zone(NETWORK))

    assert told is not None
    assert read(told) == (0, [name_bytes("host-10-0-0-5.region.test")])


@given(st.integers(1, 63), st.integers(1, 63))
def test_what_may_be_told_as_a_domain_can_be_written(third: int, fourth: int) -> None:
    text = ".".join(["a" * 63, "b" * 63, "c" * third, "d" * fourth])
    assert can_be_written([each.encode() for each in text.split(".")]) == is_domain(text)
    if is_domain(text):
        assert name_bytes(text)[-1] == 0
    else:
        with pytest.raises(ValueError, match="a name of"):
            name_bytes(text)


def test_what_only_we_could_know_does_not_exist_and_the_rest_is_not_ours_to_say() -> None:
    assert said("nobody.region.test") == (Code.NO_SUCH_NAME, [])
    assert said("nobody") == (Code.NO_SUCH_NAME, [])
    assert said("99.0.0.10.in-addr.arpa", Type.PTR) == (Code.NO_SUCH_NAME, [])
    assert said("nobody.tenant.example") is None
    assert said("example.org") is None
    assert said("8.8.8.8.in-addr.arpa", Type.PTR) is None


def authority(data: bytes) -> list[tuple[bytes, int, bytes]]:
    """Whole name, type and data of each record of the zone that an answer without others has."""
    _, _, _, answers, count, _ = struct.unpack_from("!HHHHHH", data)
    assert answers == 0
    at = data.index(b"\0", 12) + 5
    found = []
    for _ in range(count):
        end = data.index(b"\0", at) + 1
        kind, _, _, size = struct.unpack_from("!HHIH", data, end)
        found.append((data[at:end], kind, data[end + 10 : end + 10 + size]))
        at = end + 10 + size
    assert at == len(data)
    return found


def test_the_region_s_zone_is_there_and_says_what_it_is() -> None:
    of_itself = name_bytes("region.test")
    code, (start,) = said("region.test", Type.SOA) or (-1, [])
    assert (code, start[: len(of_itself)]) == (0, of_itself)
    assert said("Region.Test", Type.NS) == (0, [of_itself])
    assert said("region.test", Type.ANY) == (0, [start, of_itself])
    for type_ in (Type.A, Type.AAAA, 15):
        assert said("region.test", type_) == (0, [])


def test_a_name_that_others_end_with_is_there_without_data() -> None:
    made = model()
    made.put(Name("p2", "n1", "db.rack.blue", "", (address("10.0.0.6"),)))
    zone = Zones(made).zone(NETWORK)

    def code(name: str) -> int:
        told = answer(parse_question(ask(name)), zone)
        assert told is not None
        return read(told)[0]

    for name in ("rack.blue.region.test", "blue.region.test", "blue"):
        assert code(name) == Code.NO_ERROR
    for name in ("db.blue.region.test", "rack.region.test", "rack", "x.region.test"):
        assert code(name) == Code.NO_SUCH_NAME


def test_what_is_not_there_is_said_with_the_start_of_its_zone() -> None:
    zone = Zones(model()).zone(NETWORK)
    for name, type_, apex in (
        ("nobody.region.test", Type.A, "region.test"),
        ("region.test", Type.A, "region.test"),
        ("web.region.test", 15, "region.test"),
        ("web.tenant.example", 15, "tenant.example"),
    ):
        told = answer(parse_question(ask(name, type_)), zone)
        assert told is not None
        ((of, kind, data),) = authority(told)
        assert (of, kind) == (name_bytes(apex), Type.SOA)
        assert data.startswith(of)


def said_of(made: HostModel, name: str, type_: int = Type.PTR) -> bytes | None:
    return answer(parse_question(ask(name, type_)), Zones(made).zone(NETWORK))


def test_names_of_addresses_are_in_a_zone_that_says_what_it_is() -> None:
    zone4, zone6 = "0.0.10.in-addr.arpa", "0." * 14 + "d.f.ip6.arpa"
    for name, apex in (("99." + zone4, zone4), ("7." + "0." * 15 + zone6, zone6)):
        told = said_of(model(), name)
        assert told is not None
        assert read(told) == (Code.NO_SUCH_NAME, [])
        ((of, kind, data),) = authority(told)
        assert (of, kind) == (name_bytes(apex), Type.SOA)
        assert data.startswith(of)
        code, (start,) = said(apex, Type.SOA) or (-1, [])
        assert (code, start[: len(of)]) == (0, of)
        assert said(apex, Type.NS) == (0, [of])
    for name, apex in (("5." + zone4, zone4), ("0." + zone6, zone6), (zone4, zone4)):
        told = said_of(model(), name, Type.A)
        assert told is not None
        assert read(told) == (0, [])
        assert [each[0] for each in authority(told)] == [name_bytes(apex)]


def test_who_asks_label_by_label_is_led_to_the_name_of_an_address() -> None:
    for whole in ("5.0.0.10.in-addr.arpa", ".".join(reversed(f"{WEB6.number:032x}")) + ".ip6.arpa"):
        labels = whole.split(".")
        for at in range(1, len(labels) - 2):
            told = said_of(model(), ".".join(labels[at:]), Type.A)
            assert told is not None
            assert read(told) == (0, [])
    assert said("10.in-addr.arpa", Type.NS) is None  # whose it is others know
    assert said("11.in-addr.arpa", Type.PTR) is None
    assert said("in-addr.arpa", Type.PTR) is None


def test_a_subnet_smaller_than_a_label_is_in_a_zone_with_its_neighbours() -> None:
    made = HostModel()
    made.put(NETWORK)
    made.put(Subnet("s4", "n1", prefix("192.0.2.64/26"), None, True, (), ()))

    told = said_of(made, "70.2.0.192.in-addr.arpa")
    assert told is not None
    assert read(told) == (Code.NO_SUCH_NAME, [])
    assert [each[0] for each in authority(told)] == [name_bytes("2.0.192.in-addr.arpa")]
    assert said_of(made, "7.2.0.192.in-addr.arpa") is None
    above = said_of(made, "2.0.192.in-addr.arpa")
    assert above is not None
    assert read(above) == (0, [])


def test_of_a_single_label_others_know_all_but_addresses() -> None:
    for name, type_ in (("com", Type.NS), ("com", Type.SOA), ("com", 43), ("com", 48)):
        assert said(name, type_) is None
    assert said("com", Type.A) == said("com", Type.AAAA) == (Code.NO_SUCH_NAME, [])


def test_zone_transfers_and_other_classes_are_refused_and_other_operations_unknown() -> None:
    zone = Zones(model()).zone(NETWORK)
    for data, code in (
        (ask("region.test", Type.AXFR), Code.REFUSED),
        (ask("web")[:-1] + b"\x03", Code.REFUSED),
        (ask("web", flags=0x2800), Code.NOT_IMPLEMENTED),
    ):
        told = answer(parse_question(data), zone)
        assert told is not None
        assert read(told)[0] == code


def test_a_zone_follows_what_changes_in_its_network() -> None:
    world = model()
    zones = Zones(world)
    before = zones.zone(NETWORK)
    assert zones.zone(NETWORK) is before

    world.put(Name("p2", "n1", "db", "", (address("10.0.0.6"),)))
    world.remove(Name("p1", "n1", "web", "", ()))

    after = zones.zone(NETWORK).addresses_by_name
    assert (b"db", b"region", b"test") in after
    assert (b"web", b"region", b"test") not in after


def test_of_networks_that_have_gone_nothing_is_kept() -> None:
    world = model()
    zones = Zones(world)
    zones.zone(NETWORK)
    other = NETWORK._replace(id="n2", vni=8)
    world.put(other)

    for entry in (
        Name("p1", "n1", "web", "port.example.", (WEB4, WEB6)),
        NETWORK,
        Subnet("s4", "n1", prefix("10.0.0.0/24"), None, True, (), ()),
        world.neighbours["n1"]["p1"],
        world.neighbours["n1"]["p2"],
    ):
        world.remove(entry)
    zones.zone(other)

    assert len(zones) == 1
    assert set(world.stamp_by_network) == {"n2"}


def test_a_network_that_is_back_has_the_names_that_it_has_now() -> None:
    world = model()
    zones = Zones(world)
    zones.zone(NETWORK)
    world.remove(NETWORK)
    world.remove(Name("p1", "n1", "web", "", ()))
    world.put(NETWORK)

    assert (b"web", b"region", b"test") not in zones.zone(NETWORK).addresses_by_name


def test_an_answer_without_room_is_cut_and_says_so() -> None:
    question = parse_question(ask("web"))
    many = [Record(Type.A, 30, bytes((10, 0, 0, n % 256))) for n in range(100)]

    cut, whole = (
        build_answer(question, Code.NO_ERROR, many),
        build_answer(question, Code.NO_ERROR, many, size_max=65_535),
    )

    assert len(cut) <= 512
    assert cut[2] & 0x02
    assert len(read(whole)[1]) == 100


def test_who_speaks_edns_is_answered_with_edns() -> None:
    question = parse_question(ask("web", edns=True))
    assert (question.edns, question.size_max) == (True, 1232)
    assert build_answer(question, Code.NO_ERROR).endswith(b"\x04\xd0" + bytes(6))


def unlooked(names: Iterable[str], number: int, then: Callable[[bool], None]) -> None:
    """Nothing is looked for in a network that is held as a whole."""
    raise AssertionError


class Asked:
    """A forwarder that answers at once what it is told to."""

    def __init__(self, said: bytes | None, knows: bool = True) -> None:
        self.said, self.knows_resolvers = said, knows
        self.questions: list[Question] = []

    def ask(self, question: Question, number: int, reply: Any, *, whole: bool = False) -> None:
        self.questions.append(question)
        reply(self.said)


def resolved(data: bytes, forwarder: Asked) -> bytes:
    told: list[bytes] = []
    resolver = Resolver(model(), forwarder, unlooked, Metrics())  # type: ignore[arg-type]
    resolver.ask(data, NETWORK, 3, told.append)
    (only,) = told
    return only


def test_others_names_are_asked_of_resolvers_and_come_back_under_the_askers_id() -> None:
    question = parse_question(ask("example.org"))
    theirs = build_answer(
        question._replace(id=0x9999), Code.NO_ERROR, [Record(Type.A, 5, b"\x05\x05\x05\x05")]
    )
    assert is_answer_to(question, 0x9999, theirs)

    told = resolved(ask("example.org"), Asked(theirs))

    assert told[:2] == b"\x12\x34"
    assert read(told) == (0, [b"\x05\x05\x05\x05"])


def test_without_resolvers_others_names_are_refused_and_a_failure_is_said() -> None:
    assert read(resolved(ask("example.org"), Asked(None, knows=False)))[0] == Code.REFUSED
    assert read(resolved(ask("example.org"), Asked(None)))[0] == Code.SERVER_FAILURE


class Looking:
    """A network that is held lazily, of which one name can be found."""

    def __init__(self) -> None:
        self.model = HostModel()
        self.model.put(NETWORK._replace(lazy=True))
        self.model.put(Subnet("s4", "n1", prefix("10.0.0.0/24"), None, True, (), ()))
        self.asked: list[str] = []
        self.told: list[bytes] = []
        self.then: Callable[[bool], None] = lambda is_known: None

    def look_for(self, names: Iterable[str], number: int, then: Callable[[bool], None]) -> None:
        assert number == 3
        self.asked += names
        self.then = then

    def ask(self, name: str, forwarder: Asked) -> None:
        resolver = Resolver(self.model, forwarder, self.look_for, Metrics())  # type: ignore[arg-type]
        resolver.ask(ask(name), self.model.networks["n1"], 3, self.told.append)


def test_in_a_network_that_is_held_lazily_a_name_is_looked_for_before_it_is_answered() -> None:
    world, what = Looking(), name_wanted("web")
    world.ask("WEB.region.test", Asked(None))
    assert world.asked == [found_slice("n1", what)]
    assert world.told == []

    world.model.put(FoundName(what, Name("p1", "n1", "Web", "", (WEB4,))))
    world.then(True)

    assert read(world.told[0]) == (0, [WEB4.packed])


def test_what_is_not_known_in_time_is_no_missing_name_but_a_failure_or_anothers_to_answer() -> None:
    for name, code in (("web.region.test", Code.SERVER_FAILURE), ("nobody", Code.SERVER_FAILURE)):
        world = Looking()
        world.ask(name, Asked(None))
        world.then(False)
        assert read(world.told[0])[0] == code
    theirs = Asked(None)
    world = Looking()
    world.ask("web.tenant.example", theirs)
    world.then(False)
    assert [each.name[0] for each in theirs.questions] == [b"web"]


def test_nothing_is_looked_for_to_answer_about_others() -> None:
    zone = Zones(Looking().model).zone(NETWORK)

    def looked_for(name: str) -> set[str]:
        return set(wanted(parse_question(ask(name)), zone))

    assert looked_for("www.example.org") == set()
    assert looked_for("7.1.168.192.in-addr.arpa") == set()
    assert looked_for("7.0.0.10.in-addr.arpa") == {"10.0.0.7"}
    assert looked_for("a/b,c") == set()
    assert looked_for("web") == {"name=web"}
    assert looked_for("a.b.tenant.example") == {"name=a.b"}
    assert looked_for("host-10-0-0-7.region.test") == {"name=host-10-0-0-7", "10.0.0.7"}
    assert looked_for("host-fd00--7") == {"name=host-fd00--7", "fd00::7"}
    assert looked_for("region.test") == set()


def test_what_is_no_question_is_a_format_error_or_ignored() -> None:
    told: list[bytes] = []
    resolver = Resolver(model(), Asked(None), unlooked, Metrics())  # type: ignore[arg-type]
    resolver.ask(ask("web") + b"", NETWORK, 3, told.append)
    resolver.ask(ask("web")[:20], NETWORK, 3, told.append)
    resolver.ask(b"\0", NETWORK, 3, told.append)
    resolver.ask(told[0], NETWORK, 3, told.append)

    assert len(told) == 2
    assert told[1][3] & 15 == Code.FORMAT_ERROR


def test_a_long_answer_by_udp_is_cut_to_its_question() -> None:
    question = parse_question(ask("example.org"))
    many = [Record(Type.A, 5, bytes(4))] * 60
    theirs = build_answer(question, Code.NO_ERROR, many, size_max=65_535)

    assert len(fitted(question, theirs)) < 100
    assert fitted(question, theirs)[2] & 0x02
    assert fitted(question, theirs, 65_535) == theirs


@given(st.binary(max_size=300))
def test_any_bytes_are_a_question_or_malformed(data: bytes) -> None:
    zone = Zones(model()).zone(NETWORK)
    for payload in (data, ask("web")[:12] + data, ask("web", edns=True)[: len(data)] + data):
        build_refusal(payload, Code.FORMAT_ERROR)
        try:
            question = parse_question(payload)
        except Malformed:
            continue
        answer(question, zone)
        assert parse_question(question.passed_on(7)).name == question.name
        is_answer_to(question, 7, data)
        fitted(question, data.ljust(12, b"\0"))


@given(st.lists(st.binary(min_size=1, max_size=63).map(bytes.lower), max_size=40))
def test_any_name_is_an_address_backwards_or_not(labels: list[bytes]) -> None:
    for tail in ((b"in-addr", b"arpa"), (b"ip6", b"arpa")):
        reverse_prefix((*labels, *tail))


def test_resolvers_are_addresses_with_ports() -> None:
    assert endpoints_of("192.0.2.53, 192.0.2.54:5353,[fd00::53]:54, fd00::55") == (
        Endpoint("192.0.2.53", 53),
        Endpoint("192.0.2.54", 5353),
        Endpoint("fd00::53", 54),
        Endpoint("fd00::55", 53),
    )
    assert endpoints_of("") == ()
    for wrong in ("here", "192.0.2.53:0", "192.0.2.53:x", "[fd00::53"):
        with pytest.raises(ValueError, match=r"."):
            endpoints_of(wrong)


def test_the_name_of_a_floating_ip_is_known_behind_its_router_while_it_is_its() -> None:
    held = model()
    zones = Zones(held)
    floating = FloatingIp("f", "r", "x", Mac(9), address("203.0.113.7"), "p1", WEB4, "db.example")
    leg = RouterInterface("i", "r", "n1", Mac(8), (), True)

    def told(name: str) -> tuple[int, list[bytes]] | None:
        said = answer(parse_question(ask(name)), zones.zone(NETWORK))
        return None if said is None else read(said)

    held.put(floating)
    assert told("db.example") is None  # not behind the router: whoever is asked next knows, or not
    held.put(leg)
    assert told("DB.example.") == (0, [floating.address.packed])
    assert told("db.region.test") == (3, [])  # it is whole, and of no other domain
    assert told("other.example") is None  # the domain has other names elsewhere
    held.put(floating._replace(name="web.example"))
    assert told("db.example") is None
    assert told("web.example") == (0, [floating.address.packed])
    held.remove(floating)
    assert told("web.example") is None
    held.put(floating)
    held.remove(leg)
    assert told("db.example") is None
