"""What every keyed log promises (src/alcor/keyed_log/log.py)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, cast
from uuid import uuid4

import nats
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats.aio.client import Client

from alcor.keyed_log.jetstream import JetStreamLog
from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog, Slow
from alcor.keyed_log.memory import MemoryLog
from alcor.keyed_log.remote import Keeper, RemoteLog

# epoch, tombstones, entries a watcher may be behind
LogMaker = Callable[[int, int, int], Awaitable[KeyedLog]]


async def memory(epoch: int, tombstones_max: int, watcher_pending_max: int) -> KeyedLog:
    return MemoryLog(epoch, tombstones_max=tombstones_max, watcher_pending_max=watcher_pending_max)


class Neighbouring:
    """The way to a keeper in this process; everything goes through bytes."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def call(self, name: str, request: bytes) -> bytes:
        return await self._keeper.calls[name](request)


async def remote(epoch: int, tombstones_max: int, watcher_pending_max: int) -> KeyedLog:
    keeper = Keeper(await memory(epoch, tombstones_max, watcher_pending_max), "log")
    return RemoteLog(Neighbouring(keeper), "log", epoch)


async def jetstream(
    url: str, epoch: int, tombstones_max: int, watcher_pending_max: int
) -> KeyedLog:
    client = await nats.connect(url)
    log = JetStreamLog(
        client,
        uuid4().hex,
        epoch,
        tombstones_max=tombstones_max,
        watcher_pending_max=watcher_pending_max,
    )
    running.append((client, asyncio.ensure_future(log.run())))
    return log


running: list[tuple[Client, asyncio.Future[None]]] = []  # of the loop that runs


@pytest.fixture(params=["memory", "remote", "jetstream"], scope="module")
def make(request: pytest.FixtureRequest) -> LogMaker:
    if request.param == "memory":
        return memory
    if request.param == "remote":
        return remote
    return partial(jetstream, request.getfixturevalue("nats_server").url)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_a_deadline() -> None:
        try:
            async with asyncio.timeout(30):
                await main()
        finally:
            for client, log in running:
                assert not log.done()
                log.cancel()
                await client.close()
            running.clear()

    asyncio.run(within_a_deadline())


def closing(watch: AsyncIterator[Sequence[Entry]]) -> "aclosing[Any]":
    return aclosing(cast(Any, watch))


async def seen(watch: AsyncIterator[Sequence[Entry]], count: int) -> list[tuple[str, bytes | None]]:
    """The next `count` changes that a watcher is given."""
    got: list[tuple[str, bytes | None]] = []
    while len(got) < count:
        got += [(entry.key, entry.value) for entry in await anext(watch)]
    return got


def test_a_put_that_is_not_newer_changes_nothing(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 100)
        first = await log.put([Change("a/1", b"new", 5)])

        again = await log.put([Change("a/1", b"old", 4), Change("a/1", b"same revision", 5)])

        assert again == first
        assert (await log.get(["a/1"]))["a/1"].value == b"new"

    run(main)


def test_a_tombstone_is_a_change_with_a_revision(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 100)
        await log.put([Change("a/1", b"x", 1), Change("a/1", None, 3), Change("a/1", b"late", 2)])

        assert await log.get(["a/1"]) == {}
        assert (await log.snapshot("")).entries == []

    run(main)


def test_a_snapshot_holds_the_living_under_its_prefix_in_order(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(7, 100, 100)
        await log.put(
            [Change(f"network/{n}/port/{p}", b"v", 1) for n in (1, 12) for p in (1, 2, 3)]
            + [Change("network/1/port/2", None, 2), Change("network/1/port/1", b"w", 2)]
            + [Change("network/x", b"v", 1), Change("other/1", b"v", 1)]
        )

        slice_ = await log.snapshot("network/1/")
        everything = await log.snapshot("")
        kind = await log.snapshot("network/")

        assert [entry.key for entry in slice_.entries] == ["network/1/port/3", "network/1/port/1"]
        assert (slice_.epoch, slice_.position) == (7, 10)
        assert len(everything.entries) == 7
        assert len(kind.entries) == 6
        positions = [entry.position for entry in everything.entries]
        assert positions == sorted(positions)

    run(main)


def test_a_watcher_is_given_what_came_after_its_position_and_what_comes(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 100)
        await log.put([Change("a/1", b"1", 1)])
        since = await log.put([Change("a/2", b"2", 2)])
        await log.put([Change("b/1", b"no", 3), Change("a/1", None, 4)])

        async with closing(log.watch("a/", since)) as watch:
            assert await seen(watch, 1) == [("a/1", None)]
            await log.put([Change("a/3", b"3", 5)])
            assert await seen(watch, 1) == [("a/3", b"3")]

    run(main)


def test_a_slow_watcher_may_skip_values_but_never_the_last(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 10)

        async with closing(log.watch("", 0)) as watch:
            await log.put([Change("a/1", b"0", 1)])
            await seen(watch, 1)
            for revision in range(2, 1_000):
                await log.put([Change("a/1", b"%d" % revision, revision)])
            got = [await anext(watch)]
            while got[-1][-1].value != b"999":
                got.append(await anext(watch))

            assert sum(map(len, got)) < 900

    run(main)


def test_a_watcher_that_is_too_far_behind_is_cut_off(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 10)

        async with closing(log.watch("", 0)) as watch:
            await log.put([Change("a/0", b"", 1)])
            await seen(watch, 1)
            await log.put([Change(f"a/{n}", b"", 2) for n in range(50)])
            with pytest.raises(Slow):
                await seen(watch, 1_000)

    run(main)


def test_beyond_the_tombstones_kept_history_is_compacted(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 2, 100)
        since = await log.put([Change(f"a/{n}", b"", 1) for n in range(4)])
        await log.put([Change(f"a/{n}", None, 2) for n in range(4)])

        with pytest.raises(Compacted):
            await log.changes("a/", since)
        async with closing(log.watch("a/", since)) as watch:
            with pytest.raises(Compacted):
                await anext(watch)
        late = await log.changes("a/", since + 2)
        assert [(entry.key, entry.value) for entry in late.entries] == [
            ("a/2", None),
            ("a/3", None),
        ]

    run(main)


def test_a_position_that_the_log_has_not_reached_is_of_another_life(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 100)
        position = await log.put([Change("a/1", b"", 1)])

        with pytest.raises(Compacted):
            await log.changes("a/", position + 1)

    run(main)


def test_changes_since_a_position_are_the_last_values_and_tombstones(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 100)
        await log.put([Change("network/1/a", b"1", 1), Change("network/1/b", b"1", 1)])
        since = await log.put([Change("network/2/c", b"1", 1)])
        await log.put([Change("network/1/a", b"2", 2), Change("network/1/b", None, 2)])
        await log.put([Change("network/1/a", b"3", 3)])

        for prefix in ("network/1/", "network/", ""):
            changed = await log.changes(prefix, since)
            assert [(entry.key, entry.value) for entry in changed.entries] == [
                ("network/1/b", None),
                ("network/1/a", b"3"),
            ]

    run(main)


history = st.lists(
    st.tuples(st.sampled_from(["a/1", "a/2", "b/1/x"]), st.sampled_from([b"v", b"w", None])),
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(history=history, data=st.data())
def test_any_order_and_doubling_of_changes_ends_the_same(
    make: LogMaker, history: list[tuple[str, bytes | None]], data: st.DataObject
) -> None:
    changes = [Change(key, value, at) for at, (key, value) in enumerate(history, start=1)]
    shuffled = data.draw(st.permutations(changes + changes[: len(changes) // 2]))

    async def end(of: Sequence[Change]) -> set[tuple[str, bytes | None, int]]:
        log = await make(1, 100, 100)
        for change in of:
            await log.put([change])
        return {(e.key, e.value, e.revision) for e in (await log.changes("", 0)).entries}

    async def main() -> None:
        assert await end(shuffled) == await end(changes)

    run(main)


@settings(max_examples=30, deadline=None)
@given(batches=st.lists(history, max_size=6), reads=st.lists(st.booleans(), max_size=6))
def test_a_watcher_always_ends_with_what_the_log_holds(
    make: LogMaker, batches: list[list[tuple[str, bytes | None]]], reads: list[bool]
) -> None:
    async def main() -> None:
        log, revision, position = await make(1, 100, 100), 0, 0
        told: dict[str, Entry] = {}
        last: list[tuple[str, bytes | None]] = [("end/1", b"end")]
        async with closing(log.watch("", 0)) as watch:
            for at, batch in enumerate([*batches, last]):
                revision += 1
                changes = [
                    Change(key, value, revision * 100 + n) for n, (key, value) in enumerate(batch)
                ]
                position = await log.put(changes)
                if batch and at < len(reads) and reads[at]:
                    told.update({e.key: e for e in await anext(watch)})
            while not told or max(entry.position for entry in told.values()) < position:
                told.update({entry.key: entry for entry in await anext(watch)})

        held = {entry.key: entry for entry in (await log.changes("", 0)).entries}
        assert told == held

    run(main)


def test_a_log_is_complete_when_every_writer_has_said_so(make: LogMaker) -> None:
    async def main() -> None:
        log = await make(1, 100, 100)
        waiting = asyncio.ensure_future(log.completed(["port", "subnet"]))
        await log.complete("port", 7)
        await log.put([Change("a/1", b"", 1)])
        assert not waiting.done()

        await log.complete("subnet", 0)

        assert await waiting == {"port": 7, "subnet": 0}
        assert len((await log.snapshot("")).entries) == 1

    run(main)
