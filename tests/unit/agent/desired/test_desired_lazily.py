"""Who is looked for in a network that is held lazily is wanted like any other slice."""

import sys
from types import FrameType

from alcor.agent.desired.desired import Desired, Subscription
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import Found, GoalEntry, Neighbour, Network, Port, Subnet
from alcor.goal_state.slices import (
    found_key,
    found_slice,
    host_port_key,
    network_key,
    reach_slice,
    subnet_key,
)
from alcor.transport.link import Frame, Item
from alcor.values.addresses import Mac, address, prefix

OWN, RED = "host/h1/", "network/red/"
PORT = Port("p1", "red", Mac(0x020000000001), (), True, True, "", "")
NETWORK = Network("red", 7, 1450, True, "", lazy=True)
WEB = Neighbour(
    "web", "red", Mac(0x0200000000AA), (address("10.0.0.9"),), "h2", address("172.31.0.2")
)
SOUGHT = found_slice("red", "10.0.0.9")


def item(key: str, entry: GoalEntry, revision: int = 1) -> Item:
    return Item(key, encode(key, entry), revision, "")


def snapshot(position: int, name: str, *items: Item) -> Frame:
    return Frame(1, position, items, begins=(name,), completes=(name,))


def who_answers(position: int) -> Frame:
    key = found_key("red", "10.0.0.9", "web")
    return snapshot(position, SOUGHT, item(key, Found("10.0.0.9", WEB)))


def lazily() -> Desired:
    """What a host holds whose only network is held lazily, and who seeks one neighbour."""
    desired = Desired("h1")
    desired.take(snapshot(10, OWN, item(host_port_key("h1", "p1"), PORT)))
    desired.take(snapshot(10, RED, item(network_key("red"), NETWORK)))
    desired.seek([SOUGHT])
    return desired


def test_who_has_an_address_is_unknown_until_it_is_said() -> None:
    desired = lazily()

    assert desired.found(SOUGHT) is None
    desired.take(who_answers(11))
    assert desired.found(SOUGHT) == [WEB]


def test_that_nobody_has_an_address_is_known_too() -> None:
    desired = lazily()

    desired.take(snapshot(11, SOUGHT))

    assert desired.found(SOUGHT) == []


def test_who_was_found_is_still_known_while_nobody_says_so() -> None:
    desired = lazily()
    desired.take(who_answers(11))

    desired.lose_connection()

    assert desired.found(SOUGHT) == [WEB]


def test_who_was_found_before_a_restart_is_wanted_after_it() -> None:
    desired = lazily()
    desired.take(who_answers(11))
    again = Desired("h1")

    again.restore(desired.saved())

    assert again.sought == [SOUGHT]
    assert Subscription(SOUGHT, 1, 11) in again.subscriptions()
    assert again.take(Frame(1, 12)).unsubscribe == []


def test_a_host_is_done_with_all_else_while_its_machines_look_for_one_after_the_other() -> None:
    desired = lazily()
    others = reach_slice("red"), found_slice("red", "p1")
    for name in others:
        desired.take(snapshot(10, name))

    assert desired.settled

    desired.take(who_answers(11))
    desired.lose_connection()
    for name in (OWN, RED, *others):
        desired.take(Frame(1, 12, resumes=(name,)))
    assert not desired.settled  # who was found may be elsewhere by now


def test_who_is_looked_for_no_more_goes() -> None:
    desired = lazily()
    desired.take(who_answers(11))

    taken = desired.forsake([SOUGHT])

    assert taken.unsubscribe == [SOUGHT]
    assert taken.gone == [Found("10.0.0.9", WEB)]


def test_in_a_network_that_is_held_whole_nobody_is_looked_for() -> None:
    desired = lazily()
    whole = item(network_key("red"), NETWORK._replace(lazy=False), 2)

    taken = desired.take(snapshot(12, RED, whole))

    assert SOUGHT in taken.unsubscribe
    assert desired.sought == []


def calls_of_one_more(sought: int) -> int:
    """How many calls of Python's it takes to look for one more beside so many, and to find it."""
    desired = lazily()
    others = [
        found_slice("red", f"10.0.{number // 250}.{number % 250}") for number in range(sought)
    ]
    for name in others:
        desired.seek([name])
        desired.take(snapshot(11, name))
    one_more, count = found_slice("red", "10.1.0.1"), 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        desired.seek([one_more])
        desired.take(snapshot(12, one_more))
    finally:
        sys.setprofile(before)
    assert desired.found(one_more) == []
    return count


def test_one_more_costs_the_same_however_many_were_looked_for() -> None:
    assert calls_of_one_more(400) == calls_of_one_more(20)


def test_the_gateway_is_wanted_when_a_subnet_of_a_lazy_network_changes() -> None:
    desired = lazily()
    subnet = Subnet("s", "red", prefix("10.0.0.0/16"), address("10.0.0.1"), True, (), ())

    taken = desired.take(Frame(1, 12, [item(subnet_key("red", "s"), subnet)]))

    assert [each.name for each in taken.subscribe] == [found_slice("red", "10.0.0.1")]


def test_who_the_host_itself_must_know_stays_when_no_machine_wants_it() -> None:
    desired = lazily()
    pinned = found_slice("red", "p1")
    desired.seek([pinned])

    taken = desired.forsake([pinned])

    assert taken.unsubscribe == []
    assert pinned in [each.name for each in desired.subscriptions()]
