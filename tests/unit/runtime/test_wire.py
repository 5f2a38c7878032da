"""Two processes that call each other over a socket (here: two ends in one loop)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from alcor.runtime.calls.wire import Call, Gone, Wire


@asynccontextmanager
async def connected(**calls: Call) -> AsyncIterator[tuple[Wire, Wire]]:
    """Who asks, and who does these calls."""
    asking, doing = Wire({}), Wire(calls)
    loop = asyncio.get_running_loop()
    for wire, end in zip((asking, doing), socket.socketpair(), strict=True):
        await loop.create_connection(lambda wire=wire: wire, sock=end)  # type: ignore[misc]
    try:
        yield asking, doing
    finally:
        asking.close()
        doing.close()
        await asyncio.gather(asking.gone(), doing.gone())


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_a_deadline() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(within_a_deadline())


async def _echo(request: bytes) -> bytes:
    return request


@pytest.mark.parametrize("size", [0, 1, 70_000, 9_000_000])
def test_what_is_said_arrives_whatever_its_size(size: int) -> None:
    async def main() -> None:
        async with connected(echo=_echo) as (asking, _):
            content = bytes(range(256)) * (size // 256 + 1)
            assert await asking.call("echo", content[:size]) == content[:size]

    run(main)


def test_a_slow_call_holds_up_no_other() -> None:
    async def main() -> None:
        finish = asyncio.Event()

        async def slow(request: bytes) -> bytes:
            await finish.wait()
            return b"slow"

        async with connected(slow=slow, echo=_echo) as (asking, _):
            late = asyncio.ensure_future(asking.call("slow", b""))
            assert await asking.call("echo", b"quick") == b"quick"
            finish.set()
            assert await late == b"slow"

    run(main)


def test_who_stops_waiting_stops_the_call() -> None:
    async def main() -> None:
        begun, stopped = asyncio.Event(), asyncio.Event()

        async def long(request: bytes) -> bytes:
            begun.set()
            try:
                return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
            finally:
                stopped.set()

        async with connected(long=long) as (asking, _):
            waiting = asyncio.ensure_future(asking.call("long", b""))
            await begun.wait()
            waiting.cancel()
            await stopped.wait()

    run(main)


def test_a_call_that_fails_fails_for_who_asked_and_nobody_else() -> None:
    async def main() -> None:
        async def broken(request: bytes) -> bytes:
            raise ZeroDivisionError

        async with connected(broken=broken, echo=_echo) as (asking, _):
            with pytest.raises(Gone, match="broken"):
                await asking.call("broken", b"")
            with pytest.raises(Gone, match="nobody"):
                await asking.call("nobody", b"")
            assert await asking.call("echo", b"still there") == b"still there"

    run(main)


def test_when_the_other_end_hangs_up_who_waits_is_told() -> None:
    async def main() -> None:
        async def never(request: bytes) -> bytes:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

        async with connected(never=never) as (asking, doing):
            waiting = asyncio.ensure_future(asking.call("never", b""))
            await asyncio.sleep(0)
            doing.close()
            with pytest.raises(Gone):
                await waiting
            await asking.gone()
            with pytest.raises(Gone):
                await asking.call("never", b"")

    run(main)


def test_while_the_other_end_does_not_read_calls_wait_and_not_bytes() -> None:
    async def main() -> None:
        size, count = 1 << 20, 40
        async with connected(echo=_echo) as (asking, doing):
            into, back = asking._transport, doing._transport
            assert into is not None
            assert back is not None
            back.pause_reading()
            calls = [asyncio.ensure_future(asking.call("echo", bytes(size))) for _ in range(count)]
            for _ in range(10):
                await asyncio.sleep(0)
            assert into.get_write_buffer_size() < 2 * size
            back.resume_reading()
            assert {len(reply) for reply in await asyncio.gather(*calls)} == {size}

    run(main)


def test_calls_that_wait_for_room_are_told_that_the_other_end_is_gone() -> None:
    async def main() -> None:
        async with connected(echo=_echo) as (asking, doing):
            assert doing._transport is not None
            doing._transport.pause_reading()
            calls = [asyncio.ensure_future(asking.call("echo", bytes(1 << 20))) for _ in "abcd"]
            for _ in range(10):
                await asyncio.sleep(0)
            doing._transport.abort()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(each) for each in answers] == [Gone] * 4

    run(main)
