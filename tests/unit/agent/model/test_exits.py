"""Which host a router leaves by, and its zone: alike everywhere, and none given twice."""

from collections import Counter

from alcor.agent.model.ports.qos import Qos
from alcor.agent.model.routers.exits import Exits
from alcor.agent.model.routers.outside import Outside, zone_first, zone_last
from alcor.goal_state.entries import Gateway, Network, Router, UplinkNode
from alcor.values.addresses import Mac, address

ROUTERS = [f"router-{n}" for n in range(400)]


def nobody(number: int) -> bool:
    return False


def node(number: int, zone: str = "") -> UplinkNode:
    return UplinkNode("ext", f"h{number}", address(f"172.31.0.{number}"), zone)


def outside_of(*numbers: int) -> Outside:
    outside = Outside(nobody)
    for number in numbers:
        outside.put_node(node(number), True)
    return outside


def test_hosts_choose_alike_in_whatever_order_they_heard_of_the_nodes() -> None:
    one, other = outside_of(1, 2, 3), outside_of(3, 1, 2)

    for router_id in ROUTERS:
        assert one.central(router_id, "ext") == other.central(router_id, "ext")
    assert one.central("r", "another") is None


def test_routers_are_spread_and_only_those_of_a_dead_host_move() -> None:
    outside = outside_of(1, 2, 3, 4)
    before = {each: outside.central(each, "ext") for each in ROUTERS}
    assert min(Counter(before.values()).values()) > len(ROUTERS) / 4 / 2

    outside.put_node(node(2), False)

    for router_id, was in before.items():
        now = outside.central(router_id, "ext")
        assert now != node(2).tunnel_endpoint
        assert now == was or was == node(2).tunnel_endpoint


def test_a_router_leaves_by_its_availability_zone_while_that_has_an_uplink() -> None:
    outside = outside_of(1, 2, 3)
    outside.put_node(node(4, "west"), True)

    leaves_by = {outside.central(each, "ext", ("west",)) for each in ROUTERS}
    outside.put_node(node(4, "west"), False)
    without = {outside.central(each, "ext", ("west",)) for each in ROUTERS}

    assert leaves_by == {node(4).tunnel_endpoint}
    assert without == {node(number).tunnel_endpoint for number in (1, 2, 3)}


def test_every_router_has_a_zone_of_its_own_until_there_are_no_more() -> None:
    networks = {"world": Network("world", 9, 1500, True, "", "ext")}
    exits = Exits(networks, {}, {}, {}, Qos(), nobody)
    count = zone_last - zone_first + 1
    for number in range(count + 1):
        exits.put(Gateway("p", f"r{number}", "world", Mac(1), ()), True)

    found = [exits.of(Router(f"r{number}", True, ())) for number in range(count + 1)]

    zones = {each.zone for exits_of_one in found for each in exits_of_one}
    assert zones == set(range(zone_first, zone_last + 1))
    assert [len(each) for each in found] == [1] * count + [0]


def test_a_router_gives_its_zone_to_an_interface_of_that_number_and_takes_another() -> None:
    taken = set[int]()
    outside = Outside(taken.__contains__)
    outside.put_gateway(Gateway("p", "r", "world", Mac(1), ()), True)
    zone = outside.zone_of("r")
    assert zone is not None
    assert outside.give_way(zone_first + (zone + 1 - zone_first) % 0xF00) == ""

    taken.add(zone)
    assert outside.give_way(zone) == "r"

    assert outside.zone_of("r") not in (None, zone)
    again = Outside(taken.__contains__)  # as after a restart
    again.put_gateway(Gateway("p", "r", "world", Mac(1), ()), True)
    assert again.zone_of("r") == outside.zone_of("r")
