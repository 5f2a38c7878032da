"""Say in the report log of which hosts Placement knows all: who asks for agents is shown it."""

from collections.abc import Mapping

import msgspec

from alcor.goal_state.reports import SyncReport, placement_key
from alcor.keyed_log.log import Change, KeyedLog

_encode = msgspec.msgpack.Encoder().encode


class Synced:
    """What was said, in this life of the log; who begins to lead says all once more."""

    def __init__(self, reports: KeyedLog) -> None:
        self._log = reports
        self._epoch = reports.epoch
        self._said: dict[str, bool | None] = {}  # by host

    async def renewed(self) -> None:
        """Wait until the log is in a later life: it may have lost what was said."""
        self._epoch = await self._log.renewed(self._epoch)
        self._said = {}

    async def say(self, whole_by_host: Mapping[str, bool]) -> None:
        """Of each host whether Placement knows all; hosts left out have nothing to guarantee."""
        hosts = whole_by_host.keys() | self._said.keys()
        news = {host: whole_by_host.get(host) for host in hosts}
        news = {h: now for h, now in news.items() if h not in self._said or self._said[h] != now}
        if not news:
            return
        held = await self._log.get([placement_key(host) for host in news])
        revisions = {key: entry.revision for key, entry in held.items()}
        await self._log.put(
            [
                Change(key, _encode(SyncReport(host, now)), revisions.get(key, 0) + 1)
                for host, now in news.items()
                for key in (placement_key(host),)
            ]
        )
        self._said |= news
