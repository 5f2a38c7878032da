"""Slices: complete or kept, newest wins, closed over what ports lead to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from alcor.agent.desired.desired import Desired, Subscription
from alcor.agent.desired.held_slice import tombstones_max
from alcor.agent.desired.state import SavedEntry
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import (
    Attachment,
    GoalEntry,
    Name,
    Network,
    Port,
    Presence,
    RouterInterface,
    Rule,
    WayOut,
)
from alcor.goal_state.slices import (
    attachment_key,
    exit_key,
    host_port_key,
    interface_key,
    name_key,
    network_key,
    reach_key,
    reach_slice,
    rule_key,
)
from alcor.transport.link import Frame, Item
from alcor.values.addresses import Mac, address

OWN, N1, N2 = "host/h1/", "network/n1/", "network/n2/"
PORT = Port("p1", "n1", Mac(0x020000000001), (), True, True, "", "")
NETWORK = Network("n1", 7, 1450, True, "")


def item(entry: Port | Network, revision: int, *, gone: bool = False) -> Item:
    key = host_port_key("h1", entry.id) if isinstance(entry, Port) else network_key(entry.id)
    return Item(key, None if gone else encode(key, entry), revision, f"r{revision}")


def snapshot(epoch: int, position: int, name: str, *items: Item) -> Frame:
    return Frame(epoch, position, items, begins=(name,), completes=(name,))


def settled() -> Desired:
    desired = Desired("h1")
    desired.take(snapshot(1, 10, OWN, item(PORT, 1)))
    desired.take(snapshot(1, 10, N1, item(NETWORK, 2)))
    return desired


def test_a_port_leads_to_its_network() -> None:
    desired = Desired("h1")

    taken = desired.take(snapshot(1, 10, OWN, item(PORT, 1)))

    assert taken.put == [PORT]
    assert taken.subscribe == [Subscription(N1, 0, 0)]
    assert not desired.settled


def rule(remote: str, revision: int, *, gone: bool = False) -> Item:
    key = rule_key("g", "r")
    entry = Rule("r", "g", True, 4, remote_group_id=remote)
    return Item(key, None if gone else encode(key, entry), revision, f"r{revision}")


def test_a_port_leads_to_its_groups_and_their_rules_to_remotes() -> None:
    desired = settled()

    grouped = PORT._replace(security_groups=("g",), filtered=True)
    to_group = desired.take(Frame(1, 11, (item(grouped, 3),)))
    to_remote = desired.take(snapshot(1, 11, "group/g/", rule("far", 4)))

    assert to_group.subscribe == [Subscription("group/g/", 0, 0)]
    assert to_remote.subscribe == [Subscription("members/far/", 0, 0)]
    assert not desired.settled
    without_rule = desired.take(Frame(1, 12, (rule("far", 5, gone=True),)))
    assert without_rule.unsubscribe == ["members/far/"]
    assert desired.settled


def test_a_remote_that_was_refused_is_asked_for_again_when_its_rule_moves() -> None:
    desired = settled()
    grouped = PORT._replace(security_groups=("g",), filtered=True)
    desired.take(Frame(1, 11, (item(grouped, 3),)))
    desired.take(snapshot(1, 11, "group/g/", rule("far", 4)))

    desired.take(Frame(1, 11, (), refused=("members/far/",)))
    taken = desired.take(Frame(1, 12, (rule("far", 5),)))

    assert [each.name for each in taken.subscribe] == ["members/far/"]


def attached(router: str, revision: int, *, gone: bool = False) -> Item:
    key, entry = attachment_key("n1", "i1"), Attachment("i1", "n1", router)
    return Item(key, None if gone else encode(key, entry), revision, f"r{revision}")


def joins(network: str, revision: int) -> Item:
    port_id = f"to-{network}"
    key = interface_key("r", port_id)
    entry = RouterInterface(port_id, "r", network, Mac(1), ())
    return Item(key, encode(key, entry), revision, f"r{revision}")


def test_a_network_leads_to_its_routers_and_they_to_the_networks_that_they_join() -> None:
    desired = settled()

    to_router = desired.take(Frame(1, 11, (attached("r", 3),)))
    to_network = desired.take(snapshot(1, 11, "router/r/", joins("n1", 4), joins("n2", 5)))

    assert to_router.subscribe == [Subscription("router/r/", 0, 0)]
    assert to_network.subscribe == [Subscription(N2, 0, 0)]
    detached = desired.take(Frame(1, 12, (attached("r", 6, gone=True),)))
    assert detached.unsubscribe == [N2, "router/r/"]
    assert [type(each) for each in detached.gone] == [
        Attachment,
        RouterInterface,
        RouterInterface,
    ]
    assert desired.settled


def test_an_exit_leads_to_its_router_without_a_port_there() -> None:
    desired, key = settled(), exit_key("h1", "r")
    leaves = Item(key, encode(key, WayOut("h1", "r")), 3, "")

    taken = desired.take(Frame(1, 11, (leaves,)))

    assert taken.subscribe == [Subscription("router/r/", 0, 0)]
    moved = desired.take(Frame(1, 12, (leaves._replace(value=None, revision=4),)))
    assert moved.unsubscribe == ["router/r/"]


def test_all_is_settled_when_every_wanted_slice_is_complete() -> None:
    desired = settled()

    assert desired.settled
    assert (desired.epoch, desired.position) == (1, 10)


def test_a_network_that_no_port_leads_to_is_dropped() -> None:
    desired = settled()

    taken = desired.take(Frame(1, 11, (item(PORT, 3, gone=True),)))

    assert taken.gone == [PORT, NETWORK]
    assert taken.unsubscribe == [N1]


def test_what_is_older_than_what_is_held_is_dropped() -> None:
    desired = settled()
    newer = PORT._replace(name="new")

    desired.take(Frame(1, 11, (item(newer, 5),)))
    taken = desired.take(Frame(1, 11, (item(PORT, 4),)))

    assert not taken.put


def test_what_is_gone_does_not_come_back_by_an_old_frame() -> None:
    desired = settled()
    old = Frame(1, 10, (item(NETWORK._replace(mtu=1400), 3),))

    desired.take(old)
    desired.take(Frame(1, 11, (item(NETWORK, 4, gone=True),)))
    taken = desired.take(old)

    assert not taken.put


def test_half_a_snapshot_changes_nothing() -> None:
    desired = settled()

    taken = desired.take(Frame(1, 12, (), begins=(OWN,)))

    assert not taken.gone
    assert not taken.put


def test_absence_from_a_complete_snapshot_is_deletion() -> None:
    desired = settled()

    desired.take(Frame(1, 12, (), begins=(OWN,)))
    taken = desired.take(Frame(1, 12, (), completes=(OWN,)))

    assert PORT in taken.gone


def test_a_snapshot_cut_off_is_forgotten() -> None:
    desired = settled()
    other = PORT._replace(id="p2", network_id="n2")

    desired.take(Frame(1, 12, (item(other, 9),), begins=(OWN,)))
    desired.lose_connection()
    taken = desired.take(Frame(1, 12, (), completes=(OWN,)))

    assert not taken.gone
    assert not taken.put
    assert not desired.settled


def test_a_lost_connection_keeps_everything_and_resumes_where_it_was() -> None:
    desired = settled()
    desired.take(Frame(1, 15))

    desired.lose_connection()

    assert not desired.settled
    assert desired.subscriptions() == [Subscription(OWN, 1, 15), Subscription(N1, 1, 15)]
    assert not desired.take(Frame(1, 16, resumes=(OWN, N1))).gone
    assert desired.settled


def test_a_new_epoch_replaces_only_by_complete_snapshots() -> None:
    desired = settled()
    desired.lose_connection()

    loose = desired.take(Frame(2, 1, (item(PORT._replace(name="new"), 99),)))
    replaced = desired.take(snapshot(2, 2, OWN, item(PORT._replace(name="newer"), 1)))

    assert not loose.put
    assert loose.faults
    assert replaced.put == [PORT._replace(name="newer")]
    assert not replaced.gone
    assert not desired.settled  # its network is still of the epoch before


def test_how_far_it_is_grows_within_an_epoch_and_begins_anew_with_the_next() -> None:
    desired = settled()

    reached = []
    for epoch, position in ((1, 20), (1, 15), (2, 5), (2, 4), (2, 6)):
        desired.take(Frame(epoch, position))
        reached.append((desired.epoch, desired.position))

    assert reached == [(1, 20), (1, 20), (2, 5), (2, 5), (2, 6)]


def test_a_snapshot_that_comes_twice_does_not_undo_what_came_since() -> None:
    desired = settled()
    old = snapshot(1, 10, OWN, item(PORT, 1))
    other = PORT._replace(id="p2")

    desired.take(Frame(1, 11, (item(other, 6),)))
    desired.take(snapshot(1, 11, OWN, item(PORT, 1), item(other, 6)))
    taken = desired.take(old)

    assert not taken.gone


def test_what_a_slice_missed_while_it_was_withdrawn_is_asked_for() -> None:
    desired = settled()
    desired.take(Frame(1, 20))
    desired.take(Frame(1, 30, refused=(N1,)))
    desired.take(Frame(1, 40))

    taken = desired.take(Frame(1, 50, (item(PORT._replace(name="again"), 50),)))

    assert taken.subscribe == [Subscription(N1, 1, 20)]
    assert not desired.settled
    desired.lose_connection()
    assert Subscription(N1, 1, 20) in desired.subscriptions()


def test_a_refused_slice_is_asked_for_again_when_the_hosts_slice_moves() -> None:
    desired = Desired("h1")
    desired.take(snapshot(1, 10, OWN, item(PORT, 1)))

    refused = desired.take(Frame(1, 11, refused=(N1,)))
    again = desired.take(Frame(1, 12, (item(PORT._replace(name="new"), 2),)))

    assert not refused.subscribe
    assert not refused.faults
    assert again.subscribe == [Subscription(N1, 0, 0)]


NEXT = PORT._replace(id="p2")


def test_a_network_withdrawn_with_a_port_is_asked_for_when_the_next_came_with_that() -> None:
    desired = settled()
    desired.take(Frame(1, 20))

    moved = (item(PORT, 30, gone=True), item(NEXT, 31))
    taken = desired.take(Frame(1, 31, moved, refused=(N1,)))

    assert taken.subscribe == [Subscription(N1, 1, 20)]
    assert (desired.refused, desired.settled) == ([], False)


def test_a_host_refused_a_network_with_the_port_that_leads_to_it_is_done_again() -> None:
    desired = Desired("h1")
    desired.take(snapshot(1, 10, OWN, item(PORT, 1)))
    desired.take(Frame(1, 12, (item(PORT, 2, gone=True), item(NEXT, 3)), refused=(N1,)))

    desired.take(snapshot(1, 13, N1, item(NETWORK, 2)))

    assert desired.settled
    assert desired.refused == []


def test_what_is_not_wanted_any_more_is_not_asked_for_again() -> None:
    desired = settled()
    desired.take(Frame(1, 30, refused=(N1,)))

    taken = desired.take(Frame(1, 40, (item(PORT, 40, gone=True),)))

    assert (taken.subscribe, taken.unsubscribe) == ([], [N1])


def test_a_slice_that_comes_after_a_refusal_is_refused_no_more() -> None:
    desired = settled()
    desired.take(Frame(1, 30, refused=(N1,)))

    desired.take(snapshot(1, 31, N1, item(NETWORK, 2)))
    desired.take(Frame(1, 40))

    assert desired.refused == []
    assert Subscription(N1, 1, 40) in desired.subscriptions()


def test_a_slice_is_refused_until_it_is_asked_for_again_or_not_wanted() -> None:
    desired = settled()
    desired.take(Frame(1, 30, refused=(N1,)))
    assert desired.refused == [N1]

    desired.take(Frame(1, 40, (item(PORT._replace(name="again"), 40),)))
    assert desired.refused == []

    desired.take(Frame(1, 50, refused=(N1,)))
    desired.take(Frame(1, 60, (item(PORT, 60, gone=True),)))
    assert desired.refused == []


def test_an_unreadable_entry_is_named_and_the_old_one_kept() -> None:
    desired = settled()

    taken = desired.take(Frame(1, 11, (Item(network_key("n1"), b"\xff\xff", 9, ""),)))

    assert taken.faults
    assert not taken.gone


def test_an_unreadable_entry_of_a_snapshot_is_not_a_missing_one() -> None:
    desired = settled()
    unreadable = Item(network_key("n1"), b"\xff\xff", 9, "")

    taken = desired.take(snapshot(1, 12, N1, unreadable))

    assert taken.faults
    assert not taken.gone


UNKNOWN = Item(f"{N1}weather/w1", b"of a later release", 9, "")


@pytest.mark.parametrize(
    ("frame", "position"), [(Frame(1, 21, (UNKNOWN,)), 20), (snapshot(1, 21, N1, UNKNOWN), 0)]
)
def test_what_a_later_release_can_read_is_asked_for_again_once_it_runs(
    frame: Frame, position: int
) -> None:
    desired = settled()
    desired.take(Frame(1, 20))
    desired.take(frame)
    desired.take(Frame(1, 30, (item(PORT, 12),)))
    again = Desired("h1")

    again.restore(desired.saved())

    assert Subscription(N1, 1, position) in again.subscriptions()
    assert Subscription(OWN, 1, 30) in again.subscriptions()


def test_what_this_release_can_t_read_of_its_disk_is_asked_for_again_by_the_next() -> None:
    saved = settled().saved()
    unknown = SavedEntry(UNKNOWN.key, b"of a later release", 9)
    newer = [
        structs.replace(each, entries=[*each.entries, unknown]) if each.name == N1 else each
        for each in saved.slices
    ]
    older, again = Desired("h1"), Desired("h1")

    taken = older.restore(structs.replace(saved, slices=newer))
    again.restore(older.saved())

    assert NETWORK in taken.put
    assert Subscription(N1, 1, 0) in again.subscriptions()


def test_a_snapshot_that_is_readable_leaves_nothing_to_ask_for() -> None:
    desired = settled()
    desired.take(Frame(1, 21, (UNKNOWN,)))
    desired.take(snapshot(1, 22, N1, item(NETWORK, 2)))
    again = Desired("h1")

    again.restore(desired.saved())

    assert Subscription(N1, 1, 22) in again.subscriptions()


def test_tombstones_are_bounded() -> None:
    desired = settled()
    for number in range(tombstones_max + 50):
        other = PORT._replace(id=f"q{number}")
        desired.take(Frame(1, 12, (item(other, 10), item(other, 11, gone=True))))

    held = desired.saved().slices[0]
    assert len(held.entries) == 1
    late = PORT._replace(id=f"q{tombstones_max + 49}")
    assert not desired.take(Frame(1, 12, (item(late, 10),))).put


def test_what_is_saved_is_restored_and_resumed() -> None:
    desired = settled()
    desired.take(Frame(1, 20))
    again = Desired("h1")

    taken = again.restore(desired.saved())

    assert set(taken.put) == {PORT, NETWORK}
    assert again.subscriptions() == [Subscription(OWN, 1, 20), Subscription(N1, 1, 20)]
    assert not again.settled


def test_another_hosts_memory_is_not_taken() -> None:
    taken = Desired("h2").restore(settled().saved())

    assert not taken.put
    assert taken.faults


# Any order, doubling and loss inside one slice ends in the last word of every key.
writes = st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(writes, st.randoms(use_true_random=False))
def test_doubled_and_reordered_entries_end_the_same(
    history: list[tuple[int, int | None]], chance: object
) -> None:
    items = [
        item(PORT._replace(id=f"p{port}", name=f"v{value}"), revision + 1, gone=value is None)
        for revision, (port, value) in enumerate(history)
    ]
    shuffled = items * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    desired = Desired("h1")
    held: dict[str, GoalEntry] = {}
    for frame in (snapshot(1, 1, OWN), *(Frame(1, 2, (each,)) for each in shuffled)):
        taken = desired.take(frame)
        for entry in taken.gone:
            assert isinstance(entry, Port)
            del held[entry.id]
        for entry in taken.put:
            assert isinstance(entry, Port)
            held[entry.id] = entry

    last = dict(history)
    assert {k: v.name for k, v in held.items() if isinstance(v, Port)} == {
        f"p{port}": f"v{value}" for port, value in last.items() if value is not None
    }


def test_what_comes_and_goes_within_one_frame_never_was() -> None:
    desired = Desired("h1")
    desired.take(snapshot(1, 10, OWN, item(PORT, 1)))
    unbound = item(PORT, 3, gone=True)

    # The network is complete, and the port that leads to it has gone.
    frame = Frame(1, 11, (item(NETWORK, 2), unbound), begins=(N1,), completes=(N1,))
    taken = desired.take(frame)

    assert taken.put == []
    assert PORT in taken.gone
    assert taken.unsubscribe == [N1]


def test_what_goes_and_comes_within_one_frame_is_changed() -> None:
    desired = settled()
    named = PORT._replace(name="web")

    taken = desired.take(Frame(1, 11, (item(PORT, 3, gone=True), item(named, 4))))

    assert (taken.gone, taken.put) == ([], [named])


def test_names_that_a_delivery_of_an_older_release_tells_of_stay() -> None:
    """Hosts don't look for names there: it tells of all. They go once a newer one doesn't."""
    desired = Desired("h1")
    name = Name("p1", "n1", "web", "", (address("10.0.0.1"),))
    key = name_key("n1", "p1")
    network, told = item(NETWORK._replace(lazy=True), 2), Item(key, encode(key, name), 3, "r3")
    here = Presence("n1", "h1", address("192.0.2.1"))
    reach = Item(reach_key("n1", "h1"), encode(reach_key("n1", "h1"), here), 4, "r4")
    desired.take(snapshot(1, 10, OWN, item(PORT, 1)))
    desired.take(snapshot(1, 10, N1, network, told))
    desired.take(snapshot(1, 10, reach_slice("n1"), reach))

    changed = name._replace(name="app")
    desired.take(Frame(1, 11, (Item(key, encode(key, changed), 5, "r5"),)))

    assert not desired.leftovers()
    assert not desired.drop_leftovers("n1").gone
    desired.take(snapshot(2, 20, N1, network))
    desired.take(snapshot(2, 20, reach_slice("n1"), reach))
    assert desired.leftovers() == {"n1": []}
    assert desired.drop_leftovers("n1").gone == [changed]
