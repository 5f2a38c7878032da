"""Networks that are held lazily: what every host of one holds, and what is found for who asks.

Pure. Of such a network a host (if its agent can) holds everything but the neighbours. It looks for
those that its machines want, by address, MAC or port, and hears of changes to them. Neighbours with
allowed address pairs are held by every host, because hosts ask the machines for these addresses.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alcor.goal_state.codec import Malformed, decode
from alcor.goal_state.entries import Neighbour, Network
from alcor.goal_state.slices import found_key, looked_for, network_slice, slice_of
from alcor.transport.link import Item
from alcor.values.addresses import mac_text

_NETWORK = "/network"
_NEIGHBOUR = "/neighbour/"


class Offer(NamedTuple):
    """A change as hosts that hold the network lazily see it."""

    for_all: Item | None  # of those that hold the network; None: nothing
    found: tuple[Item, ...] = ()  # of `found` slices, whoever follows them


class LazyNetwork:
    """One network, as of the last change that it was given."""

    def __init__(self, network_id: str, entries: Iterable[Item]) -> None:
        self._id = network_id
        self._rest: dict[str, Item] = {}  # what all hold
        self._neighbours: dict[str, tuple[Item, frozenset[str]]] = {}  # and what they are found by
        self._ports: dict[str, tuple[str, ...]] = {}  # by what they are found by
        for item in entries:
            self.take(item)

    @property
    def rest(self) -> list[Item]:
        """What every host of the network holds."""
        return list(self._rest.values())

    def found(self, what: str) -> list[Item]:
        """The entries of who has an address or a MAC, or is this port."""
        return [
            self._as_found(what, port_id, self._neighbours[port_id][0])
            for port_id in self._ports.get(what, ())
        ]

    def take(self, item: Item) -> Offer:
        """A change of the network's slice."""
        if _NEIGHBOUR not in item.key:
            self._keep(item)
            return Offer(item)
        port_id = item.key.rpartition("/")[2]
        before = self._neighbours.pop(port_id, None)
        neighbour = _neighbour(item)
        now = _found_by(neighbour) if neighbour is not None else frozenset()
        was = before[1] if before is not None else frozenset()
        for what in was - now:
            self._drop(what, port_id)
        for what in now - was:
            self._ports[what] = (*self._ports.get(what, ()), port_id)
        if neighbour is not None:
            self._neighbours[port_id] = item, now
        gone = item._replace(value=None)
        found = [self._as_found(what, port_id, gone) for what in was - now]
        found += [self._as_found(what, port_id, item) for what in now]
        return Offer(self._for_all(item, neighbour), tuple(found))

    def _for_all(self, item: Item, neighbour: Neighbour | None) -> Item | None:
        """Who has pairs is told to all, and so is that he has none any more."""
        if neighbour is not None and neighbour.pairs:
            self._rest[item.key] = item
            return item
        return item._replace(value=None) if self._rest.pop(item.key, None) is not None else None

    def _keep(self, item: Item) -> None:
        if item.value is None:
            self._rest.pop(item.key, None)
        else:
            self._rest[item.key] = item

    def _drop(self, what: str, port_id: str) -> None:
        left = tuple(each for each in self._ports.pop(what) if each != port_id)
        if left:
            self._ports[what] = left

    def _as_found(self, what: str, port_id: str, item: Item) -> Item:
        return item._replace(key=found_key(self._id, what, port_id))


class LazyNetworks:
    """Those of a region, by the names of their slices."""

    def __init__(self) -> None:
        self._by_slice: dict[str, LazyNetwork] = {}
        self._whole_since: dict[str, int] = {}  # goal-log position, of those that were lazy

    def get(self, name: str) -> LazyNetwork | None:
        """The network of a slice, if it is held lazily."""
        return self._by_slice.get(name)

    def found(self, name: str) -> list[Item] | None:
        """The content of a `found` slice; None when its network is not held lazily."""
        asked = looked_for(name)
        network = self._by_slice.get(network_slice(asked[0])) if asked is not None else None
        return network.found(asked[1]) if network is not None and asked is not None else None

    def begin(self, name: str, entries: Iterable[Item]) -> None:
        """A network is held lazily from now on."""
        self._by_slice[name] = LazyNetwork(name.split("/")[1], entries)

    def end(self, name: str, position: int) -> None:
        """It is held as a whole again, since a position of the goal log."""
        if self._by_slice.pop(name, None) is not None:
            self._whole_since[name] = position

    def has_all_since(self, name: str, position: int) -> bool:
        """Whether who held a network that is whole now, up to a position, held all of it."""
        return position >= self._whole_since.get(name, 0)

    def begin_again(self, position: int, items: Iterable[Item]) -> None:
        """All of goal state is this, at a position of its log."""
        for name in list(self._by_slice):
            self.end(name, position)
        for name, entries in _lazy_among(items):
            self.begin(name, entries)

    def turns(self, item: Item) -> bool | None:
        """Whether an entry makes its network lazy, or whole (False); None: it stays as it is."""
        if not item.key.endswith(_NETWORK):
            return None
        is_lazy, was = says_lazy(item), slice_of(item.key) in self._by_slice
        return None if is_lazy == was else is_lazy


def says_lazy(item: Item) -> bool:
    """Whether an entry is a network that is held lazily."""
    if item.value is None or not item.key.endswith(_NETWORK):
        return False
    try:
        entry = decode(item.key, item.value)
    except Malformed:
        return False
    return isinstance(entry, Network) and entry.lazy


def _lazy_among(items: Iterable[Item]) -> Iterator[tuple[str, list[Item]]]:
    """The lazy networks among all of goal state, with their entries."""
    by_slice: dict[str, list[Item]] = {}
    lazy: list[str] = []
    for item in items:
        if item.key.startswith("network/"):
            name = slice_of(item.key)
            by_slice.setdefault(name, []).append(item)
            if says_lazy(item):
                lazy.append(name)
    for name in lazy:
        yield name, by_slice[name]


def _neighbour(item: Item) -> Neighbour | None:
    if item.value is None:
        return None
    try:
        entry = decode(item.key, item.value)
    except Malformed:
        return None  # as a host would ignore it
    return entry if isinstance(entry, Neighbour) else None


def _found_by(neighbour: Neighbour) -> frozenset[str]:
    addresses = map(str, neighbour.addresses)
    return frozenset((neighbour.port_id, mac_text(neighbour.mac), *addresses))
