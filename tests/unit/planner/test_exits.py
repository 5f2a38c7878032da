"""By which hosts routers leave: those hold them and all that they join, without a machine."""

from collections.abc import Iterable, Mapping

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planner.world import World

from alcor.agent.desired.desired import Desired
from alcor.agent.model.routers.outside import Outside
from alcor.goal_state import codec
from alcor.goal_state.entries import Gateway, UplinkNode
from alcor.goal_state.slices import (
    exit_key,
    network_slice,
    router_slice,
    slice_of,
    uplink_node_key,
    uplink_slice,
)
from alcor.intent.records import NetworkRecord, NodeRecord, PortRecord, Record, RouterRecord
from alcor.transport.link import Frame, Item
from alcor.values.addresses import address
from alcor.values.rendezvous import first_of

HOSTS, ROUTERS, WORLDS = ("h1", "h2", "h3", "h4"), ("r1", "r2"), ("x1", "x2")
INSIDE, ZONES = ("n1", "n2"), ("east", "west")


def meeting(id_: str, router: str, network: str, owner: str) -> PortRecord:
    return PortRecord(
        id=id_,
        network_id=network,
        project_id="",
        mac_address="fa:16:3e:00:00:01",
        device_id=router,
        device_owner=f"network:router_{owner}",
    )


def world(id_: str, physical_network: str = "ext") -> NetworkRecord:
    return NetworkRecord(id=id_, project_id="", vni=9, mtu=1500, physical_network=physical_network)


def node(
    host: str, alive: bool | None = True, names: tuple[str, ...] = ("ext",), zone: str = "east"
) -> NodeRecord:
    """None: it is returning."""
    return NodeRecord(
        id=host,
        tunnel_ip=f"192.0.2.{host.removeprefix('h')}",
        physical_networks=names,
        availability_zone=zone,
        alive=bool(alive),
        returning=alive is None,
    )


def machine(id_: str, network: str, host: str) -> PortRecord:
    return msgspec.structs.replace(meeting(id_, "", network, ""), device_owner="", host=host)


def router(id_: str, zones: tuple[str, ...] = ()) -> RouterRecord:
    return RouterRecord(id=id_, project_id="", availability_zones=zones)


names = st.sampled_from(((), ("ext",), ("other",), ("ext", "other")))
zones = st.sampled_from(ZONES)
records = st.one_of(
    st.builds(node, st.sampled_from(HOSTS), st.sampled_from((True, False, None)), names, zones),
    st.builds(world, st.sampled_from(WORLDS), st.sampled_from(("", "ext", "other"))),
    st.builds(
        meeting,
        st.sampled_from(("g1", "g2", "g3")),
        st.sampled_from(ROUTERS),
        st.sampled_from(WORLDS),
        st.sampled_from(("gateway", "gateway", "interface")),
    ),
    st.builds(
        meeting,
        st.sampled_from(("i1", "i2", "i3")),
        st.sampled_from(ROUTERS),
        st.sampled_from(INSIDE),
        st.just("interface"),
    ),
    st.builds(router, st.sampled_from(ROUTERS), st.sampled_from(((), ("east",), ZONES))),
    st.builds(machine, st.just("m"), st.sampled_from(INSIDE), st.sampled_from(("", *HOSTS))),
)
histories = st.lists(st.tuples(records, st.booleans()), max_size=40)


class Exits(World):
    def living(self) -> list[Record]:
        index = self.planner.index
        return [record for key_ in index.held() if (record := index.get(key_)) is not None]

    def exits(self, router_id: str) -> set[str]:
        return {host for host in HOSTS if exit_key(host, router_id) in self.planner.goal}


def told(history: Iterable[tuple[Record, bool]]) -> Exits:
    told = Exits()
    for record, gone in history:
        told.tell(record, gone=gone)
    return told


@given(histories, st.data())
def test_exits_are_what_the_living_records_say_in_whatever_order(
    history: list[tuple[Record, bool]], data: st.DataObject
) -> None:
    once = told(history)

    assert dict(told((each, False) for each in once.living()).planner.goal) == once.planner.goal
    again = data.draw(st.permutations(once.living()))
    assert dict(told((each, False) for each in again).planner.goal) == once.planner.goal


@given(histories)
def test_the_exits_are_whom_hosts_choose_and_whom_they_choose_when_that_one_dies(
    history: list[tuple[Record, bool]],
) -> None:
    once = told(history)
    outside, nodes, preferred = outside_of(once.planner.goal), dict[str, NodeRecord](), {}
    for each in once.living():
        if isinstance(each, NodeRecord):
            nodes[each.id] = each
        if isinstance(each, RouterRecord):
            preferred[each.id] = each.availability_zones
    by_network = {e.id: e.physical_network for e in once.living() if isinstance(e, NetworkRecord)}

    def entry(name: str, host: str) -> UplinkNode:
        ip, zone = address(nodes[host].tunnel_ip), nodes[host].availability_zone
        return UplinkNode(name, host, ip, zone)

    for router_id in ROUTERS:
        zones = preferred.get(router_id, ())
        near = {each.id for each in nodes.values() if each.availability_zone in zones}
        gateways = outside.gateways_of(router_id, ())
        names = {by_network.get(each.network_id, "") for each in gateways} - {""}
        every, active = set[str](), set[str]()
        for name in names:
            chosen = set[str]()
            for _ in range(2):
                endpoint = outside.central(router_id, name, zones)
                if endpoint is not None:
                    (host,) = (e.id for e in nodes.values() if address(e.tunnel_ip) == endpoint)
                    if not chosen:
                        active.add(host)
                    chosen.add(host)
                    outside.put_node(entry(name, host), False)
            for host in chosen:
                outside.put_node(entry(name, host), True)
            every |= chosen
            coming = [e.id for e in once.living() if isinstance(e, NodeRecord) and held(e, name)]
            every |= set(first_of(router_id, coming, 2, near))
        assert once.exits(router_id) == every
        assert once.planner.index.exits.active(router_id) == active


def held(node: NodeRecord, name: str) -> bool:
    """Whether something may leave by its uplink, now or soon."""
    return (node.alive or node.returning) and name in node.physical_networks


def outside_of(goal: Mapping[str, bytes]) -> Outside:
    """What agents make of goal state."""
    outside = Outside(lambda _: False)
    for key_, value in goal.items():
        match codec.decode(key_, value):
            case UplinkNode() as node:
                outside.put_node(node, True)
            case Gateway() as gateway:
                outside.put_gateway(gateway, True)
    return outside


@given(histories)
def test_whatever_a_host_is_led_to_it_may_have_and_nothing_else(
    history: list[tuple[Record, bool]],
) -> None:
    once = told(history)
    index = once.planner.index
    everything = {slice_of(key_) for key_ in once.planner.goal}

    for host in HOSTS:
        led_to = slices_of(host, once.planner.goal)
        assert {name for name in led_to if not index.concerns(host, name)} == set()
        of_routers = {name for name in everything if name.startswith("router/")}
        assert {name for name in of_routers if index.concerns(host, name)} <= led_to
        for name in everything | led_to:
            assert (host in index.hosts_of(name)) == index.concerns(host, name)


def slices_of(host: str, goal: Mapping[str, bytes]) -> set[str]:
    """The slices that an agent holds in the end, if all that it asks for is given to it."""
    desired, given_ = Desired(host), set[str]()
    while waiting := {each.name for each in desired.subscriptions()} - given_:
        for name in waiting:
            items = [Item(k, v, 1, "") for k, v in goal.items() if slice_of(k) == name]
            desired.take(Frame(1, 1, items, begins=(name,), completes=(name,)))
        given_ |= waiting
    return {each.name for each in desired.subscriptions()}


def ranked(router_id: str, *hosts: str) -> list[str]:
    return first_of(router_id, hosts, len(hosts))


def test_two_hosts_hold_a_router_and_all_that_it_joins_without_a_machine() -> None:
    world_ = Exits(node("h1"), node("h2"), node("h3"), world("x1"), machine("m", "n1", "h4"))
    joined = (meeting("i1", "r1", "n1", "interface"), meeting("i2", "r2", "n1", "interface"))
    for record in (*joined, meeting("i3", "r2", "n2", "interface")):
        world_.tell(record)

    changes = world_.tell(meeting("g1", "r1", "x1", "gateway"))

    exits = set(ranked("r1", "h1", "h2", "h3")[:2])
    assert {each.key for each in changes if each.key.startswith("host/")} == {
        exit_key(host, "r1") for host in exits
    }
    for name in (
        *map(network_slice, ("n1", "n2", "x1")),
        *map(router_slice, ("r1", "r2")),
        uplink_slice("ext"),
    ):
        assert set(world_.planner.index.hosts_of(name)) == {"h4", *exits}


def test_what_an_interface_on_an_external_network_leads_to_concerns_hosts_that_leave_there() -> (
    None
):
    world_ = Exits(world("x1", ""), machine("m", "n1", "h1"))
    for record in (
        meeting("i1", "r1", "n1", "interface"),
        meeting("g1", "r1", "x1", "gateway"),
        meeting("i2", "r2", "x1", "interface"),
        meeting("i3", "r2", "n2", "interface"),
    ):
        world_.tell(record)

    for name in (router_slice("r2"), network_slice("n2")):
        assert name in slices_of("h1", world_.planner.goal)
        assert set(world_.planner.index.hosts_of(name)) == {"h1"}


def test_a_router_without_interfaces_is_held_by_its_exits_alone() -> None:
    world_ = Exits(node("h1"), world("x1"), meeting("g1", "r1", "x1", "gateway"))

    for name in (router_slice("r1"), network_slice("x1"), uplink_slice("ext")):
        assert set(world_.planner.index.hosts_of(name)) == {"h1"}


def test_the_death_of_a_host_moves_its_own_routers_only() -> None:
    routers = [f"r{number}" for number in range(100)]
    gateways = [meeting(f"g-{each}", each, "x1", "gateway") for each in routers]
    world_ = Exits(*map(node, HOSTS), world("x1"), *gateways)
    of_h1 = [each for each in routers if "h1" in ranked(each, *HOSTS)[:2]]

    changes = world_.tell(node("h1", alive=False))

    expected = {exit_key("h1", each): None for each in of_h1} | {
        exit_key(ranked(each, "h2", "h3", "h4")[1], each): b"" for each in of_h1
    }
    expected[uplink_node_key("ext", "h1")] = None
    assert {each.key: each.value for each in changes} == expected
    assert {each.key for each in world_.tell(node("h1"))} == set(expected)


def test_a_router_leaves_by_the_hosts_of_its_zone_and_by_others_when_they_are_gone() -> None:
    in_zones = [node(each, zone="west" if each == "h4" else "east") for each in HOSTS]
    gateway = meeting("g1", "r1", "x1", "gateway")
    world_ = Exits(*in_zones, world("x1"), router("r1", ("west",)), gateway)
    east = ranked("r1", "h1", "h2", "h3")
    assert world_.exits("r1") == {"h4", east[0]}

    world_.tell(node("h4", alive=False, zone="west"))
    assert world_.exits("r1") == set(east[:2])

    world_.tell(node(east[2], zone="west"))
    assert world_.exits("r1") == {east[2], east[0]}

    world_.tell(router("r1"))
    assert world_.exits("r1") == set(east[:2])


def test_a_host_that_changes_its_zone_moves_routers_that_prefer_one() -> None:
    routers = [router("r1", ("east",)), router("r2")]
    gateways = [meeting(f"g{each.id}", each.id, "x1", "gateway") for each in routers]
    world_ = Exits(*map(node, HOSTS), world("x1"), *routers, *gateways)
    first, second = ranked("r1", *HOSTS)[:2]

    changes = world_.tell(node(first, zone="west"))

    third = ranked("r1", *HOSTS)[2]
    assert {each.key for each in changes} == {
        uplink_node_key("ext", first), exit_key(first, "r1"), exit_key(third, "r1")
    }  # fmt: skip
    assert world_.exits("r1") == {second, third}


def test_a_node_that_says_the_same_again_moves_nothing() -> None:
    world_ = Exits(node("h1"), world("x1"), meeting("g1", "r1", "x1", "gateway"))

    assert world_.tell(node("h1")) == []
