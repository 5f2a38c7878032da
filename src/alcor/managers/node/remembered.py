"""What is asked of all nodes, in memory: which have uplinks, and in which zone each is.

So who looks every second for those that are gone reads no table, and neither does who names a zone.
Pure. The store says what it saves, as nobody else writes while this manager leads.
"""

import sys
from collections.abc import Iterable, Mapping

from alcor.managers.node.model import Node


class Remembered:
    """Right once it was `fill`ed, until a write leaves open whether it was saved."""

    def __init__(self) -> None:
        self.is_whole = False
        self._uplinked: dict[str, Node] = {}
        self._zones: dict[str, str] = {}
        self._settled: set[str] = set()  # saved or removed since the table began to be read

    def uplinked(self) -> list[Node]:
        """The nodes with uplinks."""
        return list(self._uplinked.values())

    def zones(self) -> Mapping[str, str]:
        """The availability zone of each node, by its id."""
        return self._zones

    def begin(self) -> None:
        """The table is about to be read."""
        self._settled.clear()

    def fill(self, read: Iterable[Node]) -> None:
        """What the table held; what was saved meanwhile is newer."""
        settled = set(self._settled)
        self._uplinked = {id_: node for id_, node in self._uplinked.items() if id_ in settled}
        self._zones = {id_: zone for id_, zone in self._zones.items() if id_ in settled}
        self.put(node for node in read if node.id not in settled)
        self.is_whole = True
        self._settled.clear()

    def put(self, saved: Iterable[Node]) -> None:
        """These were saved."""
        for node in saved:
            self._zones[node.id] = sys.intern(node.availability_zone)
            if node.physical_networks:
                self._uplinked[node.id] = node
            else:
                self._uplinked.pop(node.id, None)
            self._note(node.id)

    def remove(self, id_: str) -> None:
        """This one has gone."""
        self._uplinked.pop(id_, None)
        self._zones.pop(id_, None)
        self._note(id_)

    def doubt(self) -> None:
        """Nobody knows whether a write was saved: the table is to be read again."""
        self.is_whole = False

    def _note(self, id_: str) -> None:
        if not self.is_whole:
            self._settled.add(id_)
