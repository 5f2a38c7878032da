"""Rules of metering labels for hosts: in the slice of the project whose routers they are about."""

from itertools import permutations

import pytest
from tests.unit.planner.world import World

from alcor.goal_state import codec
from alcor.goal_state.entries import MeteringRule
from alcor.goal_state.slices import EVERYBODY, metering_rule_key, metering_slice
from alcor.intent.records import PortRecord, Record, RouterRecord
from alcor.intent.watching_records import MeteringLabelRecord, MeteringRuleRecord
from alcor.planner.graph import Planner
from alcor.values.addresses import prefix

RULE = MeteringRuleRecord(id="r", label_id="l", ingress=True, source="192.0.2.0/24")
MINE = MeteringLabelRecord(id="l", project_id="blue")
SHARED = MeteringLabelRecord(id="l", project_id="blue", shared=True)
ROUTER = RouterRecord(id="r1", project_id="blue")
FACE = PortRecord(
    id="f", network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01", device_id="r1",
    device_owner="network:router_interface",
)  # fmt: skip
MACHINE = PortRecord(
    id="p", network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:02", host="h1"
)


def planned(*records: Record, gone: tuple[Record, ...] = ()) -> Planner:
    world = World(*records)
    world.tell(*gone, gone=True)
    return world.planner


@pytest.mark.parametrize(("label", "owner"), [(MINE, "blue"), (SHARED, EVERYBODY)])
def test_a_rule_is_an_entry_of_whom_its_label_is_about_whichever_came_first(
    label: MeteringLabelRecord, owner: str
) -> None:
    name = metering_rule_key(owner, "r")
    wanted = MeteringRule("r", "l", owner, True, False, prefix("192.0.2.0/24"), None)

    for order in permutations((RULE, label)):
        assert planned(*order).goal == {name: codec.encode(name, wanted)}


def test_rules_go_with_their_label_and_by_themselves_in_either_order() -> None:
    for order in permutations((RULE, MINE)):
        assert planned(RULE, MINE, gone=order).goal == {}
    assert planned(RULE, MINE, gone=(MINE,)).goal == {}


def test_a_slice_concerns_the_hosts_behind_the_routers_it_is_about() -> None:
    index = planned(ROUTER, FACE, MACHINE, RULE, MINE).index

    for owner in ("blue", EVERYBODY):
        assert set(index.hosts_of(metering_slice(owner))) == {"h1"}
        assert index.concerns("h1", metering_slice(owner))
        assert not index.concerns("h2", metering_slice(owner))
    assert not index.concerns("h1", metering_slice("red"))
