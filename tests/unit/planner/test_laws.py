"""Whatever the order of changes, goal state is what the living records say, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planner.world import key_of

from alcor.goal_state.codec import decode
from alcor.goal_state.entries import Network
from alcor.goal_state.slices import neighbour_key, network_slice
from alcor.intent.records import (
    FixedIp,
    NetworkRecord,
    NodeRecord,
    PortRecord,
    Record,
    SubnetPoolRecord,
    SubnetRecord,
)
from alcor.intent.watching_records import TapFlowRecord, TapMirrorRecord, TapServiceRecord
from alcor.planner.graph import IntentChange, Planner

HOSTS, NETWORKS = ("h1", "h2", "h3"), ("n1", "n2")

numbers = st.integers(1, 4)
nodes = st.builds(NodeRecord, id=st.sampled_from(HOSTS), tunnel_ip=numbers.map("192.0.2.{}".format))
networks = st.builds(
    NetworkRecord, id=st.sampled_from(NETWORKS), project_id=st.just(""), vni=numbers, mtu=numbers
)
subnets = st.builds(
    SubnetRecord,
    id=st.sampled_from(["s1", "s2"]),
    network_id=st.sampled_from(NETWORKS),
    project_id=st.just(""),
    ip_version=st.just(4),
    cidr=numbers.map("10.0.{}.0/24".format),
    subnetpool_id=st.sampled_from(["", "b1", "b2"]),
)
pools = st.builds(
    SubnetPoolRecord,
    id=st.sampled_from(["b1", "b2"]),
    project_id=st.just(""),
    ip_version=st.just(4),
    prefixes=st.just(("10.0.0.0/8",)),
    address_scope_id=st.sampled_from(["", "a", "b"]),
)
bindings = st.lists(st.sampled_from(["", *HOSTS]), min_size=1, max_size=3, unique=True).map(
    lambda hosts: (hosts[0], tuple(filter(None, hosts[1:])))
)
ports = st.builds(  # each of one network, for as long as it lives
    lambda bound, network_id, number, **fields: PortRecord(
        id=f"{network_id}-p{number}",
        network_id=network_id,
        host=bound[0],
        waiting_hosts=bound[1],
        **fields,
    ),
    bindings,
    network_id=st.sampled_from(NETWORKS),
    number=st.integers(1, 2),
    project_id=st.just(""),
    mac_address=numbers.map("fa:16:3e:00:00:0{}".format),
    fixed_ips=st.lists(numbers.map(lambda n: FixedIp("s1", f"10.0.0.{n}")), max_size=2).map(tuple),
)
PORTS = ("n1-p1", "n1-p2", "n2-p1")
mirrors = st.builds(
    TapMirrorRecord,
    id=st.just("m"),
    project_id=st.just(""),
    port_id=st.sampled_from(PORTS),
    remote_ip=st.just("192.0.2.9"),
    in_tunnel=numbers,
)
taps = st.builds(
    TapServiceRecord,
    id=st.sampled_from(["t1", "t2"]),
    project_id=st.just(""),
    port_id=st.sampled_from(PORTS),
    number=numbers,
)
tap_flows = st.builds(
    TapFlowRecord,
    id=st.sampled_from(["f1", "f2"]),
    project_id=st.just(""),
    tap_service_id=st.just("t1"),
    port_id=st.sampled_from(PORTS),
    tap_port_id=st.sampled_from(PORTS),
    number=numbers,
    ingress=st.booleans(),
    egress=st.booleans(),
)
watching = st.one_of(mirrors, taps, tap_flows, tap_flows)
records = st.one_of(nodes, networks, subnets, pools, ports, ports, watching)
histories = st.lists(st.tuples(records, st.booleans()), max_size=30)


def placed(id_: str, host: str) -> PortRecord:
    return PortRecord(
        id=id_, network_id=id_[:2], project_id="", mac_address="fa:16:3e:00:00:01", host=host
    )


def changes_of(history: list[tuple[Record, bool]]) -> list[IntentChange]:
    """Each record saved, or (when marked) deleted, one after the other."""
    return [
        IntentChange(key_of(record), None if gone else record, revision)
        for revision, (record, gone) in enumerate(history, start=1)
    ]


def living(changes: list[IntentChange]) -> list[IntentChange]:
    last = {change.key: change for change in changes}
    return [change for change in last.values() if change.record is not None]


def planned(changes: list[IntentChange]) -> dict[str, bytes]:
    """What a host would hold that is told every change that the planner emits."""
    planner, told = Planner(lazy_above=1), dict[str, bytes]()
    for change in changes:
        for key_, value in planner.apply(change):
            assert told.get(key_) != value, "what doesn't differ is not told"
            if value is None:
                del told[key_]
            else:
                told[key_] = value
    assert told == dict(planner.goal)
    return told


@given(histories)
def test_incremental_is_recompute(history: list[tuple[Record, bool]]) -> None:
    changes = changes_of(history)

    assert planned(changes) == planned(living(changes))


@given(
    st.lists(st.tuples(watching, st.just(False)), min_size=2, max_size=4),
    st.lists(st.tuples(st.one_of(ports, ports, nodes, watching), st.booleans()), max_size=8),
)
def test_incremental_is_recompute_of_what_is_watched(
    watched: list[tuple[Record, bool]], history: list[tuple[Record, bool]]
) -> None:
    here: list[Record] = [NodeRecord(id=host, tunnel_ip="192.0.2.9") for host in HOSTS]
    here += [placed(id_, "h1") for id_ in PORTS]
    changes = changes_of([*((record, False) for record in here), *watched, *history])

    assert planned(changes) == planned(living(changes))


@given(histories, st.data())
def test_the_order_in_which_records_come_does_not_matter(
    history: list[tuple[Record, bool]], data: st.DataObject
) -> None:
    records = living(changes_of(history))

    assert planned(data.draw(st.permutations(records))) == planned(records)


@given(histories, histories)
def test_a_snapshot_replaces_what_was_held(
    before: list[tuple[Record, bool]], after: list[tuple[Record, bool]]
) -> None:
    planner = Planner(lazy_above=1)
    for change in changes_of(before):
        planner.apply(change)
    wanted = [change._replace(revision=1_000) for change in living(changes_of(after))]

    for change in [*planner.surplus({change.key for change in wanted}), *wanted]:
        planner.apply(change)

    assert dict(planner.goal) == planned(wanted)


@given(histories)
def test_the_index_knows_the_bound_ports_of_hosts_and_networks(
    history: list[tuple[Record, bool]],
) -> None:
    planner = Planner()
    for change in changes_of(history):
        planner.apply(change)

    bound = [
        port
        for change in living(changes_of(history))
        if isinstance(port := change.record, PortRecord) and port.host
    ]
    for host in HOSTS:
        expected = {port.id for port in bound if host in port.hosts}
        assert {port.id for port in planner.index.ports_on(host)} == expected
    for network in NETWORKS:
        hosts = {host for port in bound if port.network_id == network for host in port.hosts}
        assert set(planner.index.hosts_on(network)) == hosts
        assert set(planner.index.hosts_of(network_slice(network))) == hosts


def port(number: int, host: str = "h1", ip: str = "10.0.0.1") -> PortRecord:
    return PortRecord(
        id=f"p{number}",
        network_id="n1",
        project_id="",
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(FixedIp("s1", ip),),
        host=host,
    )


def test_a_port_costs_two_entries_whatever_the_size_of_its_network() -> None:
    planner = Planner()
    planner.apply(IntentChange("node/h1", NodeRecord(id="h1", tunnel_ip="192.0.2.1"), 1))
    for number in range(1_000):
        planner.apply(IntentChange(f"port/p{number}", port(number), 2))

    assert len(planner.apply(IntentChange("port/p1000", port(1_000), 3))) == 2


def test_a_network_is_held_lazily_while_it_has_more_ports_than_that() -> None:
    planner = Planner(lazy_above=2)
    for number, host in enumerate(("h1", "h2")):
        node = NodeRecord(id=host, tunnel_ip=f"192.0.2.{number}")
        planner.apply(IntentChange(f"node/{host}", node, 1))
    network = NetworkRecord(id="n1", project_id="", vni=7, mtu=1450)
    planner.apply(IntentChange("network/n1", network, 1))
    planner.apply(IntentChange("port/p1", port(1), 1))
    planner.apply(IntentChange("port/p2", port(2), 1))

    grown = planner.apply(IntentChange("port/p3", port(3, "h2"), 1))
    more = planner.apply(IntentChange("port/p4", port(4, "h2"), 1))
    planner.apply(IntentChange("port/p4", None, 2))
    shrunk = planner.apply(IntentChange("port/p3", None, 2))

    assert {change.key for change in grown} == {
        "host/h2/port/p3",
        "network/n1/neighbour/p3",
        "network/n1/network",
        "reach/n1/host/h1",
        "reach/n1/host/h2",
    }
    assert {change.key for change in more} == {"host/h2/port/p4", "network/n1/neighbour/p4"}
    assert {change.key for change in shrunk if change.value is None} == {
        "host/h2/port/p3",
        "network/n1/neighbour/p3",
        "reach/n1/host/h1",
        "reach/n1/host/h2",
    }
    for changes, lazy in ((grown, True), (shrunk, False)):
        (value,) = (change.value for change in changes if change.key == "network/n1/network")
        assert value is not None
        entry = decode("network/n1/network", value)
        assert isinstance(entry, Network)
        assert entry.lazy == lazy


def test_an_older_revision_changes_nothing() -> None:
    planner = Planner()
    planner.apply(IntentChange("port/p1", port(1, "h2"), 5))

    assert planner.apply(IntentChange("port/p1", port(1, "h1"), 5)) == []
    assert planner.apply(IntentChange("port/p1", None, 4)) == []
    assert list(planner.goal) == ["host/h2/port/p1"]


@pytest.mark.parametrize(
    "poison",
    [
        IntentChange("port/p1", port(1, ip="10.0.0.999"), 9),
        IntentChange("node/h1", NodeRecord(id="h1", tunnel_ip="nowhere"), 9),
    ],
)
def test_a_record_that_cannot_be_planned_changes_nothing(poison: IntentChange) -> None:
    planner = Planner()
    planner.apply(IntentChange("node/h1", NodeRecord(id="h1", tunnel_ip="192.0.2.1"), 1))
    planner.apply(IntentChange("port/p1", port(1), 2))
    before = dict(planner.goal)

    with pytest.raises(ValueError, match="not a valid"):
        planner.apply(poison)

    assert dict(planner.goal) == before
    assert neighbour_key("n1", "p1") in before
