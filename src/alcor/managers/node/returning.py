"""Hosts that were gone and are heard of again: they lead outside once they have caught up.

A host that was gone may lack routers, and what changed meanwhile. So first it is told what it must
hold (the planner makes it a way out of routers), and only when its switch has acknowledged all that
is it chosen by others. Whoever does not catch up in time is taken as it is: late is better than
never.
"""

from collections.abc import Callable

from alcor.goal_state.reports import HostReport
from alcor.intent import records
from alcor.intent.records import NodeRecord
from alcor.keyed_log.log import KeyedLog


class Returning:
    """Knows how far hosts are that return."""

    def __init__(self, log: KeyedLog, clock: Callable[[], float], wait_s_max: float) -> None:
        self._log = log
        self._clock = clock
        self._wait_s_max = wait_s_max
        self._since_s: dict[str, float] = {}  # by host

    async def is_back(self, host: str, report: HostReport) -> bool:
        """Whether the host has all that it must have, or has had time enough."""
        since_s = self._since_s.setdefault(host, self._clock())
        return await self._has_caught_up(host, report) or (
            self._clock() - since_s > self._wait_s_max
        )

    def forget(self, host: str) -> None:
        """The host is back, or gone again."""
        self._since_s.pop(host, None)

    async def _has_caught_up(self, host: str, report: HostReport) -> bool:
        name = records.key("node", host)
        entry = (await self._log.get([name])).get(name)
        if entry is None or entry.value is None or report.life != self._log.life:
            return False
        told = records.decode("node", entry.value)
        assert isinstance(told, NodeRecord)
        return told.returning and report.reached >= entry.position
