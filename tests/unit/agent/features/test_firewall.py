"""What a change of security groups costs, and what their rules become."""

from collections.abc import Iterable

import pytest
from tests.fixtures.compiled import compile_all

from alcor.agent.compiler.compiler import Compiler
from alcor.agent.features.filters import firewall
from alcor.agent.features.routers import routing
from alcor.agent.model.filters.firewall import Firewall
from alcor.agent.model.filters.grants import (
    ANYBODY,
    ANYTHING,
    Grant,
    GrantIds,
    Service,
    Way,
    services_of,
)
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Addresses, Group, Member, Network, Port, Rule
from alcor.ovs.fields import ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import DROP, Conjunction, Flow, Match, match
from alcor.values.addresses import Mac, Prefix, address, prefix

IN4 = Way(True, 4)
TCP80 = Rule("r1", "web", True, 4, 6, (80, 80))
FROM_WEB = Rule("r2", "db", True, 4, 6, (5432, 5432), remote_group_id="web")
FROM_WEB_TOO = Rule("r3", "db", True, 4, 6, (22, 22), remote_group_id="web")


def of_kinds(flows: Iterable[Flow], *tables: int) -> set[int]:
    """The types of ICMPv6 that flows of these tables are about, and nothing else."""
    found = {flow.match for flow in flows if flow.table in tables}
    return {kind for kind in range(256) if of_kind(kind) in found}


def of_kind(kind: int) -> Match:
    return match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=kind)


def test_what_passes_without_a_rule_concerns_one_link_and_is_never_routed() -> None:
    sent, received = (of_kinds(firewall.host(0), each) for each in (p.FW_OUT, p.FW_IN))
    dropped = (flow for flow in routing.host(0) if flow.instructions == DROP)

    assert sent == {130, 131, 132, 133, 135, 136, 143}
    assert received == {130, 131, 132, 134, 135, 136, 143}
    assert sent | received <= of_kinds(dropped, p.ROUTER_IN)


def member(number: int) -> Member:
    return Member("web", f"p{number}", (Prefix(4, 0x0A000000 + number, 32),))


def host(ports: int, members: int, *rules: Rule) -> tuple[HostModel, Compiler]:
    """A host with ports of group `db`, whose rules name `members` members of group `web`."""
    model = HostModel()
    model.set_tunnel(Tunnel(99, address("172.31.0.1")))
    model.put(Network("n", 7, 1450, True, ""))
    model.put(Group("db", True))
    for number in range(ports):
        mac = Mac(0x020000000000 + number)
        model.put(Port(f"l{number}", "n", mac, (), True, True, "", "", ("db",), True))
        model.set_interface(f"l{number}", Interface(number + 1, True))
    for rule in rules:
        model.put(rule)
    for number in range(members):
        model.put(member(number))
    compiler = Compiler(model)
    compiler.update(set(model.units()))
    return model, compiler


def flows(model: HostModel) -> list[Flow]:
    return list(compile_all(model).values())


@pytest.mark.parametrize("members", [1, 100])
def test_a_member_s_change_touches_one_flow_whatever_the_ports_and_rules(members: int) -> None:
    model, compiler = host(10, members, FROM_WEB, FROM_WEB_TOO)

    come = compiler.update(model.put(member(members)))
    gone = compiler.update(model.remove(member(members)))

    assert (come.flows, gone.flows) == (1, 1)


def test_flows_are_the_sum_of_ports_rules_and_members() -> None:
    first, second = (len(flows(host(ports, 0)[0])) for ports in (1, 2))  # without rules

    many = len(flows(host(10, 100, FROM_WEB, FROM_WEB_TOO)[0]))

    services, grants = 2 + 1, 1  # and what follows first fragments
    assert many - first - 9 * (second - first) == 10 + 100 + services + grants


def test_another_rule_of_the_same_remote_costs_its_service_and_no_more() -> None:
    model, compiler = host(10, 100, FROM_WEB)

    change = compiler.update(model.put(FROM_WEB_TOO))

    assert change.flows == 1


def test_a_prefix_that_leaves_an_address_group_touches_one_flow() -> None:
    rule = Rule("r", "db", True, 4, remote_addresses_id="office")
    model, compiler = host(3, 0, rule)
    prefixes = tuple(Prefix(4, 0x0A000000 + n, 32) for n in range(50))
    compiler.update(model.put(Addresses("office", prefixes)))

    change = compiler.update(model.put(Addresses("office", prefixes[1:])))

    assert change.flows == 1


def number_alone(grant: Grant) -> int:
    ids = GrantIds(bits=8)
    ids.add(grant)
    return ids[grant]


def sharing() -> tuple[Grant, Grant]:
    """Two grants that would have one number, the earlier in order first."""
    seen: dict[int, Grant] = {}
    for each in range(300):
        grant = Grant(f"g{each}", IN4, ANYBODY)
        other = seen.setdefault(number_alone(grant), grant)
        if other is not grant:
            first, second = sorted((grant, other), key=str)
            return first, second
    raise AssertionError("300 grants have 300 of 255 numbers")


def test_grants_that_share_a_number_get_two_whatever_came_first() -> None:
    first, second = sharing()
    for order in ((first, second), (second, first)):
        ids = GrantIds(bits=8)
        ids.add(order[0])
        changed = ids.add(order[1])

        assert changed == ({second} if order[0] == second else set())
        assert (ids[first], ids[second]) == (number_alone(first), ids[second])
        assert ids[first] != ids[second]
        assert ids.drop(first) == {second}
        assert ids[second] == number_alone(second)


def test_a_grant_whose_number_changes_has_its_flows_made_again() -> None:
    first, second = sharing()
    firewall = Firewall(GrantIds(bits=8))
    firewall.put(Rule("r1", second.group_id, True, 4, 6, (80, 80)))

    touched = firewall.put(Rule("r2", first.group_id, True, 4, 6, (81, 81)))

    assert touched.grants == {first, second}
    assert touched.groups == {first.group_id, second.group_id}
    assert {each.port for _, each in touched.services if not each.later} == {80, 81}


def test_a_range_of_ports_is_its_masks_and_all_ports_are_none() -> None:
    assert list(services_of(TCP80._replace(ports=(80, 95)))) == [
        Service(6, 80, 0xFFF0),
        Service(6, later=True),
    ]
    assert list(services_of(TCP80._replace(ports=(0, 65535)))) == [Service(6)]
    assert list(services_of(TCP80._replace(ports=None))) == [Service(6)]


def test_what_follows_a_first_fragment_has_no_icmp_type() -> None:
    ping = Rule("r", "g", True, 4, 1, icmp_type=8)

    assert list(services_of(ping)) == [Service(1, 0, 0, 8, None), Service(1, later=True)]
    assert list(services_of(ping._replace(icmp_type=None))) == [Service(1)]


def test_icmp_of_an_ipv6_rule_is_its_own() -> None:
    rule = Rule("r", "g", True, 6, 1, icmp_type=128)

    assert list(services_of(rule)) == [Service(58, icmp_type=128), Service(58, later=True)]


def test_ports_that_the_switch_can_not_see_let_nothing_pass() -> None:
    assert not list(services_of(Rule("r", "g", True, 4, 33, (80, 80))))
    assert list(services_of(Rule("r", "g", True, 4, 33))) == [Service(33)]


def test_a_rule_about_every_address_is_one_about_anybody() -> None:
    rule = Rule("r", "g", True, 4, remote=prefix("0.0.0.0/0"))
    firewall = Firewall()
    firewall.put(rule)

    (grant,) = firewall.grants_of_groups(["g"], IN4)

    assert grant.remote == ANYBODY
    assert list(services_of(rule)) == [ANYTHING]
    assert firewall.is_open(grant)


def test_every_conjunction_s_parts_name_a_grant_that_is_there() -> None:
    model, _ = host(3, 5, FROM_WEB, FROM_WEB_TOO, TCP80._replace(group_id="db"))
    parts, wholes = set(), set()
    for flow in flows(model):
        for action in flow.instructions.actions:
            if isinstance(action, Conjunction):
                parts.add((flow.table, action.id, action.dimension, action.dimensions))
        if "conj_id" in str(flow.match):
            wholes.add((flow.table, flow.match.terms[0].value))

    assert {(table, number) for table, number, *_ in parts} == wholes
    for table, number in wholes:
        of_it = {each[2:] for each in parts if each[:2] == (table, number)}
        (dimensions,) = {count for _, count in of_it}
        assert {dimension for dimension, _ in of_it} == set(range(dimensions))
