"""Bring the segments of networks: those that a network has are made with it, later ones here.

A segment has another id here, and a network's first one has the network's. So it is known by where
its packets travel, and subnets are told the id that it has here.
"""

from collections import defaultdict
from collections.abc import Sequence

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.bringing import Bringing, said_of
from alcor.importing.ends import NotOffered, chunks
from alcor.importing.subject import alike, told
from alcor.importing.subjects import TUNNELS
from alcor.resource.declaration import Resource

_TITLE = "segments"
_PLACE = ("network_type", "physical_network", "segmentation_id")
_SAID = ("name", "description")
_networks_per_call = 150


def pairs(theirs: Sequence[Item], ours: Sequence[Item]) -> list[tuple[Item, Item | None]]:
    """Each segment of a network at the source with the one that is the same here, if it is. Pure.

    Packets travel in the same place; or by tunnels, whose ids may be others here.
    """
    if len(theirs) == len(ours) == 1:
        return [(theirs[0], ours[0])]
    free = {_place(each): each for each in ours}
    found = [(each, free.pop(_place(each), None)) for each in theirs]
    tunnels = iter(sorted(filter(_is_tunnel, free.values()), key=_number))
    instead = {
        each["id"]: next(tunnels, None)
        for each in sorted((one for one, same in found if same is None), key=_number)
        if _is_tunnel(each)
    }
    return [(each, same or instead.get(each["id"])) for each, same in found]


def _place(segment: Item) -> tuple[object, ...]:
    return tuple(segment.get(name) for name in _PLACE)


def _is_tunnel(segment: Item) -> bool:
    return segment["network_type"] in TUNNELS


def _number(segment: Item) -> int:
    return segment.get("segmentation_id") or 0


class Segments:
    """The segments of the networks that are brought."""

    def __init__(self, bringing: Bringing, kind: Resource) -> None:
        self._bringing = bringing
        self._kind = kind
        self._networks: set[str] = set()

    def of(self, network: Item, wanted: Item) -> None:
        """This network's are wanted."""
        self._networks.add(network["id"])

    def bring(self) -> None:
        """Find those that are here, and make the others."""
        theirs: defaultdict[str, list[Item]] = defaultdict(list)
        try:
            for page in self._bringing.source.pages(self._kind):
                for each in page:
                    if each["network_id"] in self._networks:
                        theirs[each["network_id"]].append(each)
        except NotOffered:
            return
        except Refused as refused:
            self._bringing.ledger.miss(_TITLE, {}, f"the source does not list them: {refused}")
            return
        for some in chunks(list(theirs), _networks_per_call):
            ours: defaultdict[str, list[Item]] = defaultdict(list)
            query = [("network_id", network) for network in some]
            for each in self._bringing.target.all(self._kind, query):
                ours[each["network_id"]].append(each)
            for network in some:
                self._level(network, theirs[network], ours[network])

    def _level(self, network: str, theirs: Sequence[Item], ours: Sequence[Item]) -> None:
        ledger = self._bringing.ledger
        tally = ledger.tally(_TITLE)
        tally.found += len(theirs)
        if lacking := self._bringing.lacking(network):
            for each in theirs:
                self._miss(each, lacking)
            return
        if not ours:  # a check: they will be made with their network
            tally.made += len(theirs)
            return
        found = pairs(theirs, ours)
        for each, here in found:
            if here is None:
                self._make(each)
            else:
                self._bringing.known.here_by_id[each["id"]] = here["id"]
                self._describe(each, here)
        known = {here["id"] for _, here in found if here is not None}
        for here in ours:
            if here["id"] not in known:
                ledger.differ(_TITLE, here, f"only here, on network {network}")

    def _make(self, each: Item) -> None:
        names = ("network_id", *_PLACE, *_SAID)
        body = {name: each[name] for name in names if each.get(name) is not None}
        try:
            if not self._bringing.how.check:
                [made] = self._bringing.target.create(self._kind, [body])
                self._bringing.known.here_by_id[each["id"]] = made["id"]
        except Refused as refused:
            self._miss(each, said_of(refused))
        else:
            self._bringing.ledger.tally(_TITLE).made += 1

    def _describe(self, each: Item, here: Item) -> None:
        tally = self._bringing.ledger.tally(_TITLE)
        is_new = each["network_id"] in self._bringing.known.made
        changes = {n: each.get(n) for n in _SAID if not alike(n, each.get(n), here[n])}
        if changes and not is_new and not self._bringing.how.update:
            self._bringing.ledger.differ(_TITLE, each, told(changes, here))
            return
        try:
            if changes and not self._bringing.how.check:
                self._bringing.target.update(self._kind, here["id"], changes)
        except Refused as refused:
            self._bringing.ledger.differ(_TITLE, each, said_of(refused))
            return
        tally.made += is_new
        tally.changed += bool(changes) and not is_new
        tally.same += not changes and not is_new

    def _miss(self, each: Item, why: str) -> None:
        self._bringing.known.absent[each["id"]] = f"segment {each.get('name') or each['id']}"
        self._bringing.ledger.miss(_TITLE, each, why)
