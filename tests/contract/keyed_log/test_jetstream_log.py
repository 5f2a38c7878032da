"""What the JetStream log promises beyond the contract: many processes, a server that dies."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import nats
import pytest

from alcor.keyed_log.jetstream import JetStreamLog, begin_anew
from alcor.keyed_log.log import Change, Compacted


class Server(Protocol):
    url: str
    folder: Path

    def start(self) -> None: ...

    def kill(self) -> None: ...


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_a_deadline() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(within_a_deadline())


async def quiet(_: Exception) -> None:
    """The client tells of every lost connection; the test knows."""


@asynccontextmanager
async def log_at(url: str, **limits: int) -> AsyncIterator[JetStreamLog]:
    """A log as one process has it."""
    client = await nats.connect(
        url, max_reconnect_attempts=-1, reconnect_time_wait=0.1, error_cb=quiet
    )
    log = JetStreamLog(client, "intent", 1, **limits)
    running = asyncio.ensure_future(log.run())
    try:
        yield log
        assert not running.done()
    finally:
        running.cancel()
        await client.close()


def test_what_one_process_puts_all_see_in_the_same_order(own_nats_server: Server) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url) as one, log_at(own_nats_server.url) as other:
            await one.snapshot("")
            await other.snapshot("")
            puts = [
                log.put([Change(f"a/{n}", name, revision)])
                for n in range(20)
                for revision, (log, name) in enumerate([(one, b"one"), (other, b"other")], 1)
            ]
            await asyncio.gather(*puts)
            await other.put([Change("end/1", b"", 1)])
            await one.put([Change("end/2", b"", 1)])

            seen = (await one.snapshot("a/")).entries
            assert seen == (await other.snapshot("a/")).entries
            assert len(seen) == 20
            assert {entry.value for entry in seen} == {b"other"}

    run(main)


def test_a_put_waits_while_the_server_is_away(own_nats_server: Server) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url) as log:
            await log.put([Change("a/1", b"before", 1)])
            own_nats_server.kill()
            put = asyncio.ensure_future(log.put([Change("a/1", b"meanwhile", 2)]))
            assert (await log.get(["a/1"]))["a/1"].value == b"before"
            own_nats_server.start()

            await put

            assert (await log.get(["a/1"]))["a/1"].value == b"meanwhile"

    run(main)


def test_a_life_is_called_the_same_by_all_and_otherwise_by_none(own_nats_server: Server) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url) as log, log_at(own_nats_server.url) as other:
            await asyncio.gather(log.snapshot(""), other.snapshot(""))
            first = log.life
            assert first == other.life != ""
            epochs = log.epoch, other.epoch
            own_nats_server.kill()
            own_nats_server.start()
            await asyncio.gather(log.renewed(epochs[0]), other.renewed(epochs[1]))

            assert first != log.life == other.life

    run(main)


def test_what_a_server_has_lost_is_seen_as_a_new_life_to_be_filled_again(
    own_nats_server: Server, tmp_path: Path
) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url) as log:
            await log.put([Change("a/1", b"kept", 1)])
            await log.complete("writer", 1)
            await log.completed(["writer"])
            own_nats_server.kill()
            shutil.copytree(own_nats_server.folder, tmp_path / "before")
            own_nats_server.start()
            epoch = await log.renewed(log.epoch)
            await log.put([Change("a/1", b"acknowledged", 2), Change("a/2", b"too", 3)])
            async with aclosing(cast(Any, log.watch("", log.position))) as watch:
                waiting = asyncio.ensure_future(anext(watch))
                own_nats_server.kill()
                shutil.rmtree(own_nats_server.folder)
                shutil.move(tmp_path / "before", own_nats_server.folder)
                own_nats_server.start()

                assert await log.renewed(epoch) > epoch

                with pytest.raises(Compacted):
                    await waiting
            held = {entry.key: entry.value for entry in (await log.snapshot("")).entries}
            assert held == {"a/1": b"kept"}
            complete = asyncio.ensure_future(log.completed(["writer"]))
            await log.put([Change("a/1", b"acknowledged", 2), Change("a/2", b"too", 3)])
            assert len((await log.snapshot("")).entries) == 2
            assert not complete.done()
            await log.complete("writer", 3)
            assert await complete == {"writer": 3}

    run(main)


def test_a_log_that_is_emptied_begins_another_life_for_all_to_be_filled_again(
    own_nats_server: Server,
) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url) as log, log_at(own_nats_server.url) as other:
            await log.put([Change("a/1", b"damaged", 1), Change("a/2", b"gone since", 2)])
            await log.complete("writer", 2)
            await other.completed(["writer"])
            lives, epochs = {log.life}, (log.epoch, other.epoch)
            for number in (1, 2):  # safe to do again
                client = await nats.connect(own_nats_server.url)
                await begin_anew(client, "intent", number)
                await client.close()
                epochs = await log.renewed(epochs[0]), await other.renewed(epochs[1])

                assert log.life == other.life
                assert log.life not in lives
                lives.add(log.life)
            assert not (await other.snapshot("")).entries
            assert other.awaited(["writer"]) == ["writer"]
            await log.put([Change("a/1", b"whole", 1)])  # at the revision that it had
            await log.complete("writer", 2)
            assert await other.completed(["writer"]) == {"writer": 2}
            entries = (await other.snapshot("")).entries
            assert [(entry.key, entry.value) for entry in entries] == [("a/1", b"whole")]
            assert other.living == 1
        async with log_at(own_nats_server.url) as later:
            await later.completed(["writer"])
            assert later.life in lives

    run(main)


def test_a_later_process_knows_what_was_forgotten_before(own_nats_server: Server) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url, tombstones_max=2) as log:
            since = await log.put([Change(f"host/h{n}.example/7", b"", 1) for n in range(5)])
            await log.put([Change(f"host/h{n}.example/7", None, 2) for n in range(5)])
            end = log.position
        async with log_at(own_nats_server.url) as later:
            with pytest.raises(Compacted):
                await later.changes("", since)
            changed = await later.changes("", since + 3)

            assert [entry.key for entry in changed.entries] == [
                "host/h3.example/7",
                "host/h4.example/7",
            ]
            assert later.position == end

    run(main)


def test_what_is_too_large_for_a_message_holds_up_nothing(own_nats_server: Server) -> None:
    async def main() -> None:
        async with log_at(own_nats_server.url) as log:
            await log.put([Change("a/1", bytes(2 << 20), 1), Change("a/2", b"small", 2)])

            assert [entry.key for entry in (await log.snapshot("a/")).entries] == ["a/2"]

    run(main)
