"""Taps for hosts: with the ports that are copied and that get copies, wherever they are."""

from itertools import permutations

import pytest
from tests.unit.planner.world import World

from alcor.goal_state import codec
from alcor.goal_state.entries import GoalEntry, Tap, TapFlow
from alcor.goal_state.slices import tap_flow_key, tap_key
from alcor.intent.records import NodeRecord, PortRecord, Record
from alcor.intent.watching_records import TapFlowRecord, TapServiceRecord
from alcor.values.addresses import address

SERVICE = TapServiceRecord(id="t", project_id="blue", port_id="probe", number=9)
FLOW = TapFlowRecord(
    id="f", project_id="blue", tap_service_id="t", port_id="web", tap_port_id="probe", number=9,
    ingress=True,
)  # fmt: skip
H1, H2, H3 = (NodeRecord(id=f"h{n}", tunnel_ip=f"192.0.2.{n}") for n in (1, 2, 3))


def port(id_: str, host: str, *waiting: str) -> PortRecord:
    return PortRecord(
        id=id_, network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01", host=host,
        waiting_hosts=waiting,
    )  # fmt: skip


def taps(world: World) -> dict[str, GoalEntry]:
    return {k: codec.decode(k, v) for k, v in world.planner.goal.items() if "/tap" in k}


def wanted(source: str, *at: str) -> dict[str, GoalEntry]:
    """The entries of a flow from a port on one host to a tap on others."""
    ends = tuple(address(f"192.0.2.{host[1:]}") for host in at)
    flow = TapFlow("f", source, "web", "probe", 9, ends, ingress=True, egress=False)
    there: dict[str, GoalEntry] = {tap_key(host, "t"): Tap("t", host, "probe", 9) for host in at}
    return there | {tap_flow_key(source, "f"): flow}


ALL: tuple[Record, ...] = (SERVICE, FLOW, port("web", "h1"), port("probe", "h2"), H2)


def test_who_copies_and_who_gets_copies_are_told_whatever_comes_first() -> None:
    for order in permutations(ALL):
        assert taps(World(*order)) == wanted("h1", "h2")


def test_a_tap_that_moves_is_followed_and_while_it_moves_is_on_both_hosts() -> None:
    world = World(*ALL, H1, H3)

    assert world.save(port("probe", "h2", "h3")).count(tap_flow_key("h1", "f")) == 1
    assert taps(world) == wanted("h1", "h2", "h3")
    world.tell(port("probe", "h3"))
    assert taps(world) == wanted("h1", "h3")
    world.tell(port("probe", "h1"))
    assert taps(world) == wanted("h1", "h1")


def test_who_is_copied_may_move_too() -> None:
    world = World(*ALL)
    world.tell(port("web", "h3"))

    assert taps(world) == wanted("h3", "h2")


def test_the_address_of_the_tap_s_host_is_followed() -> None:
    world = World(*ALL)
    world.tell(NodeRecord(id="h2", tunnel_ip="192.0.2.3"))
    entry = world.entry(tap_flow_key("h1", "f"))

    assert isinstance(entry, TapFlow)
    assert entry.endpoints == (address("192.0.2.3"),)
    world.tell(H2, gone=True)
    assert list(taps(world)) == [tap_key("h2", "t")], "nobody knows where to send copies"


@pytest.mark.parametrize("gone", ALL, ids=lambda record: type(record).__name__)
def test_nothing_is_copied_once_one_of_them_has_gone(gone: Record) -> None:
    world = World(*ALL)
    world.tell(gone, gone=True)
    left = {type(entry) for entry in taps(world).values()}

    if not isinstance(gone, TapServiceRecord):  # with which its manager takes its flows
        assert TapFlow not in left
    world.tell(gone)
    assert taps(world) == wanted("h1", "h2")


def test_a_tap_that_is_bound_to_no_host_gets_nothing() -> None:
    world = World(*ALL)
    world.tell(port("probe", ""))

    assert taps(world) == {}


def test_a_port_of_a_network_with_taps_costs_two_entries() -> None:
    world = World(*ALL)

    assert len(world.tell(port("other", "h2"))) == 2
