"""The log is told everything in order, whether changes were handed over or must be read back."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from prometheus_client import REGISTRY

from alcor.intent import outbox
from alcor.intent.relay import Relay, handed_max
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.values.errors import Unavailable

T = TypeVar("T")


class Transactions:
    """A database with an outbox that counts how often it is read."""

    def __init__(self, path: Path) -> None:
        self.reads = 0
        self.away = False
        self._connection = sqlite3.connect(path, isolation_level=None)
        for statement in outbox.SCHEMA:
            self._connection.execute(statement)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return work(self._connection)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self.reads += 1
        if self.away:
            raise Unavailable("the database of thing does not answer")
        return work(self._connection)

    def save(self, *keys: str) -> list[Change]:
        first = outbox.take(self._connection, len(keys))
        changes = [Change(key, key.encode(), n, "req-1") for n, key in enumerate(keys, first)]
        outbox.save(self._connection, changes)
        return changes

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class World:
    """A relay that runs, its database and its log."""

    def __init__(self, path: Path) -> None:
        self.database = Transactions(path)
        self.log = MemoryLog(1)
        self.relay = Relay("thing", self.database, self.log, lambda *_: ())

    async def told(self, sequence: int) -> list[tuple[str, int]]:
        """What the log holds once it has been told up to here."""
        await asyncio.wait_for(self.relay.published_all(sequence), 5)
        return [(entry.key, entry.revision) for entry in (await self.log.snapshot("")).entries]


async def running(path: Path, test: Callable[[World], Awaitable[None]]) -> None:
    world = World(path)
    task = asyncio.ensure_future(world.relay.run())
    try:
        await test(world)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        world.database.close()


def test_what_is_handed_over_is_published_without_being_read_back(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        changes = world.database.save("thing/a", "thing/b")
        world.relay.notify(2, changes)
        assert await world.told(2) == [("thing/a", 1), ("thing/b", 2)]
        assert world.database.reads == 0

    asyncio.run(running(tmp_path / "db", test))


def test_how_long_it_takes_until_the_log_is_told_is_measured(tmp_path: Path) -> None:
    def told() -> float:
        labels = {"manager": "thing"}
        return REGISTRY.get_sample_value("alcor_outbox_seconds_count", labels) or 0

    async def test(world: World) -> None:
        before = told()
        world.relay.notify(1, world.database.save("thing/a"))
        await world.told(1)
        assert told() == before + 1
        world.relay.notify(1)  # nothing new
        world.relay.notify(2, world.database.save("thing/b"))
        await world.told(2)
        assert told() == before + 2

    asyncio.run(running(tmp_path / "db", test))


def test_a_gap_in_what_is_handed_over_is_read_from_the_outbox(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        world.database.save("thing/a")
        world.relay.notify(2, world.database.save("thing/b"))
        assert await world.told(2) == [("thing/a", 1), ("thing/b", 2)]

    asyncio.run(running(tmp_path / "db", test))


def test_what_is_handed_over_beyond_the_limit_is_read_from_the_outbox(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        count = handed_max + 1
        world.relay.notify(count, world.database.save(*(f"thing/{n}" for n in range(count))))
        assert len(await world.told(count)) == count
        assert world.database.reads > 1

    asyncio.run(running(tmp_path / "db", test))


def test_changes_that_were_read_already_are_not_told_twice(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        first, second = world.database.save("thing/a"), world.database.save("thing/b")
        world.relay.notify(2)
        await world.told(2)
        position = world.log.position
        world.relay.notify(2, [*first, *second])
        third: Sequence[Change] = world.database.save("thing/c")
        world.relay.notify(3, third)
        assert (await world.told(3))[-1] == ("thing/c", 3)
        assert world.log.position == position + 1

    asyncio.run(running(tmp_path / "db", test))


def test_a_write_that_nobody_could_be_told_of_is_told_to_the_log(tmp_path: Path) -> None:
    """A database may commit, and go away before it answers: then nobody notifies."""

    async def test(world: World) -> None:
        world.database.save("thing/a")
        assert await world.told(1) == [("thing/a", 1)]

    asyncio.run(running(tmp_path / "db", test))


class Renewing(MemoryLog):
    """A log that begins another life while it is first told everything."""

    def __init__(self) -> None:
        super().__init__(1)
        self.at = 1
        self.completions: list[int] = []
        self.twice = asyncio.Event()

    @property
    def epoch(self) -> int:
        return self.at

    async def complete(self, manager: str, revision: int) -> None:
        self.completions.append(self.at)
        if len(self.completions) == 2:
            self.twice.set()
        self.at = 2

    async def renewed(self, epoch: int) -> int:
        if self.at <= epoch:
            await asyncio.Event().wait()
        return self.at


def test_a_life_of_the_log_that_began_during_the_start_is_told_everything(tmp_path: Path) -> None:
    """Several managers tell the log together: one may have ended before the log was lost."""

    async def test() -> None:
        database, log = Transactions(tmp_path / "db"), Renewing()
        relay = Relay("thing", database, log, lambda *_: ())
        await relay.rebuild()
        refill = asyncio.ensure_future(relay.refill())
        await log.twice.wait()
        assert log.completions == [1, 2]
        refill.cancel()
        await asyncio.gather(refill, return_exceptions=True)
        database.close()

    asyncio.run(asyncio.wait_for(test(), 5))


def test_a_log_is_refilled_when_the_database_is_there_again(tmp_path: Path) -> None:
    async def test() -> None:
        database, log = Transactions(tmp_path / "db"), Renewing()
        relay = Relay("thing", database, log, lambda *_: ())
        await relay.rebuild()
        database.away, reads = True, database.reads
        refill = asyncio.ensure_future(relay.refill())
        while database.reads == reads:  # noqa: ASYNC110 - what we wait for has no event
            await asyncio.sleep(0)
        database.away = False
        await log.twice.wait()
        refill.cancel()
        await asyncio.gather(refill, return_exceptions=True)
        database.close()

    asyncio.run(asyncio.wait_for(test(), 30))


class Restored:
    """A manager of things whose database was put back to what it was, below a log that went on."""

    def __init__(self, path: Path, log: MemoryLog) -> None:
        self.things: dict[str, Change] = {}
        self.database = Transactions(path)
        self.relay = Relay("network", self.database, log, self._living)

    def save(self, key: str, value: bytes | None) -> None:
        sequence = outbox.take(self.database._connection, 1)
        change = Change(key, value, sequence)
        self.things[key] = change
        outbox.save(self.database._connection, [change])

    def _living(
        self, connection: sqlite3.Connection, after: str, limit: int
    ) -> Sequence[tuple[str, Change]]:
        return [(k, c) for k, c in sorted(self.things.items()) if k > after and c.value][:limit]


def test_a_database_that_is_older_than_the_log_has_the_log_put_back_and_goes_on_after_it(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        log = MemoryLog(1)
        before = Restored(tmp_path / "before", log)
        for key in ("network/kept", "network/changed", "network/deleted"):
            before.save(key, b"backed up")
        await before.relay.rebuild()
        before.save("network/changed", b"since then")
        before.save("network/made", b"since then")
        before.save("network/deleted", None)
        await before.relay.rebuild()
        last = (await log.snapshot("")).entries[-1].revision
        assert last == 5

        restored = Restored(tmp_path / "restored", log)
        for key in ("network/kept", "network/changed", "network/deleted"):
            restored.save(key, b"backed up")
        at = log.position
        await restored.relay.rebuild()

        held = {e.key: (e.value, e.revision) for e in (await log.snapshot("")).entries}
        assert {key: value for key, (value, _) in held.items()} == dict.fromkeys(
            ("network/kept", "network/changed", "network/deleted"), b"backed up"
        )
        changed = (await log.changes("", at)).entries
        assert {entry.key for entry in changed} == {
            "network/changed", "network/made", "network/deleted",
        }  # fmt: skip
        assert sorted(entry.revision for entry in changed) == [last + 2, last + 3, last + 4]
        restored.save("network/new", b"afterwards")
        await restored.relay.rebuild()
        assert (await log.get(["network/new"]))["network/new"].revision == 10
        at = log.position
        await restored.relay.rebuild()
        assert log.position == at  # as any start: nothing to say
        for each in (before, restored):
            each.database.close()

    asyncio.run(asyncio.wait_for(test(), 5))


def test_what_could_not_be_read_back_is_told_when_the_database_is_there_again(
    tmp_path: Path,
) -> None:
    async def test(world: World) -> None:
        world.database.away = True
        world.relay.notify(1)  # nothing at hand: it must be read back
        while not world.database.reads:  # noqa: ASYNC110 - what we wait for has no event
            await asyncio.sleep(0)
        world.database.away = False
        world.relay.notify(1, world.database.save("thing/a"))
        assert await world.told(1) == [("thing/a", 1)]

    asyncio.run(running(tmp_path / "db", test))


class Undone(Exception):
    """The write is not committed."""


def forgetting(world: World, *, undone: bool = False) -> str:
    """Let a write forget what was published; the condition on the rows that it drops."""
    said: list[str] = []
    with suppress(Undone), world.database.transaction() as connection:
        connection.set_trace_callback(said.append)
        world.relay.forget(connection)
        connection.set_trace_callback(None)
        if undone:
            raise Undone
    return said[0].partition("WHERE ")[2]


def test_a_write_forgets_what_was_published_since_the_last_one_that_was_committed(
    tmp_path: Path,
) -> None:
    async def test(world: World) -> None:
        world.relay.notify(2, world.database.save("thing/a", "thing/b"))
        await world.told(2)
        assert forgetting(world) == "sequence > 0 AND sequence <= 2"
        world.relay.notify(3, world.database.save("thing/a"))
        await world.told(3)
        assert forgetting(world, undone=True) == "sequence > 0 AND sequence <= 3"
        assert forgetting(world, undone=True) == "sequence > 2 AND sequence <= 3"
        world.relay.notify(4, world.database.save("thing/b"))
        await world.told(4)
        assert forgetting(world) == "sequence > 2 AND sequence <= 4"
        assert await world.database.read(lambda c: outbox.pending(c, 0, 10)) == []
        assert forgetting(world) == "sequence > 2 AND sequence <= 4"
        assert forgetting(world) == "sequence > 4 AND sequence <= 4"

    asyncio.run(running(tmp_path / "db", test))
