"""Put the publisher together: what assembly opens, starts and closes.

It follows the intent log, so that no request waits for Designate. What was published is kept, so
that after an outage, or a crash, only the difference is put.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from alcor.integrations.designate.client import DesignateClient, DesignateDown, Unpublished
from alcor.integrations.designate.record_sets import RecordSet, Wanted
from alcor.integrations.designate.settings import DesignateSettings
from alcor.integrations.designate.store import PublishedStore
from alcor.integrations.telling import tell
from alcor.intent.follow import Ready, follow, id_of, record_of
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.runtime.sql.places import Place, open_database
from alcor.values.errors import Unavailable

VERSIONS = Path(__file__).parent / "versions"
KINDS = ("network", "subnet", "port", "floating_ip")
batch_max = 100  # record sets between two writes of what was published

_log = structlog.get_logger("alcor.designate")

published = Counter("alcor_designate_record_sets_put", "Record sets that Designate was given.")
refused = Gauge("alcor_designate_record_sets_refused", "Record sets that Designate won't have.")
waiting = Gauge("alcor_designate_record_sets_waiting", "Record sets that Designate is to be given.")


class DesignateApp:
    """The publisher as assembly sees it; it has the attributes of a manager's app, and no API."""

    name = "designate"

    def __init__(
        self,
        place: Place,
        intent: KeyedLog,
        rebuilt: Ready,
        client: DesignateClient,
        settings: DesignateSettings,
    ) -> None:
        self.database = open_database(place, self.name, VERSIONS)
        self.resources: Sequence[tuple[Any, Any]] = []
        self.peers: Sequence[tuple[Any, object]] = []
        self._intent, self._rebuilt = intent, rebuilt
        self._client = client
        self._settings = settings
        self._store = PublishedStore(self.database)
        self._wanted = Wanted(settings)
        self._put: dict[RecordSet, frozenset[str]] = {}
        self._refused: set[RecordSet] = set()
        self._doubted: set[RecordSet] = set()  # put, but who knows
        self._unknown = set(KINDS)  # kinds of which not all is known: nothing is taken away yet
        self._news = asyncio.Event()

    async def recover(self) -> None:
        """Remember what was published, and what was under way when this was cut short."""
        self._put = await self._store.all()
        self._doubted = {of for of, records in self._put.items() if not records}

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Follow what names follow from; publish; now and then look whether it is still there."""
        take: dict[str, Callable[[str, Any], None]] = {
            "network": self._wanted.network,
            "subnet": self._wanted.subnet,
            "port": self._wanted.port,
            "floating_ip": self._wanted.floating,
        }
        return [
            *(self._follow(kind, take[kind]) for kind in KINDS),
            self._publish(),
            self._compare(),
        ]

    def _follow(self, kind: str, take: Callable[[str, Any], None]) -> Coroutine[Any, Any, None]:
        async def apply(entries: Sequence[Entry]) -> None:
            for entry in entries:
                take(id_of(entry), record_of(entry))
            self._news.set()

        async def replace(entries: Sequence[Entry]) -> None:
            for id_ in self._wanted.known(kind) - {id_of(entry) for entry in entries}:
                take(id_, None)
            self._unknown.discard(kind)
            if not self._unknown:
                # Also what was published in another life, and is wanted no more.
                lapsed = {of for of in self._put if not self._as_put(of)}
                self._wanted.dirty |= lapsed | self._doubted
            await apply(entries)

        return follow(self._intent, kind, self._rebuilt, replace, apply)

    def _as_put(self, of: RecordSet) -> bool:
        return self._wanted.values(of) == self._put.get(of, frozenset())

    async def _compare(self) -> None:
        """Others may have changed what we put, or made the zone that there was not."""
        while True:
            await asyncio.sleep(self._settings.compare_s)
            self._doubted = {*self._wanted.sets, *self._put}
            self._wanted.dirty |= self._doubted
            self._news.set()

    async def _publish(self) -> None:
        failed = "names were not published"
        await tell(self._news, self._publish_some, DesignateDown, self._settings, failed)

    async def _publish_some(self) -> bool:
        """Whether there was anything to publish; not before all that is wanted is known."""
        if self._unknown:
            return False
        dirty = self._wanted.dirty
        dirty -= {of for of in dirty if of not in self._doubted and self._as_put(of)}
        waiting.set(len(dirty))
        batch = list(islice(dirty, batch_max))
        if not batch:
            return False
        await self._store.begin(batch)
        wanted = {of: self._wanted.values(of) for of in batch}
        dirty.difference_update(batch)  # what changes meanwhile is dirty again
        work = (self._put_one(of, records) for of, records in wanted.items())
        results = dict(zip(batch, await asyncio.gather(*work), strict=True))
        put = {of: wanted[of] for of, result in results.items() if result is None}
        try:
            await self._store.keep(put)
        except Unavailable:  # they are put, and once more when that can be noted
            dirty.update(batch)
            self._doubted.update(batch)
            raise
        self._note(put, results)
        down = [(of, why) for of, why in results.items() if isinstance(why, DesignateDown)]
        if down:
            dirty.update(of for of, _ in down)
            self._doubted.update(of for of, _ in down)
            raise down[0][1]
        return True

    async def _put_one(
        self, of: RecordSet, records: frozenset[str]
    ) -> DesignateDown | Unpublished | None:
        """Why it was not put; None: it was."""
        try:
            await self._client.put(of, records)
        except (DesignateDown, Unpublished) as why:
            return why
        return None

    def _note(
        self,
        put: Mapping[RecordSet, frozenset[str]],
        results: Mapping[RecordSet, DesignateDown | Unpublished | None],
    ) -> None:
        for of, records in put.items():
            if records:
                self._put[of] = records
            else:
                self._put.pop(of, None)
        for of, why in results.items():
            if isinstance(why, Unpublished):
                _log.warning("a name is not published", **of._asdict(), reason=str(why))
                self._refused.add(of)
            elif why is None:
                self._refused.discard(of)
        self._doubted -= {of for of, why in results.items() if not isinstance(why, DesignateDown)}
        published.inc(len(put))
        refused.set(len(self._refused))
