"""The sub-ports of trunks on this host: whose interface each is heard on, and its number.

Pure. A part of `HostModel`. A port with an interface of its own is known by its ofport;
a sub-port shares its parent's, and has a number of its own instead, of 16 bits as well.
"""

from collections.abc import Callable, Set
from hashlib import blake2b

from alcor.goal_state.entries import Port

number_first, number_last = 0x8000, 0xEFFF  # below the zones of routers; ofports begin at 1

_NONE: Set[str] = frozenset()


class SubPorts:
    """Sub-ports by parent, and the numbers that they have."""

    def __init__(self, is_taken: Callable[[int], bool]) -> None:
        self._is_taken = is_taken  # a number that an interface has, or a zone, is nobody else's
        self._by_parent: dict[str, set[str]] = {}
        self._number_by_port: dict[str, int] = {}
        self._port_by_number: dict[int, str] = {}

    def of(self, parent_id: str) -> Set[str]:
        """The sub-ports that are heard on this port's interface."""
        return self._by_parent.get(parent_id, _NONE)

    def number_of(self, port_id: str) -> int | None:
        """Of a sub-port; None when this host has given out all."""
        return self._number_by_port.get(port_id)

    def at(self, number: int) -> str:
        """The sub-port of a number; empty: none."""
        return self._port_by_number.get(number, "")

    def change(self, before: Port | None, after: Port | None) -> None:
        """A port that was so is so now."""
        if before is not None and before.parent_id:
            held = self._by_parent[before.parent_id]
            held.discard(before.id)
            if not held:
                del self._by_parent[before.parent_id]
            if after is None or not after.parent_id:
                self._free(before.id)
        if after is not None and after.parent_id:
            self._by_parent.setdefault(after.parent_id, set()).add(after.id)
            self._number(after.id)

    def give_way(self, ofport: int) -> str:
        """An interface has come by this number: the sub-port that moves to another; empty: none."""
        port_id = self.at(ofport)
        if port_id:
            self._free(port_id)
            self._number(port_id)
        return port_id

    def _free(self, port_id: str) -> None:
        if port_id in self._number_by_port:
            del self._port_by_number[self._number_by_port.pop(port_id)]

    def _number(self, port_id: str) -> None:
        """A number of its own, the same on every start unless another one has it already."""
        if port_id in self._number_by_port:
            return
        count = number_last - number_first + 1
        digest = blake2b(port_id.encode(), digest_size=8).digest()
        wanted = int.from_bytes(digest, "big") % count
        for step in range(count):
            number = number_first + (wanted + step) % count
            if number not in self._port_by_number and not self._is_taken(number):
                self._number_by_port[port_id], self._port_by_number[number] = number, port_id
                return
