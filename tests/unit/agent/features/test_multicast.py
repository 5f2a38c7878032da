"""Who gets a copy of a broadcast, and when nobody does."""

from tests.fixtures.compiled import compile_all

from alcor.agent.features.networks import multicast
from alcor.agent.model.model import HostModel, Interface, Tunnel, Unit, UnitKind
from alcor.agent.model.networks.reach import Reach
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Neighbour, Network, Port
from alcor.ovs.flow import Clone, Resubmit, SetField
from alcor.values.addresses import Address, Mac, address

HERE = address("172.31.0.1")


def neighbour(number: int, endpoint: Address) -> Neighbour:
    return Neighbour(f"p{number}", "n1", Mac(number), (), f"h{endpoint}", endpoint)


def test_a_host_is_reached_while_it_has_a_port_of_the_network() -> None:
    reach = Reach()
    here, there = address("172.31.0.1"), address("172.31.0.2")
    first, second, moved = neighbour(1, here), neighbour(2, here), neighbour(1, there)

    assert reach.change("n1", None, first)
    assert not reach.change("n1", None, second)
    assert reach.change("n1", first, moved)
    assert reach.endpoints("n1") == [here.number, there.number]
    assert reach.change("n1", second, None)
    assert reach.endpoints("n1") == [there.number]
    assert reach.change("n1", moved, None)
    assert reach.endpoints("n1") == []


def test_a_port_that_swaps_hosts_changes_who_is_reached_though_not_how_many() -> None:
    reach = Reach()
    here, there = neighbour(1, address("172.31.0.1")), neighbour(1, address("172.31.0.2"))
    reach.change("n1", None, here)

    assert reach.change("n1", here, there)
    assert not reach.change("n1", there, there)
    assert reach.endpoints("n1") == [there.tunnel_endpoint.number]


def test_an_underlay_of_ipv6_is_not_reached() -> None:
    reach = Reach()

    assert not reach.change("n1", None, neighbour(1, address("fd00::1")))
    assert reach.endpoints("n1") == []


def copies(model: HostModel) -> dict[int, list[int]]:
    """Who gets copies of what is sent here, by the table that each goes to."""
    found: dict[int, list[int]] = {}
    (flow,) = (
        flow
        for flow in compile_all(model).values()
        if flow.table == p.MULTICAST and flow.instructions.meter
    )
    for action in flow.instructions.actions:
        assert isinstance(action, Clone)
        target, look_up = action.actions
        assert isinstance(target, SetField)
        assert isinstance(look_up, Resubmit)
        found.setdefault(look_up.table, []).append(target.value)
    return found


def a_network(ports: int, hosts: int) -> HostModel:
    """A network with so many ports here, and one on each of so many other hosts."""
    model = HostModel()
    model.set_tunnel(Tunnel(9, HERE))
    model.put(Network("n1", 7, 1450, True, ""))
    for number in range(1, ports + 1):
        model.put(Port(f"p{number}", "n1", Mac(number), (), True, True, "", ""))
        model.set_interface(f"p{number}", Interface(number, True))
        model.put(neighbour(number, HERE))
    for number in range(hosts):
        model.put(neighbour(1000 + number, Address(4, HERE.number + 1 + number)))
    return model


def test_local_ports_and_other_hosts_get_a_copy_each() -> None:
    found = copies(a_network(ports=2, hosts=3))

    assert found[p.COPY] == [1, 2]
    assert found[p.TUNNEL_OUT] == [HERE.number + each for each in (1, 2, 3)]


def test_beyond_what_a_switch_can_do_nobody_gets_a_copy() -> None:
    most = copies(a_network(multicast.local_copies_max, multicast.remote_copies_max))
    assert len(most[p.COPY]) == multicast.local_copies_max
    assert len(most[p.TUNNEL_OUT]) == multicast.remote_copies_max

    model = a_network(ports=1, hosts=multicast.remote_copies_max + 1)
    assert copies(model) == {p.COPY: [1]}
    too_many = a_network(ports=multicast.local_copies_max + 1, hosts=1)
    assert copies(too_many) == {p.TUNNEL_OUT: [HERE.number + 1]}


def test_one_host_more_makes_the_networks_flows_again_and_one_port_more_does_not() -> None:
    model, unit = a_network(ports=1, hosts=2), Unit(UnitKind.NETWORK, "n1")

    assert unit in model.put(neighbour(5000, address("172.31.9.9")))
    assert unit not in model.put(neighbour(5001, address("172.31.9.9")))
