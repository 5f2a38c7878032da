"""A change of a large network costs the same, however many ports share what it is about."""

from alcor.delivery.lazy import LazyNetwork
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import Name
from alcor.goal_state.slices import name_key, name_wanted
from alcor.transport.link import Item
from alcor.values.addresses import address


class CountedKey(str):
    """A key that counts how often one is compared with another."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        CountedKey.compared += 1
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        CountedKey.compared += 1
        return str.__ne__(self, other)

    __hash__ = str.__hash__


def change(number: int, *, is_there: bool) -> Item:
    key = name_key("n1", f"p{number}")
    name = Name(f"p{number}", "n1", "web", "", (address(f"10.0.{number >> 8}.{number & 255}"),))
    return Item(CountedKey(key), encode(key, name) if is_there else None, number + 1, "")


def test_ports_of_one_name_are_compared_with_a_few_others_each() -> None:
    """Not each with all of them, neither when they come nor when they go."""
    ports = 2_000
    CountedKey.compared = 0
    network = LazyNetwork("n1", (change(number, is_there=True) for number in range(ports)))

    assert len(network.found(name_wanted("web"))) == ports
    for number in range(ports):
        network.take(change(number, is_there=False))

    assert network.found(name_wanted("web")) == []
    assert CountedKey.compared < 20 * ports
