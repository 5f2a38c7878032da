"""Put the notifier together: what assembly opens, starts and closes."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from alcor.goal_state.reports import PortReport
from alcor.integrations.nova.client import NovaClient, NovaDown
from alcor.integrations.nova.settings import NovaSettings
from alcor.integrations.nova.store import ToldStore
from alcor.integrations.nova.tracker import Tracker
from alcor.integrations.telling import tell
from alcor.intent.follow import Ready, follow, follow_prefix, id_of, record_of
from alcor.intent.records import FloatingIpRecord, PortRecord
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.runtime.sql.places import Place, open_database

VERSIONS = Path(__file__).parent / "versions"

_log = structlog.get_logger("alcor.nova")
_report = msgspec.msgpack.Decoder(PortReport).decode

events_sent = Counter("alcor_nova_events", "Events that Nova was told.", ["event"])
waiting = Gauge("alcor_nova_ports_waiting", "Ports of which Nova is to be told something.")


class NovaApp:
    """The notifier as assembly sees it; it has the attributes of a manager's app, and no API."""

    name = "nova"

    def __init__(
        self,
        place: Place,
        intent: KeyedLog,
        reports: KeyedLog,
        rebuilt: Ready,
        client: NovaClient,
        settings: NovaSettings,
    ) -> None:
        self.database = open_database(place, self.name, VERSIONS)
        self.resources: Sequence[tuple[Any, Any]] = []
        self.peers: Sequence[tuple[Any, object]] = []
        self._intent, self._reports, self._rebuilt = intent, reports, rebuilt
        self._client = client
        self._settings = settings
        self._store = ToldStore(self.database)
        self._tracker = Tracker({})
        self._news = asyncio.Event()

    async def recover(self) -> None:
        """Remember what Nova was told."""
        self._tracker = Tracker(await self._store.all())

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Follow ports, floating IPs and what hosts report; tell Nova."""
        floating, hosts = self._taking(self._floating), self._taking(self._reported)
        return [
            follow(self._intent, "port", self._rebuilt, self._all_ports, self._taking(self._port)),
            follow(self._intent, "floating_ip", self._rebuilt, floating, floating),
            follow_prefix(self._reports, "port/", hosts, hosts),
            self._tell(),
        ]

    async def _all_ports(self, entries: Sequence[Entry]) -> None:
        ports = {id_of(entry): _port_of(entry) for entry in entries}
        self._tracker.all_ports({id_: port for id_, port in ports.items() if port is not None})
        self._news.set()

    def _port(self, entry: Entry) -> None:
        self._tracker.port(id_of(entry), _port_of(entry))

    def _floating(self, entry: Entry) -> None:
        record = record_of(entry)
        assert record is None or isinstance(record, FloatingIpRecord)
        self._tracker.floating(id_of(entry), record)

    def _reported(self, entry: Entry) -> None:
        if entry.value is not None:
            self._tracker.report(_report(entry.value))

    def _taking(
        self, take: Callable[[Entry], None]
    ) -> Callable[[Sequence[Entry]], Coroutine[Any, Any, None]]:
        async def taken(entries: Sequence[Entry]) -> None:
            for entry in entries:
                take(entry)
            self._news.set()

        return taken

    async def _tell(self) -> None:
        failed = "nova was not told"
        await tell(self._news, self._tell_some, NovaDown, self._settings, failed)

    async def _tell_some(self) -> bool:
        """Whether there was anything to tell."""
        news = self._tracker.news(self._settings.batch_max)
        waiting.set(len(self._tracker.dirty))
        if not news:
            return False
        said = [event for each in news for event in each.events]
        if said:
            await self._client.send(said)
        await self._store.keep(news)
        self._tracker.told(news)
        for event in said:
            events_sent.labels(event.name).inc()
        return True


def _port_of(entry: Entry) -> PortRecord | None:
    record = record_of(entry)
    assert record is None or isinstance(record, PortRecord)
    return record
