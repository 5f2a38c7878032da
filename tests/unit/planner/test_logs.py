"""Logs for hosts: of a port where it is, of a group and of a project with the groups."""

from itertools import permutations

import pytest
from msgspec import structs
from tests.unit.planner.world import World

from alcor.goal_state import codec
from alcor.goal_state.entries import AclLog, GoalEntry, GroupLog, PortLog
from alcor.goal_state.slices import acl_log_key, group_log_key, host_log_key
from alcor.intent.records import GroupRecord, PortRecord, Record
from alcor.intent.watching_records import LogRecord

PORT = PortRecord(
    id="p", network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01", host="h1",
    waiting_hosts=("h2",), security_groups=("g",),
)  # fmt: skip
MOVED = PortRecord(
    id="p", network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01", host="h3"
)
GROUPS = [GroupRecord(id=id_, project_id="blue") for id_ in ("g", "h")]
OTHER = GroupRecord(id="o", project_id="red")
OF_PORT = LogRecord(id="l", project_id="ops", port_id="p", group_id="g", dropped=True)
OF_GROUP = LogRecord(id="l", project_id="ops", group_id="g", accepted=True)
OF_ACL = LogRecord(id="l", project_id="blue", acl_id="c", dropped=True)
OF_PROJECT = LogRecord(id="l", project_id="blue", accepted=True, dropped=True)


def planned(*records: Record, gone: tuple[Record, ...] = ()) -> dict[str, GoalEntry]:
    """The logs of goal state after these records came, and some went."""
    world = World(*records)
    world.tell(*gone, gone=True)
    return {k: codec.decode(k, v) for k, v in world.planner.goal.items() if "/log/" in k}


def test_a_log_of_a_port_is_an_entry_of_every_host_that_knows_it() -> None:
    for order in permutations((PORT, OF_PORT)):
        assert planned(*order) == {
            host_log_key(host, "l"): PortLog("l", host, "p", "g", dropped=True)
            for host in ("h1", "h2")
        }
    assert planned(PORT, OF_PORT, MOVED) == {
        host_log_key("h3", "l"): PortLog("l", "h3", "p", "g", dropped=True)
    }


def test_a_log_of_a_group_is_an_entry_of_the_group() -> None:
    wanted = {group_log_key("g", "l"): GroupLog("l", "g", accepted=True)}

    assert planned(OF_GROUP) == planned(GROUPS[0], OF_GROUP) == wanted


def test_a_log_of_a_project_is_an_entry_of_each_of_its_groups() -> None:
    for order in permutations((*GROUPS, OTHER, OF_PROJECT)):
        assert planned(*order) == {
            group_log_key(id_, "l"): GroupLog("l", id_, accepted=True, dropped=True)
            for id_ in ("g", "h")
        }
    assert planned(*GROUPS, OF_PROJECT, gone=(GROUPS[0],)).keys() == {group_log_key("h", "l")}


def test_a_log_of_a_network_acl_is_an_entry_of_the_acl_alone() -> None:
    wanted = {acl_log_key("c", "l"): AclLog("l", "c", dropped=True)}

    assert planned(OF_ACL) == planned(*GROUPS, OF_ACL) == planned(OF_ACL, *GROUPS) == wanted


@pytest.mark.parametrize("log", [OF_PORT, OF_GROUP, OF_PROJECT, OF_ACL])
def test_what_is_off_or_gone_is_nowhere(log: LogRecord) -> None:
    off = structs.replace(log, accepted=False, dropped=False)
    everything = (PORT, *GROUPS, log)

    assert planned(*everything)
    assert planned(*everything, off) == {}
    for order in permutations((log, PORT)):
        assert planned(*everything, gone=order) == {}
