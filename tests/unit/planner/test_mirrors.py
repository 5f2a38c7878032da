"""Mirrors for hosts: with the port, on every host that knows it."""

from itertools import permutations

import pytest

from alcor.goal_state import codec
from alcor.goal_state.entries import GoalEntry, Mirror
from alcor.goal_state.slices import mirror_key
from alcor.intent.records import PortRecord, Record, key
from alcor.intent.watching_records import TapMirrorRecord
from alcor.planner.graph import IntentChange, Planner
from alcor.values.addresses import address

TAP = TapMirrorRecord(id="m", project_id="blue", port_id="p", remote_ip="192.0.2.9", in_tunnel=0)


def port(host: str, *waiting: str) -> PortRecord:
    return PortRecord(
        id="p", network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01", host=host,
        waiting_hosts=waiting,
    )  # fmt: skip


def planned(*records: Record, gone: tuple[Record, ...] = ()) -> dict[str, GoalEntry]:
    """The mirrors of goal state after these records came, and some went."""
    planner = Planner()
    changes = [(record, True) for record in records] + [(record, False) for record in gone]
    for revision, (record, is_there) in enumerate(changes, 1):
        name = key("port" if isinstance(record, PortRecord) else "tap_mirror", record.id)
        planner.apply(IntentChange(name, record if is_there else None, revision))
    return {k: codec.decode(k, v) for k, v in planner.goal.items() if "/mirror/" in k}


def wanted(*hosts: str) -> dict[str, GoalEntry]:
    remote = address("192.0.2.9")
    return {mirror_key(host, "m"): Mirror("m", host, "p", remote, ingress=0) for host in hosts}


def test_a_mirror_goes_where_its_port_goes() -> None:
    for order in permutations((port("h1", "h2"), TAP)):
        assert planned(*order) == wanted("h1", "h2")
    assert planned(port("h1"), TAP, port("h3")) == wanted("h3")
    assert planned(port(""), TAP) == {}


def test_a_mirror_goes_by_itself_and_with_its_port() -> None:
    for order in permutations((port("h1"), TAP)):
        assert planned(port("h1"), TAP, gone=order[:1]) == {}
        assert planned(port("h1"), TAP, gone=order) == {}


def test_a_mirror_to_no_address_is_refused() -> None:
    broken = TapMirrorRecord(id="m", project_id="blue", port_id="p", remote_ip="there")

    with pytest.raises(ValueError, match="there"):
        planned(port("h1"), broken)
