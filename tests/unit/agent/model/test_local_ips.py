"""The zones of ports with local IPs: each its own, free again when nothing is translated."""

from alcor.agent.model.model import HostModel, Interface, Unit, UnitKind
from alcor.agent.model.ports.local_ips import LocalIps, zone_first, zone_last
from alcor.agent.model.ports.sub_ports import number_first, number_last
from alcor.goal_state.entries import LocalIp, Port
from alcor.values.addresses import address, mac

VIRTUAL = LocalIp(address("10.0.0.100"), address("10.0.0.5"))


def port(id_: str, *local_ips: LocalIp) -> Port:
    hardware = mac("fa:16:3e:00:00:01")
    return Port(id_, "n", hardware, (), True, True, "", "", local_ips=local_ips)


def test_ports_have_zones_of_their_own_while_something_is_translated() -> None:
    zones = LocalIps(frozenset().__contains__)
    zones.change(None, port("p", VIRTUAL))
    zones.change(None, port("q", VIRTUAL))
    zones.change(None, port("r", VIRTUAL._replace(passthrough=True)))
    held = [zones.zone_of(each) for each in "pq"]
    assert len(set(held)) == 2
    assert all(zone is not None and zone_first <= zone <= zone_last for zone in held)
    assert zones.zone_of("r") is None
    zones.change(port("p", VIRTUAL), port("p", VIRTUAL, VIRTUAL))
    assert zones.zone_of("p") == held[0]
    zones.change(port("p", VIRTUAL), port("p"))
    zones.change(port("q", VIRTUAL), None)
    assert zones.zone_of("p") is zones.zone_of("q") is None


def test_of_many_ports_each_has_a_zone_that_no_port_has_as_its_number() -> None:
    taken = set(range(number_first, number_last + 1, 2))
    zones = LocalIps(taken.__contains__)
    ids = [f"p{i}" for i in range(3 * (zone_last - zone_first))]
    for id_ in ids:
        zones.change(None, port(id_, VIRTUAL))

    held = {zones.zone_of(each) for each in ids}

    assert len(held) == len(ids)
    assert None not in held
    assert not held & taken
    beyond = next(each for each in held if each is not None and each < zone_first)
    taken.add(beyond)
    owner = zones.give_way(beyond)
    assert zones.zone_of(owner) not in {None} | taken
    assert zones.give_way(beyond) == ""


def test_sub_ports_and_zones_keep_out_of_each_others_way() -> None:
    model = HostModel()
    for i in range(2 * (zone_last - zone_first)):
        model.put(port(f"p{i}", VIRTUAL))
    zone = next(number for number in range(number_first, number_last) if is_zone(model, number))
    (owner,) = (each for each in model.ports if model.local_ips.zone_of(each) == zone)

    units = model.set_interface("other", Interface(zone, True))

    assert not is_zone(model, zone)
    assert Unit(UnitKind.PORT, owner) in units
    model.put(port("parent"))
    for i in range(1_000):
        model.put(port(f"s{i}")._replace(parent_id="parent", vlan=i + 1))
    numbers = [model.sub_ports.number_of(f"s{i}") for i in range(1_000)]
    assert not [each for each in numbers if each is None or is_zone(model, each)]


def is_zone(model: HostModel, number: int) -> bool:
    return model.local_ips.is_zone(number)


def test_when_all_zones_are_given_out_the_next_waits_for_one() -> None:
    zones = LocalIps(range(number_first, number_last + 1).__contains__)
    ids = [f"p{i}" for i in range(zone_last - zone_first + 1)]
    for id_ in ids:
        zones.change(None, port(id_, VIRTUAL))
    assert len({zones.zone_of(each) for each in ids}) == len(ids)
    late = port("late", VIRTUAL)
    zones.change(None, late)
    assert zones.zone_of("late") is None
    zones.change(port(ids[0], VIRTUAL), None)
    zones.change(late, late)
    assert zones.zone_of("late") is not None
