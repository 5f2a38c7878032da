"""For how long connected hosts have lacked a change that concerns them.

Of a write that never arrives nobody can measure how long it took. So changes are watched in rounds:
a round waits for all hosts concerned by what was planned before it, and what is planned meanwhile
is the next one's. Every change is in one of them, and each costs no more than to offer it.
"""

from collections.abc import Callable, Mapping

Behind = Callable[[Mapping[str, int]], dict[str, int]]


class Unapplied:
    """The round that is going on, and what the next one will wait for."""

    def __init__(self, behind: Behind, life: Callable[[], str], now_s: Callable[[], float]) -> None:
        """`behind` names the connected hosts that have not reached a position of slices of theirs;
        positions are those of a life of the intent log."""
        self._behind, self._life, self._now_s = behind, life, now_s
        self._of = ""  # the life
        self._wanted_by_host: dict[str, int] = {}
        self._since_s = 0.0
        self._changed: dict[str, int] = {}  # slices, for the next round
        self._changed_s = 0.0  # when the first of them was

    @property
    def age_s(self) -> float:
        """Of the oldest change that a host lacks; 0: none does."""
        return self._now_s() - self._since_s if self._wanted_by_host else 0.0

    def planned(self, position_by_slice: Mapping[str, int]) -> None:
        """These slices have just been changed, last at these positions."""
        if self._of != self._life():  # what was wanted in another life is never reached in this one
            self._of = self._life()
            self._wanted_by_host, self._changed = {}, {}
        if not self._changed:
            self._changed_s = self._now_s()
        self._changed.update(position_by_slice)
        self._begin()

    def heard(self, host: str, applied: int) -> None:
        """A host has reached a position."""
        wanted = self._wanted_by_host.get(host)
        if wanted is not None and applied >= wanted:
            del self._wanted_by_host[host]
            self._begin()

    def _begin(self) -> None:
        """Begin the next round, if the one before is over and there is something to wait for."""
        if self._changed and not self._wanted_by_host:
            changed, self._changed = self._changed, {}
            self._since_s = self._changed_s
            self._wanted_by_host = self._behind(changed)
