"""Who stops reading a log of another process leaves nothing behind there, whenever they stop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.keyed_log.remote import Keeper, RemoteLog


class Wire:
    """As a wire to another process: a call that is cancelled here is cancelled there, later."""

    def __init__(self, keeper: Keeper, replies: Callable[[str], bool]) -> None:
        self._keeper = keeper
        self._replies = replies
        self.asked: list[str] = []

    async def call(self, name: str, request: bytes) -> bytes:
        self.asked.append(name)
        there = asyncio.ensure_future(self._keeper.calls[name](request))
        try:
            reply = await asyncio.shield(there)
            if not self._replies(name):
                await asyncio.get_running_loop().create_future()
            return reply
        except asyncio.CancelledError:
            there.cancel()
            raise


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def stopped(read: Callable[[RemoteLog], Awaitable[object]], lost: str) -> Keeper:
    """A keeper whose reader was cancelled while it waited for `lost`."""
    log = MemoryLog(1)
    await log.put([Change("a/1", b"x", 1)])
    keeper = Keeper(log, "log")
    wire = Wire(keeper, lambda name: name != lost)
    reading = asyncio.ensure_future(read(RemoteLog(wire, "log", 1)))
    await settle()
    assert lost in wire.asked
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    await settle()
    return keeper


async def watch(log: RemoteLog) -> None:
    async for _ in log.watch("", 0):
        pass


async def snapshot(log: RemoteLog) -> None:
    await log.snapshot("")


@pytest.mark.parametrize(
    ("read", "lost"),
    [(watch, "log.watch"), (watch, "log.next"), (snapshot, "log.snapshot")],
)
def test_a_reader_that_is_cancelled_is_forgotten(
    read: Callable[[RemoteLog], Awaitable[object]], lost: str
) -> None:
    keeper = asyncio.run(stopped(read, lost))

    assert not keeper._readings


def test_a_reader_that_waits_for_changes_is_forgotten_when_it_is_cancelled() -> None:
    async def main() -> Keeper:
        keeper = Keeper(MemoryLog(1), "log")
        wire = Wire(keeper, lambda _: True)
        reading = asyncio.ensure_future(watch(RemoteLog(wire, "log", 1)))
        await settle()
        assert wire.asked == ["log.watch", "log.next"]  # which waits there for a change
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await settle()
        return keeper

    assert not asyncio.run(main())._readings
