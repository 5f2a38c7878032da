"""Whether hosts could be heard: while no delivery lives, that a host is silent tells nothing."""

from collections.abc import Callable, Sequence

from alcor.goal_state.reports import delivery_silence_s_max
from alcor.keyed_log.log import Entry


class Listening:
    """When each delivery said last that it lives, and since when one of them does."""

    def __init__(self, clock: Callable[[], float], steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._heard_s_by_key: dict[str, float] = {}
        self._began_s = 0.0
        self._heard_at_s = 0.0  # since the epoch, to be shown

    async def hear(self, entries: Sequence[Entry]) -> None:
        """Deliveries say that they live, or that they end."""
        now_s = self._steady()
        for entry in entries:
            if entry.value is None:
                self._heard_s_by_key.pop(entry.key, None)
                continue
            if self.since_s() is None:
                self._began_s = now_s
            self._heard_s_by_key[entry.key] = now_s
            self._heard_at_s = self._clock()

    def since_s(self) -> float | None:
        """Since when, by the steady clock, there has been a delivery all the time; None: there is
        none now."""
        heard_s = max(self._heard_s_by_key.values(), default=None)
        if heard_s is None or self._steady() - heard_s > delivery_silence_s_max:
            return None
        return self._began_s

    def heard_at_s(self) -> float:
        """When hosts that are connected were heard last: now, if a delivery lives."""
        return self._heard_at_s if self.since_s() is None else self._clock()
