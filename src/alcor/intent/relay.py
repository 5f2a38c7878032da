"""Tell the intent log what a manager has saved: in order, soon, and again after every start.

The relay sleeps until `notify`, or for a while, then publishes the changes that were handed over
with it, or the outbox where none were, or not all. What was published is forgotten by the manager's
next write (`forget`), so that telling costs no transaction of its own. At start every living row is
published again under its own revision, because a log may have lost everything; what the log holds
already it drops by revision. A log that is ahead was told by a database that has been put back
since, from a backup or by a server that took over without its end: that is undone (`_overtake`).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Protocol, TypeVar

import structlog
from prometheus_client import Gauge, Histogram

from alcor.intent import outbox, records
from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog
from alcor.values.errors import Unavailable

T = TypeVar("T")

changes_per_put_max = 1_000
handed_max = 10_000  # changes that wait in memory; beyond it the outbox is read
look_again_s = 2.0  # into the outbox, when nobody has said that there is something
rows_per_step_max = 2_000  # of the start: a step is one read transaction

pending_count = Gauge(
    "alcor_outbox_pending", "Changes that the intent log has not been told.", ["manager"]
)
told_seconds = Histogram(
    "alcor_outbox_seconds",
    "From a manager's commit until the intent log holds the change (sampled: one at a time).",
    ["manager"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)


_log = structlog.get_logger(__name__)


class Transactions(Protocol):
    """A manager's database, as the relay uses it."""

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T: ...


class Living(Protocol):
    """The records of a manager's living rows, in order of id."""

    def __call__(
        self, connection: sqlite3.Connection, after: str, limit: int
    ) -> Sequence[tuple[str, Change]]: ...


class Relay:
    """From one manager's outbox to the intent log."""

    def __init__(self, manager: str, database: Transactions, log: KeyedLog, living: Living) -> None:
        self.manager = manager
        self._database = database
        self._log = log
        self._living = living
        self._published = 0
        self._forgotten = 0  # the outbox has nothing up to here
        self._forgetting = 0  # nor up to here, if the last write was committed
        self._last = 0
        self._handed: list[Change] = []  # committed, and not published
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._pending = pending_count.labels(manager)
        self._sample: tuple[int, float] | None = None  # a sequence, and when it was committed
        self._told_seconds = told_seconds.labels(manager)
        self._told_epoch = log.epoch  # of the life of the log that `rebuild` began in

    @property
    def published(self) -> int:
        """The last sequence that the log has been told."""
        return self._published

    @property
    def pending(self) -> int:
        """How many changes the log has not been told."""
        return self._last - self._published

    def notify(self, sequence: int, changes: Sequence[Change] = ()) -> None:
        """The manager has committed up to and with `sequence`; who has the changes of that
        transaction at hand spares us to read them back."""
        self._handed += changes
        if len(self._handed) > handed_max:
            self._handed = []
        self._last = max(self._last, sequence)
        if self._sample is None and sequence > self._published:
            self._sample = sequence, asyncio.get_running_loop().time()
        self._pending.set(self.pending)
        self._wake.set()

    def forget(self, connection: sqlite3.Connection) -> None:
        """Inside a write of the manager: drop what was published; next to nothing when none was."""
        published = self._published
        gone = outbox.forget(connection, published, self._forgotten)
        if gone <= published - self._forgetting:  # else what the last write dropped was there still
            self._forgotten = self._forgetting
        self._forgetting = published

    async def rebuild(self) -> None:
        """Publish every living row, then what the outbox holds; the log is complete afterwards."""
        self._told_epoch = self._log.epoch
        held = await self._held()
        last = await self._database.read(outbox.last)
        ahead = max((entry.revision for entry in held.values()), default=0)
        if ahead > last:
            last = await self._overtake(held, last, ahead)
        after, living = "", set[str]()
        while rows := await self._step(after):
            await self._log.put([change for _, change in rows])
            living |= {change.key for _, change in rows}
            after = rows[-1][0]
        await self._bury(held, living, last)
        while changes := await self._outbox():
            await self._publish(changes)
        # Rows of the outbox may be gone already, published in an earlier life.
        self._published = max(self._published, last)
        self.notify(self._published)
        await self._log.complete(self.manager, self._published)

    async def refill(self) -> None:
        """Publish everything again whenever the log may have lost something, for ever."""
        while True:
            before = self._told_epoch
            await self._log.renewed(before)
            try:
                await self.rebuild()
            except Unavailable as away:
                _log.warning("log.not_refilled", manager=self.manager, reason=away.message)
                self._told_epoch = before
                await asyncio.sleep(look_again_s)

    async def run(self) -> None:
        """Publish what is committed, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_again())
            while True:
                await self._wake.wait()
                await asyncio.sleep(0)  # who waits for the answer to that write goes first
                self._wake.clear()
                try:
                    await self._publish_all()
                except Unavailable as away:  # what is in the outbox is read again at the next look
                    _log.warning("outbox.not_read", manager=self.manager, reason=away.message)

    async def _publish_all(self) -> None:
        full = True
        while full and (changes := self._following() or await self._outbox()):
            await self._publish(changes)
            full = len(changes) >= changes_per_put_max  # else what came since has notified

    async def _look_again(self) -> None:
        """A write whose answer was lost may have been done: nobody notifies of it."""
        while True:
            await asyncio.sleep(look_again_s)
            self._wake.set()

    async def published_all(self, sequence: int) -> None:
        """Wait until the log has been told everything up to and with `sequence`."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._published >= sequence)

    def _following(self) -> list[Change]:
        """What was handed over, if it is all that follows what was published."""
        handed, self._handed = self._handed, []
        following = range(self._published + 1, self._published + 1 + len(handed))
        complete = all(c.revision == n for c, n in zip(handed, following, strict=True))
        return handed if complete else []

    async def _held(self) -> dict[str, Entry]:
        """What the log holds of this manager's, and remembers as gone."""
        held: dict[str, Entry] = {}
        for kind in records.kinds_of(self.manager):
            prefix = records.key(kind, "")
            try:
                found = await self._log.changes(prefix, 0)
            except Compacted:
                found = await self._log.snapshot(prefix)
            held.update((entry.key, entry) for entry in found.entries)
        return held

    async def _overtake(self, held: Mapping[str, Entry], last: int, ahead: int) -> int:
        """Put back what the log has of later than `last`, at sequences after all that it has seen,
        where the manager goes on from now on; the last of them. Cut short, it is done again."""
        _log.warning("log.ahead", manager=self.manager, database=last, log=ahead)
        sequence, after, living = ahead, "", set[str]()
        while rows := await self._step(after):
            differ = [c for _, c in rows if c.key not in held or held[c.key].value != c.value]
            await self._log.put(
                [c._replace(revision=sequence + n) for n, c in enumerate(differ, 1)]
            )
            sequence += len(differ)
            living |= {change.key for _, change in rows}
            after = rows[-1][0]
        gone = [k for k, entry in held.items() if entry.value is not None and k not in living]
        await self._log.put([Change(k, None, sequence + n) for n, k in enumerate(gone, 1)])
        sequence += len(gone)
        await self._database.write(lambda connection: outbox.skip(connection, sequence))
        return sequence

    async def _bury(self, held: Mapping[str, Entry], living: Set[str], last: int) -> None:
        """A log that has lost its end may hold what was deleted since: it is gone as of `last`."""
        gone = [k for k, entry in held.items() if entry.value is not None and k not in living]
        await self._log.put([Change(key, None, last) for key in gone])

    async def _step(self, after: str) -> Sequence[tuple[str, Change]]:
        return await self._database.read(
            lambda connection: self._living(connection, after, rows_per_step_max)
        )

    async def _outbox(self) -> list[Change]:
        return await self._database.read(
            lambda connection: outbox.pending(connection, self._published, changes_per_put_max)
        )

    async def _publish(self, changes: list[Change]) -> None:
        await self._log.put(changes)
        self._published = max(self._published, changes[-1].revision)
        self._last = max(self._last, self._published)
        if self._sample is not None and self._published >= self._sample[0]:
            self._told_seconds.observe(asyncio.get_running_loop().time() - self._sample[1])
            self._sample = None
        self._pending.set(self.pending)
        async with self._moved:
            self._moved.notify_all()
