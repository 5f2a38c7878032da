"""How many connections a conntrack zone may hold, so that a flood of one port leaves others theirs.

A zone is a port's, a router's, or of a port's local IPs. What opens a connection beyond the limit
is not remembered, so what answers it is not let in. Limits are compared with what the switch says,
as it forgets them when it is started again.
Source: ovs-dpctl(8), "ct-set-limits", "ct-get-limits".
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import structlog

from alcor.agent.metrics import Metrics
from alcor.ovs import appctl

zones_at_once = 500

Ask = Callable[..., Awaitable[str]]

log = structlog.get_logger()


class _Limited(NamedTuple):
    limit: int
    held: int


_FREE = _Limited(0, 0)


class ConnectionLimits:
    """The limit of every zone that is in use, on one host's switch."""

    def __init__(
        self,
        run_dir: Path,
        datapath_type: Callable[[], str],
        limit: int,
        zones: Callable[[], Mapping[int, str]],
        metrics: Metrics,
        ask: Ask = appctl.ask,
    ) -> None:
        """`datapath_type`: of the bridge, as the switch says, empty until it does. `zones`: whose
        each one is that is in use, in words."""
        self._run_dir, self._datapath_type = run_dir, datapath_type
        self._limit, self._zones, self._metrics, self._ask = limit, zones, metrics, ask
        self._full: set[int] = set()
        self._trouble = ""

    async def keep(self) -> None:
        """Limit zones that are not, and say of which no more connections are kept."""
        zones, type_ = self._zones(), self._datapath_type()
        if not zones or not type_:  # a host without machines may not even have a datapath yet
            self._tell_full({}, {})
            return
        datapath = f"{type_}@ovs-{type_}"
        try:
            socket = appctl.switch_socket(self._run_dir)
            there = _limited(await self._ask(socket, "dpctl/ct-get-limits", datapath))
            wrong = [z for z in zones if there.get(z, _FREE).limit != self._limit]
            for some in _pieces(wrong, zones_at_once):
                await self._ask(socket, *self._command(datapath, some))
        except (OSError, TimeoutError, appctl.Declined) as error:
            self._tell_trouble(str(error) or "the switch is silent")
            return
        self._trouble = ""
        self._tell_full(zones, there)

    def _command(self, datapath: str, zones: Sequence[int]) -> tuple[str, ...]:
        if not self._limit:
            every = ",".join(map(str, zones))
            return "dpctl/ct-del-limits", datapath, f"zone={every}"
        wanted = (f"zone={zone},limit={self._limit}" for zone in zones)
        return "dpctl/ct-set-limits", datapath, *wanted

    def _tell_full(self, zones: Mapping[int, str], there: Mapping[int, _Limited]) -> None:
        full = {zone for zone in zones if 0 < self._limit <= there.get(zone, _FREE).held}
        for zone in sorted(full - self._full):
            log.warning("no more connections are kept", of=zones[zone], limit=self._limit)
        self._metrics.limit_reached.labels("agent_connections_tracked").inc(len(full))
        self._full = full

    def _tell_trouble(self, reason: str) -> None:
        if reason != self._trouble:
            log.warning("connections can't be limited", reason=reason)
        self._trouble = reason


_LINE = re.compile(r"^zone=(\d+),limit=(\d+),count=(\d+)$", re.MULTILINE)


def _limited(text: str) -> dict[int, _Limited]:
    """What the switch says of each zone that has a limit of its own."""
    found = (map(int, match.groups()) for match in _LINE.finditer(text))
    return {zone: _Limited(limit, count) for zone, limit, count in found}


def _pieces(zones: Iterable[int], count: int) -> Iterator[list[int]]:
    rest = iter(zones)
    while piece := list(islice(rest, count)):
        yield piece
