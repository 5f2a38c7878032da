"""Networks that are held lazily: what every host of one holds, and what is found for who asks.

Pure. Of such a network a host (if its agent can) holds everything but the neighbours and their
names. It looks for those that its machines want, by address, MAC, port or name, and hears of their
changes. Neighbours with allowed address pairs are held by every host, because hosts ask the
machines for these addresses; so are names with a domain of their own, which may be any.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alcor.goal_state.codec import Malformed, decode
from alcor.goal_state.entries import Name, Neighbour, Network
from alcor.goal_state.slices import (
    found_key,
    found_name_key,
    looked_for,
    name_wanted,
    network_slice,
    slice_of,
)
from alcor.transport.link import Item
from alcor.values.addresses import mac_text

_NETWORK = "/network"
# The keys of what is looked for, by kind of entry.
_SOUGHT = {"neighbour": found_key, "name": found_name_key}


class Offer(NamedTuple):
    """A change as hosts that hold the network lazily see it."""

    for_all: Item | None  # of those that hold the network; None: nothing
    by_older: Item | None  # and of those of them that don't look for names
    found: tuple[Item, ...] = ()  # of `found` slices, whoever follows them


class LazyNetwork:
    """One network, as of the last change that it was given."""

    def __init__(self, network_id: str, entries: Iterable[Item]) -> None:
        self._id = network_id
        self._rest: dict[str, Item] = {}  # what all hold
        self._names: dict[str, Item] = {}  # that those hold who don't look for names
        self._found: dict[str, tuple[Item, frozenset[str]]] = {}  # and what it is found by
        # By what they are found by: mostly one key, but any number of ports may have one name.
        self._keys: dict[str, str | dict[str, None]] = {}
        for item in entries:
            self.take(item)

    def rest(self, *, names: bool = True) -> list[Item]:
        """What a host of the network holds without looking for it; `names`: it looks for those."""
        return [*self._rest.values(), *(() if names else self._names.values())]

    def found(self, what: str) -> list[Item]:
        """The entries of who has an address or a MAC, is this port, or has a name."""
        keys = self._keys.get(what, {})
        each_once = (keys,) if isinstance(keys, str) else keys
        return [self._as_found(what, self._found[key][0]) for key in each_once]

    def take(self, item: Item) -> Offer:
        """A change of the network's slice."""
        kind = item.key.split("/")[2]
        if kind not in _SOUGHT:
            _keep(self._rest, item)
            return Offer(item, item)
        entry = _sought(item)
        before = self._found.pop(item.key, None)
        was = before[1] if before is not None else frozenset()
        now = _found_by(entry)
        for what in was - now:
            self._drop(what, item.key)
        for what in now - was:
            self._add(what, item.key)
        if entry is not None:
            self._found[item.key] = item, now
        gone = item._replace(value=None)
        found = [self._as_found(what, gone) for what in was - now]
        found += [self._as_found(what, item) for what in now]
        for_all = self._for_all(item, is_for_all=_is_for_all(entry))
        if kind == "neighbour":
            return Offer(for_all, for_all, tuple(found))
        _keep(self._names, gone if _is_for_all(entry) else item)
        return Offer(for_all, item, tuple(found))

    def _for_all(self, item: Item, *, is_for_all: bool) -> Item | None:
        """What all hold is told to all, and so is that it is so no more."""
        if is_for_all:
            self._rest[item.key] = item
            return item
        return item._replace(value=None) if self._rest.pop(item.key, None) is not None else None

    def _add(self, what: str, key: str) -> None:
        keys = self._keys.setdefault(what, key)
        if isinstance(keys, dict):
            keys[key] = None
        elif keys != key:
            self._keys[what] = {keys: None, key: None}

    def _drop(self, what: str, key: str) -> None:
        keys = self._keys[what]
        if isinstance(keys, dict):
            del keys[key]
        if not isinstance(keys, dict) or not keys:
            del self._keys[what]

    def _as_found(self, what: str, item: Item) -> Item:
        _, _, kind, port_id = item.key.split("/")
        return item._replace(key=_SOUGHT[kind](self._id, what, port_id))


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


def _keep(items: dict[str, Item], item: Item) -> None:
    if item.value is None:
        items.pop(item.key, None)
    else:
        items[item.key] = item


def _sought(item: Item) -> Neighbour | Name | None:
    if item.value is None:
        return None
    try:
        entry = decode(item.key, item.value)
    except Malformed:
        return None  # as a host would ignore it
    return entry if isinstance(entry, Neighbour | Name) else None


def _is_for_all(entry: Neighbour | Name | None) -> bool:
    match entry:
        case Neighbour():
            return bool(entry.pairs)
        case Name():
            return bool(entry.domain)
    return False


def _found_by(entry: Neighbour | Name | None) -> frozenset[str]:
    match entry:
        case Neighbour():
            return frozenset((entry.port_id, mac_text(entry.mac), *map(str, entry.addresses)))
        case Name():
            return frozenset((name_wanted(entry.name), *map(str, entry.addresses)))
    return frozenset()
