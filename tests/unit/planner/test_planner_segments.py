"""A further segment of a network is a network of its own to hosts."""

from itertools import permutations
from typing import Any

import pytest

from alcor.goal_state import codec
from alcor.goal_state.entries import Neighbour, Network, Port, Subnet
from alcor.goal_state.slices import host_port_key, neighbour_key, network_key, subnet_key
from alcor.intent import records
from alcor.intent.records import FixedIp, NetworkRecord, NodeRecord, PortRecord, SegmentRecord
from alcor.planner.graph import IntentChange, Planner

N, S = "n1", "s2"
NETWORK = NetworkRecord(id=N, project_id="p", vni=1, mtu=1450, network_type="flat",
                        physical_network="rack1")  # fmt: skip
FURTHER = NetworkRecord(id=S, project_id="p", vni=2, mtu=1450, network_type="vlan",
                        physical_network="rack2", segmentation_id=7)  # fmt: skip
SEGMENT = SegmentRecord(id=S, network_id=N, network=FURTHER)
SUBNET = records.SubnetRecord(id="sub", network_id=N, project_id="p", ip_version=4,
                              cidr="10.2.0.0/24", segment_id=S)  # fmt: skip


def port(segment_id: str = S, **more: Any) -> PortRecord:
    return PortRecord(
        id="p1", network_id=N, project_id="p", mac_address="fa:16:3e:00:00:01", host="h1",
        fixed_ips=(FixedIp("sub", "10.2.0.5"),), segment_id=segment_id, **more,
    )  # fmt: skip


RECORDS = {
    "network/n1": NETWORK,
    "segment/s2": SEGMENT,
    "subnet/sub": SUBNET,
    "port/p1": port(),
    "node/h1": NodeRecord(id="h1", tunnel_ip="192.0.2.1"),
}


def planned(*keys: str) -> Planner:
    planner = Planner()
    for key in keys or RECORDS:
        planner.apply(IntentChange(key, RECORDS[key], 1))
    return planner


def entry(planner: Planner, key: str) -> Any:
    return codec.decode(key, planner.goal[key])


def test_ports_and_subnets_of_a_further_segment_are_on_it_alone() -> None:
    planner = planned()

    wire = entry(planner, network_key(S))
    assert isinstance(wire, Network)
    assert (wire.vni, wire.physical_network, wire.vlan) == (2, "rack2", 7)
    assert entry(planner, network_key(N)).physical_network == "rack1"
    assert isinstance(entry(planner, subnet_key(S, "sub")), Subnet)
    assert isinstance(entry(planner, neighbour_key(S, "p1")), Neighbour)
    here = entry(planner, host_port_key("h1", "p1"))
    assert isinstance(here, Port)
    assert here.network_id == S
    assert neighbour_key(N, "p1") not in planner.goal
    assert list(planner.index.hosts_on(S)) == ["h1"]
    assert not planner.index.hosts_on(N)


def test_the_order_of_records_does_not_count() -> None:
    goals = [planned(*keys).goal for keys in permutations(RECORDS)]

    assert all(goal == goals[0] for goal in goals)


@pytest.mark.parametrize("moved", [port(""), port("s3")])
def test_a_port_that_leaves_its_segment_leaves_nothing_there(moved: PortRecord) -> None:
    planner = planned()
    on = moved.segment_id or N

    changes = planner.apply(IntentChange("port/p1", moved, 2))

    assert neighbour_key(S, "p1") not in planner.goal
    assert entry(planner, neighbour_key(on, "p1")).network_id == on
    assert entry(planner, host_port_key("h1", "p1")).network_id == on
    assert len({each.key for each in changes}) == len(changes)
    afresh = Planner()
    for key, record in {**RECORDS, "port/p1": moved}.items():
        afresh.apply(IntentChange(key, record, 1))
    assert planner.goal == afresh.goal
    assert planner.index.hosts_on(on)
    assert not planner.index.hosts_on(S)


def test_a_segment_that_goes_is_gone_from_hosts() -> None:
    planner = planned()

    planner.apply(IntentChange("segment/s2", None, 2))

    assert network_key(S) not in planner.goal
    assert network_key(N) in planner.goal


def test_a_complete_snapshot_keeps_the_segments_that_it_names() -> None:
    planner = planned()

    assert planner.surplus(set(RECORDS)) == []
    (gone,) = planner.surplus(set(RECORDS) - {"segment/s2"})
    planner.apply(gone)
    assert network_key(S) not in planner.goal
