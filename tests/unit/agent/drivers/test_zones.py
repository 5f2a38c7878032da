"""Zones of the connection tracker change hands with nothing left in them."""

from alcor.agent.compiler.compiler import Change, Compiler
from alcor.agent.drivers.zones import Zones
from alcor.agent.model.model import HostModel, Interface, Tunnel, Unit, UnitKind
from alcor.agent.model.routers.outside import zone_first
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import cookie_of
from alcor.goal_state.entries import Gateway, Network, Port, Router
from alcor.ovs.flow import Flow, apply, match, output
from alcor.ovs.openflow.flows import FlowBody, FlowKey, flow_body, flow_key
from alcor.values.addresses import Mac, address

A, B = (cookie_of(Unit(UnitKind.PORT, each)) for each in "ab")


def change(put: dict[int, int], *taken: int) -> Change:
    return Change((), (), (), put, frozenset(taken))


def heard(zone: int, owner: int) -> dict[FlowKey, FlowBody]:
    """What is read back of a port that frames are delivered to."""
    flow = Flow(p.DELIVER, 100, match(reg15=zone), apply(output(zone)), owner)
    return {flow_key(flow): flow_body(flow)}


def settled(*changes: Change) -> Zones:
    zones = Zones()
    for each in changes:
        zones.want(each)
    zones.flushed(complete=True)
    return zones


def test_a_zone_is_flushed_when_its_owner_leaves_or_changes() -> None:
    for next_ in (change({}, 3), change({3: B})):
        zones = settled(change({3: A, 4: B}))
        zones.want(next_)

        assert zones.stale(complete=True) == [3]
        zones.flushed(complete=True)
        assert zones.stale(complete=True) == []


def test_a_port_that_stays_keeps_its_connections() -> None:
    zones = settled(change({3: A}))
    zones.want(change({3: A}))

    assert zones.stale(complete=True) == []


def test_an_owner_that_changed_while_the_agent_was_away_is_noticed() -> None:
    zones = Zones()
    zones.want(change({3: B, 4: A}))
    zones.believe({**heard(3, A), **heard(4, A)})

    assert zones.stale(complete=False) == [3]


def test_nothing_is_flushed_for_want_of_information() -> None:
    zones = Zones()
    zones.believe(heard(3, A))
    assert zones.stale(complete=False) == []
    zones.flushed(complete=False)

    assert zones.stale(complete=True) == [3]


def test_what_the_owner_had_before_the_switch_lost_its_flows_is_not_the_next_ones() -> None:
    """A switch in the kernel keeps its connections then."""
    zones = settled(change({3: A, 4: B}))
    zones.believe({})
    assert zones.stale(complete=True) == []

    zones.want(change({3: B}, 4))

    assert zones.stale(complete=True) == [3, 4]


def test_of_a_switch_without_flows_nobody_knows_who_had_a_zone_before_the_agent_began() -> None:
    zones = Zones()
    zones.want(change({3: A, 4: B}))
    zones.believe(heard(5, A))
    assert zones.stale(complete=False) == []

    zones.believe({})

    assert zones.stale(complete=False) == [3, 4]
    zones.flushed(complete=False)
    assert zones.stale(complete=False) == []


def test_a_zone_that_may_have_been_a_routers_is_flushed_for_its_first_port() -> None:
    zones = settled()
    zones.want(change({zone_first - 1: A, zone_first: B}))

    assert zones.stale(complete=True) == [zone_first]


def test_the_compiler_tells_whose_each_zone_is() -> None:
    model = HostModel()
    model.set_tunnel(Tunnel(9, address("172.31.0.1")))
    model.put(Network("n", 7, 1450, True, ""))
    for name in "ab":
        model.put(Port(name, "n", Mac(1), (), True, True, "", ""))
        model.set_interface(name, Interface({"a": 3, "b": 4}[name], True))
    compiler = Compiler(model)
    first = compiler.update(set(model.units()))

    units = model.set_interface("a", None) | model.set_interface("b", Interface(3, True))
    swapped = compiler.update(units)
    gone = compiler.update(model.set_interface("b", None))

    assert first.zones_put == {3: A, 4: B}
    assert swapped.zones_put == {3: B}
    assert swapped.zones_taken == {4}
    assert gone.zones_put == {}
    assert gone.zones_taken == {3}


def test_a_router_with_a_zone_that_an_interface_has_by_now_is_made_with_another() -> None:
    model = HostModel()
    model.put(Network("n", 7, 1450, True, ""))
    model.put(Network("world", 8, 1500, True, "", "ext"))
    model.put(Router("r", True, ()))
    model.put(Gateway("g", "r", "world", Mac(2), ()))
    model.put(Port("a", "n", Mac(1), (), True, True, "", ""))

    def zone() -> int:
        view = model.router("r")
        assert view is not None
        return view.exits[0].zone

    before = zone()
    units = model.set_interface("a", Interface(before, True))

    assert zone() != before
    assert Unit(UnitKind.ROUTER, "r") in units
