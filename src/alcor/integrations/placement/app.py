"""Put together who tells Placement of hosts: what assembly opens, starts and closes.

It follows the nodes of the intent log. What Placement was told is kept, so that after an outage, or
a crash, only the difference is told, and what a host has no more is taken away: only what is ours.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from alcor.integrations.placement.client import (
    NoComputeHost,
    PlacementClient,
    PlacementDown,
    Refused,
)
from alcor.integrations.placement.hosts import Hosts
from alcor.integrations.placement.providers import Wish
from alcor.integrations.placement.settings import PlacementSettings
from alcor.integrations.placement.store import Known, ToldStore
from alcor.integrations.placement.synced import Synced
from alcor.integrations.telling import tell
from alcor.intent.follow import Ready, follow, id_of, record_of
from alcor.intent.records import NodeRecord
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.runtime.sql.places import Place, open_database
from alcor.values.errors import Unavailable

VERSIONS = Path(__file__).parent / "versions"
batch_max = 100  # hosts between two writes of what was told

_log = structlog.get_logger("alcor.placement")

told_hosts = Counter("alcor_placement_hosts_told", "Times that Placement was told of a host.")
waiting = Gauge("alcor_placement_hosts_waiting", "Hosts of which Placement is to be told.")
unknown = Gauge("alcor_placement_hosts_unknown", "Hosts whose nova-compute Placement has not seen.")
refused = Gauge("alcor_placement_hosts_refused", "Hosts of which Placement won't have all.")

_Result = PlacementDown | NoComputeHost | Refused | None


class PlacementApp:
    """Who tells it, as assembly sees it; it has the attributes of a manager's app, and no API."""

    name = "placement"

    def __init__(
        self,
        place: Place,
        intent: KeyedLog,
        reports: KeyedLog,
        rebuilt: Ready,
        client: PlacementClient,
        settings: PlacementSettings,
    ) -> None:
        self.database = open_database(place, self.name, VERSIONS)
        self.resources: Sequence[tuple[Any, Any]] = []
        self.peers: Sequence[tuple[Any, object]] = []
        self._intent, self._rebuilt = intent, rebuilt
        self._client = client
        self._settings = settings
        self._store = ToldStore(self.database)
        self._synced = Synced(reports)
        self._hosts = Hosts()
        self._told_by_host: dict[str, Known] = {}
        self._dirty: set[str] = set()
        self._unknown: set[str] = set()  # to Placement: nova-compute was not there yet
        self._refused: dict[str, str] = {}  # why, by host
        self._is_complete = False  # all hosts are known: only then is a missing one gone
        self._news = asyncio.Event()

    async def recover(self) -> None:
        """Remember what Placement was told, and what was under way when this was cut short."""
        self._told_by_host = await self._store.all()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Follow hosts; tell Placement; now and then look whether it still is as it was told."""
        return [
            follow(self._intent, "node", self._rebuilt, self._replace, self._apply),
            self._tell(),
            self._say_again(),
            self._look_again(self._settings.retry_s_max, lambda: self._unknown),
            self._look_again(self._settings.compare_s, lambda: self._told_by_host),
        ]

    async def _replace(self, entries: Sequence[Entry]) -> None:
        self._hosts = Hosts()
        self._is_complete = True
        await self._apply(entries)
        self._dirty |= {host for host in self._told_by_host if not self._is_told(host)}

    async def _apply(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            host, record = id_of(entry), record_of(entry)
            assert record is None or isinstance(record, NodeRecord)
            # Most changes of nodes are none of what they have to guarantee.
            touched = self._hosts.put(host, record)
            self._dirty |= {each for each in touched if not self._is_told(each)}
        self._news.set()

    def _is_told(self, host: str) -> bool:
        told, wanted = self._told_by_host.get(host), self._hosts.wish(host)
        return not wanted.providers if told is None else told == Known(wanted, True)

    async def _look_again(self, pause_s: float, hosts: Callable[[], Iterable[str]]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            self._dirty |= set(hosts())
            self._news.set()

    async def _say_again(self) -> None:
        """What the report log may have lost."""
        while True:
            await self._synced.renewed()
            self._news.set()

    async def _tell(self) -> None:
        failed = "placement was not told of hosts"
        await tell(self._news, self._tell_some, PlacementDown, self._settings, failed)

    async def _tell_some(self) -> bool:
        """Whether there was anything to tell; not before all hosts are known."""
        waiting.set(len(self._dirty))
        if not self._is_complete:
            return False
        await self._synced.say({host: self._is_told(host) for host in self._hosts.guaranteeing()})
        batch = list(islice(self._dirty, batch_max))
        if not batch:
            return False
        self._dirty.difference_update(batch)  # what changes from here on is dirty again
        wanted = {host: self._hosts.wish(host) for host in batch}
        try:
            await self._keep({host: self._at_most(host, each) for host, each in wanted.items()})
            work = (self._tell_one(host, each) for host, each in wanted.items())
            results = dict(zip(batch, await asyncio.gather(*work), strict=True))
            await self._keep(
                {host: Known(wanted[host], True) for host in batch if not results[host]}
            )
        except Unavailable:  # what was told is told once more when that can be noted
            self._dirty.update(batch)
            raise
        self._note(results)
        down = [(host, why) for host, why in results.items() if isinstance(why, PlacementDown)]
        if down:
            self._dirty.update(host for host, _ in down)
            raise down[0][1]
        return True

    async def _keep(self, told: Mapping[str, Known]) -> None:
        """First in memory: a change that comes while it is written is compared with this."""
        for host, each in told.items():
            if each.wish.providers:
                self._told_by_host[host] = each
            else:
                self._told_by_host.pop(host, None)
        await self._store.keep(told)

    def _at_most(self, host: str, wanted: Wish) -> Known:
        """What Placement may know of the host from now on: what it knew, and what is wanted."""
        held = self._told_by_host.get(host)
        ids = {each.id for each in wanted.providers}
        others = held.wish.providers if held is not None else ()
        kept = (*wanted.providers, *(each for each in others if each.id not in ids))
        return Known(Wish(wanted.hypervisor, kept), False)

    async def _tell_one(self, host: str, wanted: Wish) -> _Result:
        """Why it was not told; None: it was."""
        ids = {each.id for each in wanted.providers}
        held = self._told_by_host.get(host)
        ours = held.wish.providers if held is not None else ()
        gone = [
            each.id
            for each in reversed(ours)
            if each.id not in ids and self._hosts.may_speak(host, each.hypervisor)
        ]
        try:
            await self._client.put(wanted, gone)
        except (PlacementDown, NoComputeHost, Refused) as why:
            return why
        return None

    def _note(self, results: Mapping[str, _Result]) -> None:
        for host, why in results.items():
            if isinstance(why, NoComputeHost) and host not in self._unknown:
                _log.warning("placement has no such compute host yet", host=host, name=str(why))
                self._unknown.add(host)
            elif not isinstance(why, NoComputeHost | PlacementDown):
                self._unknown.discard(host)
            if isinstance(why, Refused) and self._refused.get(host) != str(why):
                _log.error("placement refuses a host", host=host, reason=str(why))
                self._refused[host] = str(why)
            elif why is None:
                self._refused.pop(host, None)
                told_hosts.inc()
        unknown.set(len(self._unknown))
        refused.set(len(self._refused))
