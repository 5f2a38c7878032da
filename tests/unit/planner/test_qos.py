"""QoS policies for hosts: an entry each, wherever their ports are."""

from itertools import permutations

from tests.unit.planner.world import World

from alcor.goal_state.entries import Limit, Network, Port, QosPolicy
from alcor.goal_state.slices import host_port_key, network_key, policy_key, policy_slice
from alcor.intent.records import (
    FloatingIpRecord,
    NetworkRecord,
    PortRecord,
    QosPolicyRecord,
    QosRuleRecord,
    RouterGateway,
    RouterRecord,
)


def policy(id_: str, *rules: QosRuleRecord) -> QosPolicyRecord:
    return QosPolicyRecord(id=id_, project_id="", rules=rules)


def limit(rate: int, burst: int = 0, type_: str = "bandwidth_limit") -> QosRuleRecord:
    return QosRuleRecord(type=type_, direction="egress", rate=rate, burst=burst)


def network(policy_id: str, id_: str = "n") -> NetworkRecord:
    return NetworkRecord(id=id_, project_id="", vni=1, mtu=1450, qos_policy_id=policy_id)


def port(id_: str, host: str, policy_id: str = "", owner: str = "") -> PortRecord:
    return PortRecord(
        id=id_, network_id="n", project_id="", mac_address="fa:16:3e:00:00:01", host=host,
        qos_policy_id=policy_id, device_owner=owner,
    )  # fmt: skip


def planned(*rules: QosRuleRecord) -> QosPolicy:
    world = World()
    world.save(policy("q", *rules))
    entry = world.entry(policy_key("q"))
    assert isinstance(entry, QosPolicy)
    return entry


def test_a_rule_s_change_is_one_entry_however_many_ports_have_the_policy() -> None:
    world = World()
    world.save(network("q"), policy("q", limit(1_000)))
    world.save(*(port(f"p{n}", f"h{n % 3}") for n in range(9)))

    assert world.save(policy("q", limit(2_000))) == [policy_key("q")]
    assert world.save(policy("q", limit(2_000))) == []
    assert world.save(policy("q"), gone=True) == [policy_key("q")]


def test_what_rules_say_is_told_in_the_units_of_meters() -> None:
    assert planned(limit(1_000, 90), limit(2, 3, "packet_rate_limit")).limits == (
        Limit(False, False, 1_000, 90),
        Limit(False, True, 2_000, 3_000),
    )
    assert planned(QosRuleRecord(type="dscp_marking", dscp_mark=0)).dscp == 0
    received = QosRuleRecord(type="minimum_bandwidth", direction="ingress", rate=9)
    assert planned(received, QosRuleRecord(type="minimum_packet_rate", rate=9)) == QosPolicy("q")


def test_a_burst_that_nobody_chose_takes_the_largest_packet() -> None:
    (small,) = planned(limit(10)).limits
    (large,) = planned(limit(1_000_000)).limits

    assert small.burst * 1_000 >= 64 * 1024 * 8
    assert large.burst == 800_000


def test_a_rate_of_zero_is_no_limit() -> None:
    assert planned(limit(0), limit(0, 5, "packet_rate_limit")).limits == ()


def test_no_rate_is_too_large() -> None:
    (most,) = planned(limit((1 << 31) - 1, (1 << 31) - 1, "packet_rate_limit")).limits

    assert most.rate == most.burst == (1 << 32) - 1


def test_ports_and_networks_say_which_policy_they_have() -> None:
    world = World()
    world.save(network("q1"), port("p", "h", "q2"), port("s", "h", owner="network:dhcp"))

    of_network, own = world.entry(network_key("n")), world.entry(host_port_key("h", "p"))
    service = world.entry(host_port_key("h", "s"))
    assert isinstance(of_network, Network)
    assert isinstance(own, Port)
    assert isinstance(service, Port)
    assert (of_network.qos_policy_id, own.qos_policy_id) == ("q1", "q2")
    assert (own.own_qos_only, service.own_qos_only) == (False, True)


def test_a_policy_concerns_the_hosts_of_its_ports_and_of_its_networks() -> None:
    records = (network("q1"), port("a", "h1"), port("b", "h2", "q2"), policy("q1"), policy("q2"))
    for order in permutations(records):
        world = World()
        world.save(*order)
        index = world.planner.index

        assert set(index.hosts_of(policy_slice("q1"))) == {"h1", "h2"}
        assert set(index.hosts_of(policy_slice("q2"))) == {"h2"}
        assert [index.concerns(h, policy_slice("q2")) for h in ("h1", "h2")] == [False, True]
        assert [index.concerns(h, policy_slice("q1")) for h in ("h1", "h3")] == [True, False]
        world.save(network(""), port("b", "h2"))
        assert not index.hosts_of(policy_slice("q1"))
        assert not index.hosts_of(policy_slice("q2"))


def test_a_policy_at_a_gateway_concerns_the_hosts_of_its_router() -> None:
    leg = PortRecord(
        id="leg", network_id="n", project_id="", mac_address="fa:16:3e:00:00:02", device_id="r",
        device_owner="network:router_interface",
    )  # fmt: skip
    gateway = RouterGateway(network_id="x", port_id="gate", qos_policy_id="q1")
    floating = FloatingIpRecord(
        id="f", project_id="", floating_network_id="x", floating_ip_address="203.0.113.9",
        floating_port_id="fp", mac_address="fa:16:3e:00:00:03", router_id="r", port_id="a",
        fixed_ip_address="10.0.0.5", qos_policy_id="q2",
    )  # fmt: skip
    plain = RouterRecord(id="r", project_id="")
    router = RouterRecord(id="r", project_id="", gateway=gateway)
    records = (leg, port("a", "h1"), router, floating)
    for order in permutations(records):
        world = World()
        world.save(network(""), port("b", "h2"), *order)
        index = world.planner.index

        for policy_id in ("q1", "q2"):
            assert set(index.hosts_of(policy_slice(policy_id))) == {"h1", "h2"}
            assert index.concerns("h2", policy_slice(policy_id))
            assert not index.concerns("h3", policy_slice(policy_id))
        world.save(plain)
        world.save(floating, gone=True)
        assert not index.hosts_of(policy_slice("q1"))
        assert not index.hosts_of(policy_slice("q2"))


def test_the_policy_of_an_external_network_concerns_the_hosts_of_routers_that_lead_there() -> None:
    leg = PortRecord(
        id="leg", network_id="n", project_id="", mac_address="fa:16:3e:00:00:02", device_id="r",
        device_owner="network:router_interface",
    )  # fmt: skip
    gate = PortRecord(
        id="gate", network_id="x", project_id="", mac_address="fa:16:3e:00:00:03", device_id="r",
        device_owner="network:router_gateway",
    )  # fmt: skip
    outside = network("q1", "x")
    router = RouterRecord(
        id="r", project_id="", gateway=RouterGateway(network_id="x", port_id="gate")
    )
    for order in permutations((leg, gate, router, outside)):
        world = World()
        world.save(network(""), port("a", "h1"), *order)

        assert set(world.planner.index.hosts_of(policy_slice("q1"))) == {"h1"}
        world.save(network("", "x"))
        assert not world.planner.index.hosts_of(policy_slice("q1"))


def test_hosts_hold_what_a_port_is_guaranteed_to_send() -> None:
    sent = QosRuleRecord(type="minimum_bandwidth", direction="egress", rate=9)
    received = QosRuleRecord(type="minimum_bandwidth", direction="ingress", rate=20)

    assert planned(sent, received) == QosPolicy("q", minimum=9)
