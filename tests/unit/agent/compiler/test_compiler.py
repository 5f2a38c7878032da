"""Incremental equals recompute, and what the flows of each unit promise."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.fixtures.compiled import compile_all, flows_of

from alcor.agent.compiler.compiler import Compiler
from alcor.agent.model.model import HOST_UNIT, HostModel, Interface, Tunnel, Unit, UnitKind
from alcor.agent.model.networks.shared_addresses import Holder
from alcor.agent.model.ports.monitoring import Ports
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import cookie_of, is_ours
from alcor.goal_state.entries import (
    AclLog,
    AclRule,
    Addresses,
    AddressPair,
    FixedIp,
    FloatingIp,
    Forwarding,
    Gateway,
    Group,
    Limit,
    LocalIp,
    Member,
    MeteringRule,
    Mirror,
    Neighbour,
    Network,
    Port,
    QosPolicy,
    Route,
    Router,
    RouterInterface,
    Rule,
    Subnet,
    SubnetAcl,
    Tap,
    TapFlow,
    UplinkNode,
)
from alcor.goal_state.slices import EVERYBODY
from alcor.ovs.flow import Ct, Punt, Resubmit
from alcor.ovs.openflow.flows import FlowBody, FlowKey, flow_body
from alcor.values.addresses import Mac, address, prefix

HERE = address("172.31.0.1")
NETWORKS, PORTS, SUBNETS = ("n1", "n2"), ("p1", "p2", "p3"), ("s1", "s2")
GROUPS = ("g1", "g2")
PREFIXES = tuple(map(prefix, ("10.0.0.2/32", "10.0.0.0/24", "0.0.0.0/0", "fd00::2/128", "::/0")))
ADDRESSES = tuple(map(address, ("10.0.0.2", "10.0.0.3", "fd00::2", "fd00::3")))
ENDPOINTS = (HERE, address("172.31.0.2"), address("fd01::2"))


def built(type_: Any, *given: Any, **more: Any) -> st.SearchStrategy[Any]:
    """As `st.builds`, but what is not said is as by default: it would make that up for tuples."""
    defaults = getattr(type_, "_field_defaults", {})
    said = {*getattr(type_, "_fields", ())[: len(given)], *more}
    rest = {name: st.just(value) for name, value in defaults.items() if name not in said}
    return st.builds(type_, *given, **more, **rest)


ANYTHING = tuple(AddressPair(prefix(each), Mac(3)) for each in ("0.0.0.0/0", "::/0"))
macs = st.integers(1, 3).map(lambda n: Mac(0x020000000000 + n))
fixed_ips = st.lists(
    built(FixedIp, st.sampled_from(SUBNETS), st.sampled_from(ADDRESSES)), max_size=3
).map(tuple)
ports = built(
    Port,
    st.sampled_from(PORTS),
    st.sampled_from(NETWORKS),
    macs,
    fixed_ips,
    st.booleans(),
    st.booleans(),
    st.just("web"),
    st.just(""),
    st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple),
    st.booleans(),
    parent_id=st.sampled_from(("", "", "p1", "p2")),
    vlan=st.sampled_from((0, 10, 20)),
    qos_policy_id=st.sampled_from(("", "", "q1", "q2")),
    own_qos_only=st.booleans(),
    waits=st.booleans(),
    local_ips=st.lists(
        built(
            LocalIp,
            st.sampled_from(tuple(map(address, ("10.0.0.3", "10.0.0.9")))),
            st.just(address("10.0.0.2")),
            st.booleans(),
        ),
        max_size=2,
        unique_by=lambda each: each.address,
    ).map(tuple),
)
networks = built(
    Network,
    st.sampled_from(NETWORKS),
    st.integers(1, 3),
    st.just(1450),
    st.booleans(),
    st.just(""),
    st.sampled_from(("", "ext")),
    st.sampled_from((0, 5)),
    qos_policy_id=st.sampled_from(("", "q2")),
)
subnets = built(
    Subnet,
    st.sampled_from(SUBNETS),
    st.sampled_from(NETWORKS),
    st.sampled_from((prefix("10.0.0.0/24"), prefix("fd00::/64"))),
    st.sampled_from((None, address("10.0.0.1"), address("10.0.0.2"))),
    st.booleans(),
    st.just(()),
    st.just(()),
)
neighbours = built(
    Neighbour,
    st.sampled_from(PORTS),
    st.sampled_from(NETWORKS),
    macs,
    st.lists(st.sampled_from(ADDRESSES), max_size=2).map(tuple),
    st.just("h"),
    st.sampled_from(ENDPOINTS),
    st.sampled_from(((), (AddressPair(prefix("10.0.0.9/32"), Mac(3)),), ANYTHING)),
    also=st.lists(st.sampled_from(ENDPOINTS), max_size=2, unique=True).map(tuple),
)
routers = built(
    Router,
    st.sampled_from(("r1", "r2")),
    st.booleans(),
    st.lists(
        st.sampled_from(
            (
                Route(prefix("10.9.0.0/16"), address("10.0.0.3")),
                Route(prefix("fd09::/16"), address("fd00::3")),
                Route(prefix("10.9.0.0/16"), address("10.0.0.2")),
            )
        ),
        max_size=2,
    ).map(tuple),
    qos_policy_id=st.sampled_from(("", "q1")),
)
router_interfaces = built(
    RouterInterface,
    st.sampled_from(("i1", "i2", "i3")),
    st.sampled_from(("r1", "r2")),
    st.sampled_from(NETWORKS),
    macs,
    fixed_ips,
    st.booleans(),
)
groups = built(Group, st.sampled_from(GROUPS), st.booleans())
rules = built(
    Rule,
    st.sampled_from(("r1", "r2", "r3")),
    st.sampled_from(GROUPS),
    st.booleans(),
    st.just(4),
    st.sampled_from((None, 6, 17)),
    st.sampled_from((None, (80, 90), (85, 95), (0, 65535))),
    st.none(),
    st.none(),
    st.none(),
    st.just(""),
    st.just(""),
).flatmap(
    lambda rule: st.sampled_from(
        (
            rule,
            rule._replace(remote=prefix("0.0.0.0/0")),
            rule._replace(remote=PREFIXES[1]),
            rule._replace(remote_group_id="g1"),
            rule._replace(remote_group_id="g2"),
            rule._replace(remote_addresses_id="a1"),
        )
    )
)
some_prefixes = st.lists(st.sampled_from(PREFIXES), max_size=3).map(tuple)
members = built(Member, st.sampled_from(GROUPS), st.sampled_from(PORTS), some_prefixes)
address_groups = built(Addresses, st.just("a1"), some_prefixes)
gateways = built(
    Gateway,
    st.sampled_from(("i1", "i4")),
    st.sampled_from(("r1", "r2")),
    st.sampled_from(NETWORKS),
    macs,
    fixed_ips,
)
floating_ips = built(
    FloatingIp,
    st.sampled_from(("f1", "f2")),
    st.sampled_from(("r1", "r2")),
    st.sampled_from(NETWORKS),
    macs,
    st.just(ADDRESSES[1]),
    st.sampled_from(("", *PORTS)),
    st.sampled_from((None, ADDRESSES[0])),
    qos_policy_id=st.sampled_from(("", "q1", "q2")),
)
forwardings = built(
    Forwarding,
    st.sampled_from(("w1", "w2")),
    st.sampled_from(("f1", "f2")),
    st.sampled_from((6, 17)),
    st.just((80, 82)),
    st.just(ADDRESSES[0]),
    st.sampled_from(((80, 82), (90, 92), (90, 90))),
)
uplink_nodes = built(
    UplinkNode, st.just("ext"), st.sampled_from(("h", "h2")), st.sampled_from(ENDPOINTS)
)
subnet_acls = built(
    SubnetAcl, st.sampled_from(NETWORKS), st.sampled_from(SUBNETS), st.sampled_from(("c1", "c2"))
)
acl_rules = built(
    AclRule,
    st.sampled_from(("r1", "r2", "r3")),
    st.sampled_from(("c1", "c2")),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
    st.sampled_from((4, 6)),
    st.none(),
    st.sampled_from((None, 6, 17)),
    st.sampled_from((None, (80, 90), (0, 65535))),
    st.none(),
    st.none(),
)
acl_logs = built(AclLog, st.just("l"), st.sampled_from(("c1", "c2")), st.booleans(), st.booleans())
limits = built(Limit, st.booleans(), st.booleans(), st.integers(1, 2), st.just(1))
policies = built(
    QosPolicy,
    st.sampled_from(("q1", "q2")),
    st.lists(limits, max_size=3, unique_by=lambda each: each[:2]).map(tuple),
    st.sampled_from((None, 0, 46)),
)
metering_rules = built(
    MeteringRule,
    st.sampled_from(("m1", "m2")),
    st.sampled_from(("l1", "l2")),
    st.sampled_from(("", EVERYBODY)),
    st.booleans(),
    st.booleans(),
    st.sampled_from((PREFIXES[1], prefix("0.0.0.0/0"))),
    st.none(),
)
# A mirror, a tap and a flow are of the same ports for as long as they live.
mirrors = built(
    Mirror, st.just("m1"), st.just("here"), st.just("p1"), st.just(ENDPOINTS[1]), ingress=st.just(7)
)
taps = st.sampled_from(PORTS).flatmap(
    lambda port_id: built(
        Tap, st.just(f"t-{port_id}"), st.just("here"), st.just(port_id), st.integers(1, 2)
    )
)
tap_flows = st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)).flatmap(
    lambda ends: built(
        TapFlow,
        st.just("-".join(ends)),
        st.just("here"),
        st.just(ends[0]),
        st.just(ends[1]),
        st.integers(1, 2),
        st.lists(st.sampled_from(ENDPOINTS[:2]), min_size=1, max_size=2, unique=True).map(tuple),
        st.booleans(),
        st.booleans(),
    )
)
entries = st.one_of(
    st.one_of(mirrors, taps, tap_flows),
    st.one_of(ports, networks, subnets, neighbours, routers, router_interfaces),
    st.one_of(gateways, floating_ips, forwardings, uplink_nodes, metering_rules),
    st.one_of(groups, rules, members, address_groups),
    st.one_of(subnet_acls, acl_rules, acl_logs, policies),
)
interfaces = st.none() | built(Interface, st.integers(-1, 4), st.booleans())
tunnels = st.none() | built(
    Tunnel,
    st.integers(8, 9),
    st.sampled_from(ENDPOINTS),
    st.sampled_from((Ports(), Ports(30, 31), Ports(30, 31, 32))),
)
changes = st.one_of(
    st.tuples(st.just("put"), entries),
    st.tuples(st.just("remove"), entries),
    st.tuples(st.just("interface"), st.tuples(st.sampled_from(PORTS), interfaces)),
    st.tuples(st.just("tunnel"), tunnels),
    st.tuples(st.just("uplinks"), st.sampled_from(({}, {"ext": 20}))),
    st.tuples(
        st.just("resolved"),
        st.tuples(
            st.sampled_from(NETWORKS), st.sampled_from(ADDRESSES), st.sampled_from((None, Mac(5)))
        ),
    ),
    st.tuples(
        st.just("holder"),
        st.tuples(
            st.sampled_from(NETWORKS),
            st.sampled_from(ADDRESSES),
            st.none() | built(Holder, st.sampled_from(PORTS), macs),
        ),
    ),
)


def change_model(model: HostModel, what: str, value: Any) -> set[Unit]:
    match what, value:
        case "put", entry:
            return model.put(entry)
        case "remove", entry:
            return model.remove(entry)
        case "interface", (port_id, interface):
            if interface is not None and interface.ofport > 0:
                others = {k: v.ofport for k, v in model.interfaces.items() if k != port_id}
                if interface.ofport in others.values():
                    return set()  # a switch gives a number once
            return model.set_interface(port_id, interface)
        case "uplinks", uplinks:
            return model.exits.set_uplinks(uplinks)
        case "resolved", (network_id, found, mac):
            return model.exits.set_resolved(network_id, found, mac)
        case "holder", (network_id, found, None):
            return model.shared.lose_holder(network_id, found)
        case "holder", (network_id, found, holder):
            return model.shared.set_holder(network_id, found, holder)
    return model.set_tunnel(value)


def held(compiler: Compiler) -> dict[FlowKey, FlowBody]:
    return {key: body for _, key, body in compiler.flows()}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(changes, max_size=5), max_size=12), st.sampled_from((1, 400)))
def test_flows_after_any_changes_equal_flows_from_nothing(
    passes: list[list[tuple[str, object]]], piece_units: int
) -> None:
    model = HostModel()
    compiler = Compiler(model, piece_units)
    compiler.update({HOST_UNIT})
    switch = held(compiler)

    for each in passes:
        units = set().union(*(change_model(model, *change) for change in each))
        made = [unit for change in compiler.pieces(units) for unit in change.units]
        for _, puts, takes in made:
            for key in takes:
                del switch[key]
            for key, body in puts:
                assert switch.get(key) != body
                switch[key] = body

    assert switch == {key: flow_body(flow) for key, flow in compile_all(model).items()}
    assert switch == held(compiler)
    assert compiler.update(set(model.units())).flows == 0


def test_a_pass_in_pieces_ends_as_one_at_once() -> None:
    model, units = HostModel(), {HOST_UNIT}
    model.set_tunnel(Tunnel(9, HERE))
    for each in (Network("n1", 7, 1450, True, ""), Router("r1", True, ())):
        units |= model.put(each)
    for n in range(5):
        units |= model.put(Neighbour(f"q{n}", "n1", Mac(n), ADDRESSES[:1], "h2", ENDPOINTS[1]))
    compiler = Compiler(model, piece_units=2)

    pieces = list(compiler.pieces(units))

    assert len(pieces) == 5
    assert held(compiler) == {key: flow_body(flow) for key, flow in compile_all(model).items()}
    assert [each.flows for each in compiler.pieces(units)] == [0]


@settings(max_examples=100, deadline=None)
@given(st.lists(changes, max_size=40))
@example([("uplinks", {"ext": 20}), ("put", Network("n1", 1, 1450, True, "", "ext"))])
def test_meters_are_those_that_flows_name(history: list[tuple[str, object]]) -> None:
    model = HostModel()
    compiler = Compiler(model)
    for change in history:
        compiler.update(change_model(model, *change))

    done = [flow.instructions for flow in compile_all(model).values()]
    named = {each.meter for each in done} - {None}
    punts = (a for each in done for a in each.actions if isinstance(a, Punt))
    named |= {punt.meter for punt in punts} - {0}

    assert named == set(compiler.meters)


@settings(max_examples=100, deadline=None)
@given(st.lists(changes, max_size=40))
def test_flows_go_forward_in_the_pipeline_as_declared(history: list[tuple[str, object]]) -> None:
    model = HostModel()
    for change in history:
        change_model(model, *change)

    for flow in compile_all(model).values():
        stage = p.STAGE_BY_TABLE[flow.table]
        assert is_ours(flow_body(flow))
        if flow.instructions.goto is not None:
            target = p.STAGE_BY_TABLE[flow.instructions.goto].name
            assert target in (*stage.next, stage.miss)
        for action in flow.instructions.actions:
            if isinstance(action, Resubmit):
                assert p.STAGE_BY_TABLE[action.table].name in (*stage.again, *stage.calls)
            if isinstance(action, Ct) and action.table is not None:
                assert p.STAGE_BY_TABLE[action.table].name in stage.next


def one_port(**changed: Any) -> HostModel:
    port = Port("p1", "n1", Mac(0x020000000001), (FixedIp("s1", ADDRESSES[0]),), True, True, "", "")
    model = HostModel()
    model.put(port._replace(**changed))
    model.put(Network("n1", 7, 1450, True, ""))
    model.set_interface("p1", Interface(3, True))
    model.set_tunnel(Tunnel(9, HERE))
    return model


class Faulty(HostModel):
    """Knows the subnets of ports no more than so often: a fault of ours."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answers = answers

    def subnets_of(self, port: Port) -> dict[str, Subnet]:
        self.answers -= 1
        if self.answers < 0:
            raise KeyError("a fault of ours")
        return super().subnets_of(port)


@pytest.mark.parametrize("answers", [0, 1])
def test_a_fault_in_flows_or_meters_of_one_unit_leaves_all_others_theirs(answers: int) -> None:
    model, failed = Faulty(answers), list[Unit]()
    model.put(Network("n1", 7, 1450, True, ""))
    model.put(Port("p1", "n1", Mac(1), (), True, True, "", ""))
    model.set_interface("p1", Interface(3, True))
    compiler = Compiler(model, on_fault=lambda unit, _: failed.append(unit))
    port, network = Unit(UnitKind.PORT, "p1"), Unit(UnitKind.NETWORK, "n1")

    change = compiler.update({port, network})

    assert failed == [port]
    assert set(compiler.failed) == {port}
    assert {each.unit for each in change.units} == {network}


def test_a_port_that_is_down_has_no_flows() -> None:
    assert flows_of(one_port(), Unit(UnitKind.PORT, "p1"))
    assert not flows_of(one_port(admin_state_up=False), Unit(UnitKind.PORT, "p1"))


def test_a_port_is_mute_until_its_network_is_known() -> None:
    model = one_port()
    model.remove(Network("n1", 7, 1450, True, ""))

    assert not flows_of(model, Unit(UnitKind.PORT, "p1"))


def test_a_neighbour_costs_one_flow_to_answer_and_one_to_reach() -> None:
    model = one_port()
    model.put(Neighbour("q", "n1", Mac(0x0200000000AA), ADDRESSES[1:2], "h2", ENDPOINTS[1]))

    assert len(flows_of(model, Unit(UnitKind.NEIGHBOUR, "q", "n1"))) == 2


def test_a_changed_neighbour_changes_its_own_flows_only() -> None:
    model = one_port()
    neighbour = Neighbour("q", "n1", Mac(0x0200000000AA), ADDRESSES[1:2], "h2", ENDPOINTS[1])
    model.put(neighbour)
    compiler = Compiler(model)
    compiler.update(set(model.units()))

    change = compiler.update(model.put(neighbour._replace(mac=Mac(0x0200000000AB))))

    assert {each.unit for each in change.units} == {Unit(UnitKind.NEIGHBOUR, "q", "n1")}
    assert change.flows == 3  # the answer is replaced, the MAC's way is another key


@pytest.mark.parametrize(
    ("first", "second", "puts"),
    [
        pytest.param("a", "b", 1, id="the one that counts stays as it is on the switch"),
        pytest.param("b", "a", 2, id="the one that counts now is put over the other"),
    ],
)
def test_of_two_neighbours_with_one_address_the_first_by_id_is_put_once(
    first: str, second: str, puts: int
) -> None:
    macs = {"a": Mac(0x0200000000AA), "b": Mac(0x0200000000BB)}
    here = ADDRESSES[1:2]
    by_id = {id_: Neighbour(id_, "n1", mac, here, "h2", ENDPOINTS[1]) for id_, mac in macs.items()}
    model = one_port()
    model.put(by_id[first])
    compiler = Compiler(model)
    compiler.update(set(model.units()))

    change = compiler.update(model.put(by_id[second]))

    # The way to the second's MAC is new; who answers for the address may be.
    assert sum(len(each.puts) for each in change.units) == puts
    assert not change.takes


def test_cookies_are_the_same_on_every_start() -> None:
    assert cookie_of(Unit(UnitKind.PORT, "p1")) == 0xA102_F751_801C_E81E
