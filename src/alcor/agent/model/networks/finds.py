"""How the host knows each neighbour that it has looked for in a lazily held network. Pure.

A part of `HostModel`. A neighbour may have been found by its address and by its MAC, and
the host may hold the whole network as well; it is gone only when it is gone from all of these.
"""

WHOLE = ""  # the network's own slice


class Finds:
    """Ports that were found, with everything that they were found by."""

    def __init__(self) -> None:
        self._by_port: dict[str, set[str]] = {}

    def put(self, port_id: str, by: str, *, is_held: bool = False) -> None:
        """A neighbour is known by this, too; `is_held`: it is known already."""
        known = self._by_port.get(port_id)
        if known is None:
            if by == WHOLE:
                return  # like all others: nothing is to be remembered
            known = self._by_port[port_id] = {WHOLE} if is_held else set()
        known.add(by)

    def take(self, port_id: str, by: str) -> bool:
        """It is known by this no more; whether it is gone."""
        known = self._by_port.get(port_id)
        if known is None:
            return True
        known.discard(by)
        if not known or known == {WHOLE}:
            del self._by_port[port_id]
        return not known
