"""The nodes with uplinks, in memory: who looks every second for those that are gone reads no table.

Pure. The store says what it saves, as nobody else writes while this manager leads.
"""

from collections.abc import Iterable

from alcor.managers.node.model import Node


class Uplinked:
    """Right once it was `fill`ed, until a write leaves open whether it was saved."""

    def __init__(self) -> None:
        self.is_whole = False
        self._by_id: dict[str, Node] = {}
        self._settled: set[str] = set()  # saved or removed since the table began to be read

    def nodes(self) -> list[Node]:
        """Those that there are now."""
        return list(self._by_id.values())

    def begin(self) -> None:
        """The table is about to be read."""
        self._settled.clear()

    def fill(self, read: Iterable[Node]) -> None:
        """What the table held; what was saved meanwhile is newer."""
        settled, newer = set(self._settled), self._by_id
        self._by_id = {id_: node for id_, node in newer.items() if id_ in settled}
        self.put(node for node in read if node.id not in settled)
        self.is_whole = True
        self._settled.clear()

    def put(self, saved: Iterable[Node]) -> None:
        """These were saved."""
        for node in saved:
            if node.physical_networks:
                self._by_id[node.id] = node
                self._note(node.id)
            else:
                self.remove(node.id)

    def remove(self, id_: str) -> None:
        """This one has gone, or its uplinks have."""
        self._by_id.pop(id_, None)
        self._note(id_)

    def doubt(self) -> None:
        """Nobody knows whether a write was saved: the table is to be read again."""
        self.is_whole = False

    def _note(self, id_: str) -> None:
        if not self.is_whole:
            self._settled.add(id_)
