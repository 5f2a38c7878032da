"""Where every host is connected, and how far it is, as far as that is known here.

The report log says where hosts are: something is told there when one comes or goes, and seldom
otherwise. How far a host is it says to its delivery, which tells nobody who does not ask
(`progress.py`). So of a host that is connected elsewhere we know what it had reached when something
was told of it last, or more.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec

from alcor.goal_state.reports import HostReport
from alcor.keyed_log.log import Entry
from alcor.transport.link import NOTHING, Reached

TERM_BITS = 32  # of a revision in the report log, below a connection's term

decode_host = msgspec.msgpack.Decoder(HostReport).decode


class Place(NamedTuple):
    """Of one host."""

    term: int = 0  # of all its connections, which one this is, or was
    delivery: int = 0
    connected: bool = False
    reached: Reached = NOTHING


_UNHEARD = Place()


class Hosts:
    """All hosts that were ever heard of."""

    def __init__(self, delivery: int, life: Callable[[], str]) -> None:
        """`delivery` is the one that we are, `life` what the intent log's life is called."""
        self._delivery = delivery
        self._life = life
        self._place_by_host: dict[str, Place] = {}
        self._connected: Counter[int] = Counter()  # hosts, by delivery
        self._older: set[int] = set()  # deliveries that know of hosts what the report log says
        self._changed: list[Callable[[str], None]] = []

    def call(self, changed: Callable[[str], None]) -> None:
        """Call this whenever something else is known of a host."""
        self._changed.append(changed)

    def answers(self, delivery: int, *, asked: bool) -> None:
        """Whether a delivery is `asked` how far its hosts are, and asks others. One of the release
        before tells and reads all of that in the report log."""
        if asked:
            self._older.discard(delivery)
        else:
            self._older.add(delivery)

    @property
    def heard_by_older(self) -> bool:
        """Whether there are deliveries that ask nobody."""
        return bool(self._older)

    @property
    def life(self) -> str:
        """What the intent log's life is called."""
        return self._life()

    @property
    def deliveries(self) -> Collection[int]:
        """Those that hosts are connected to."""
        return self._connected.keys()

    def connected_to(self, delivery: int) -> list[str]:
        """The hosts of one of them."""
        items = self._place_by_host.items()
        return [host for host, at in items if at.connected and at.delivery == delivery]

    def is_connected(self, host: str) -> bool:
        """Whether it is connected to any delivery."""
        return self._place_by_host.get(host, _UNHEARD).connected

    def is_here(self, host: str) -> bool:
        """Whether it is connected to this one."""
        at = self._place_by_host.get(host, _UNHEARD)
        return at.connected and at.delivery == self._delivery

    def elsewhere(self, host: str) -> int | None:
        """The other delivery that it is connected to, if that can be asked; None: none is."""
        at = self._place_by_host.get(host, _UNHEARD)
        if not at.connected or at.delivery == self._delivery or at.delivery in self._older:
            return None
        return at.delivery

    def applied(self, host: str) -> int:
        """The intent log's position that it has reached at least, in the log's life of now."""
        reached = self._place_by_host.get(host, _UNHEARD).reached
        return reached.position if reached.life == self._life() else 0

    def hear(self, entries: Sequence[Entry]) -> None:
        """What the report log was told of hosts."""
        for entry in entries:
            if entry.value is None:
                continue
            report = decode_host(entry.value)
            term = entry.revision >> TERM_BITS
            before = self._place_by_host.get(report.host, _UNHEARD)
            reached = Reached(report.life, report.reached)
            if before.delivery == self._delivery and before.term >= term:
                if before.term > term:
                    continue  # it has come here since
                reached = before.reached  # it said so here, and may have said more
            self._put(report.host, Place(term, report.delivery, report.connected, reached))

    def said(self, host: str, term: int, reached: Reached) -> None:
        """A host that is connected here, by its connection `term`, said how far it is."""
        before = self._place_by_host.get(host, _UNHEARD)
        if before.term <= term:
            self._put(host, Place(term, self._delivery, True, reached))

    def _put(self, host: str, at: Place) -> None:
        before = self._place_by_host.get(host, _UNHEARD)
        if before.connected:
            self._connected[before.delivery] -= 1
            if not self._connected[before.delivery]:
                del self._connected[before.delivery]
        if at.connected:
            self._connected[at.delivery] += 1
        self._place_by_host[host] = at
        for changed in self._changed:
            changed(host)
