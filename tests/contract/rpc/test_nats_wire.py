"""What calls over NATS promise: parts, failures, processes that die, and those that leave."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import nats
import pytest
from nats.aio.client import Client

from alcor.runtime.calls import nats_wire
from alcor.runtime.calls.nats_wire import Call, NatsWire
from alcor.values.errors import Refusal, Unavailable


class Server(Protocol):
    url: str


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_a_deadline() -> None:
        async with asyncio.timeout(30):
            await main()

    asyncio.run(within_a_deadline())


@asynccontextmanager
async def wire(url: str, calls: Mapping[str, Call] | None = None) -> AsyncIterator[NatsWire]:
    """One process that serves these calls."""
    client: Client = await nats.connect(url)
    opened = NatsWire(client)
    try:
        await opened.open()
        await opened.serve(calls or {})
        yield opened
    finally:
        await client.close()


async def echo(request: bytes) -> bytes:
    return request


def test_many_calls_at_once_get_their_own_replies_of_any_size(nats_server: Server) -> None:
    async def long(request: bytes) -> bytes:
        return request * 1_000_000

    async def main() -> None:
        calls = {"a.echo": echo, "a.long": long}
        async with wire(nats_server.url, calls), wire(nats_server.url) as asking:
            texts = [b"%d" % n for n in range(200)]
            assert await asyncio.gather(*(asking.call("a.echo", t) for t in texts)) == texts
            assert await asking.call("a.echo", b"") == b""
            assert await asking.call("a.long", b"xyz") == b"xyz" * 1_000_000

    run(main)


def test_a_call_waits_until_somebody_serves_it_and_not_for_ever(
    nats_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_wire, "nobody_s_max", 0.5)

    async def main() -> None:
        async with wire(nats_server.url) as asking:
            with pytest.raises(Unavailable, match="not there just now; try again"):
                await asking.call("b.echo", b"")
            waiting = asyncio.ensure_future(asking.call("b.echo", b"late"))
            async with wire(nats_server.url, {"b.echo": echo}):
                assert await waiting == b"late"

    run(main)


def test_what_can_not_be_passed_on_is_refused(nats_server: Server) -> None:
    async def main() -> None:
        async with wire(nats_server.url, {"c.echo": echo}) as asking:
            with pytest.raises(Refusal, match="more than can be passed on"):
                await asking.call("c.echo", bytes(nats_wire.request_bytes_max + 1))

    run(main)


def test_a_request_larger_than_a_message_comes_whole_to_whoever_takes_it(
    nats_server: Server,
) -> None:
    async def main() -> None:
        calls = {"g.echo": echo}
        async with (
            wire(nats_server.url, calls),
            wire(nats_server.url, calls),
            wire(nats_server.url) as asking,
        ):
            texts = [bytes([n]) * (1_300_000 + n) for n in range(8)]
            assert await asyncio.gather(*(asking.call("g.echo", t) for t in texts)) == texts

    run(main)


def test_a_large_request_that_nobody_serves_waits_for_somebody(nats_server: Server) -> None:
    async def main() -> None:
        async with wire(nats_server.url) as asking:
            waiting = asyncio.ensure_future(asking.call("h.echo", bytes(2_000_000)))
            async with wire(nats_server.url, {"h.echo": echo}):
                assert await waiting == bytes(2_000_000)

    run(main)


def test_a_call_that_fails_is_told_and_the_next_is_served(nats_server: Server) -> None:
    async def fail(request: bytes) -> bytes:
        raise ValueError("a fault of ours, which is not for clients")

    async def main() -> None:
        async with wire(nats_server.url, {"d.fail": fail, "d.echo": echo}) as asking:
            with pytest.raises(Unavailable, match=r"^What keeps this could not do it; its log"):
                await asking.call("d.fail", b"")
            assert await asking.call("d.echo", b"on") == b"on"

    run(main)


def test_a_slow_call_may_take_its_time_but_a_dead_process_is_noticed(
    nats_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_wire, "silence_s_max", 0.3)
    monkeypatch.setattr(nats_wire, "alive_every_s", 0.05)
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(request: bytes) -> bytes:
        begun.set()
        await go.wait()
        return b"done"

    async def main() -> None:
        async with wire(nats_server.url) as asking:
            async with wire(nats_server.url, {"e.slow": slow}):
                waiting = asyncio.ensure_future(asking.call("e.slow", b""))
                done, _ = await asyncio.wait([waiting], timeout=1.0)
                assert not done
                go.set()
                assert await waiting == b"done"
                begun.clear()
                go.clear()
                waiting = asyncio.ensure_future(asking.call("e.slow", b""))
                await begun.wait()
            with pytest.raises(Unavailable, match="may have done it or not"):
                await waiting

    run(main)


def test_who_withdraws_finishes_what_was_begun(nats_server: Server) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(request: bytes) -> bytes:
        begun.set()
        await go.wait()
        return b"done"

    async def main() -> None:
        calls = {"f.slow": slow}
        async with wire(nats_server.url) as asking, wire(nats_server.url, calls) as serving:
            waiting = asyncio.ensure_future(asking.call("f.slow", b""))
            await begun.wait()
            leaving = asyncio.ensure_future(serving.withdraw())
            go.set()
            await leaving
            assert await waiting == b"done"

    run(main)


def test_who_withdraws_while_the_server_is_silent_is_asked_no_more(
    own_nats_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_wire, "silence_s_max", 0.5)

    async def other(_: bytes) -> bytes:
        return b"other"

    async def main() -> None:
        url = own_nats_server.url
        async with wire(url, {"k.echo": echo}) as leaving:
            stop(own_nats_server.pid)
            await leaving.withdraw()
            own_nats_server.kill()
            own_nats_server.start()
            async with wire(url, {"k.echo": other}) as staying:
                while True:  # it has connected again: its own calls pass
                    with suppress(Unavailable):
                        await leaving.call("k.echo", b"")
                        break
                answers = [await staying.call("k.echo", b"") for _ in range(50)]
                assert set(answers) == {b"other"}

    run(main)


def stop(pid: int) -> None:
    """Let a process do nothing from now on."""
    os.kill(pid, signal.SIGSTOP)
    while any(" T " not in task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/stat")):
        pass
