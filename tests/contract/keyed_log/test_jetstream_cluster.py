"""What the JetStream log promises on a cluster of three servers, whichever of them goes."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import StreamInfo
from tests.fixtures.nats_cluster import SIZE, NatsCluster, nats_cluster

from alcor.keyed_log.jetstream import JetStreamLog
from alcor.keyed_log.log import Change

INTENT = "alcor_intent"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    with nats_cluster(tmp_path) as found:
        yield found


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_a_deadline() -> None:
        async with asyncio.timeout(100):
            await main()

    asyncio.run(within_a_deadline())


async def quiet(_: Exception) -> None:
    """The client tells of every lost connection; the test knows."""


@asynccontextmanager
async def log_at(*urls: str, replicas: int = SIZE) -> AsyncIterator[JetStreamLog]:
    """A log as one process has it, connected to the first of the servers."""
    client = await nats.connect(
        list(urls),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.1,
        error_cb=quiet,
        dont_randomize=True,
        ping_interval=1,
    )
    log = JetStreamLog(client, "intent", 1, replicas=replicas)
    running = asyncio.ensure_future(log.run())
    try:
        yield log
        assert not running.done()
    finally:
        running.cancel()
        await client.close()


@asynccontextmanager
async def logs_at(cluster: NatsCluster) -> AsyncIterator[list[JetStreamLog]]:
    """A log at each of the servers."""
    async with AsyncExitStack() as stack:
        urls, logs = cluster.urls, list[JetStreamLog]()
        for number in range(SIZE):
            logs.append(await stack.enter_async_context(log_at(*urls[number:], *urls[:number])))
        for log in logs:
            await log.snapshot("")
        yield logs


async def info_at(client: Client) -> StreamInfo:
    return await client.jetstream(timeout=20).stream_info(INTENT)


async def leader(log: JetStreamLog) -> int:
    """The number of the server that leads the stream."""
    info = await info_at(log._nats)
    assert info.cluster is not None
    assert info.cluster.leader is not None  # as nothing is killed yet
    return int(info.cluster.leader.removeprefix("nats-"))


async def whole(log: JetStreamLog) -> None:
    """Wait until all servers have all that there is."""
    while True:
        try:
            found = (await info_at(log._nats)).cluster
        except (nats.errors.Error, nats.js.errors.Error):
            found = None
        replicas = (found and found.replicas) or []
        if len(replicas) == SIZE - 1 and all(each.current for each in replicas):
            return
        await asyncio.sleep(0.1)


async def churn(log: JetStreamLog, key: str, first: int, count: int) -> None:
    for revision in range(first, first + count):
        await log.put([Change(key, b"%d" % revision, revision)])


async def held(log: JetStreamLog) -> dict[str, bytes | None]:
    return {entry.key: entry.value for entry in (await log.snapshot("")).entries}


async def until(log: JetStreamLog, key: str) -> None:
    """Wait until the key has come to the log's copy."""
    async with aclosing(cast(Any, log.watch(key, 0))) as watch:
        await anext(watch)


def test_whichever_servers_end_nothing_is_lost_and_the_life_goes_on(cluster: NatsCluster) -> None:
    """The leader of the stream under load, then another one that a log is connected to."""

    async def main() -> None:
        async with logs_at(cluster) as logs:
            assert (await info_at(logs[0]._nats)).config.num_replicas == SIZE
            lives, epochs = {log.life for log in logs}, [log.epoch for log in logs]
            assert len(lives) == 1
            first = await leader(logs[0])
            async with aclosing(cast(Any, logs[first].watch("a/", 0))) as watch:
                loads = [churn(log, f"a/{n}", 1, 200) for n, log in enumerate(logs)]
                loading = asyncio.gather(*loads)
                seen: dict[str, bytes] = {}
                while len(seen) < SIZE:
                    seen |= {each.key: each.value for each in await anext(watch)}
                cluster.kill(first)
                await loading
                expected = {f"a/{n}": b"200" for n in range(SIZE)}
                while seen != expected:  # nobody said `Compacted`
                    seen |= {each.key: each.value for each in await anext(watch)}
            cluster.start(first)
            await whole(logs[0])
            second = (first + 1) % SIZE
            cluster.kill(second)
            await churn(logs[second], "b/1", 1, 10)
            await logs[second].put([Change("end/1", b"", 1)])
            for log in logs:
                await until(log, "end/")
                assert await held(log) == expected | {"b/1": b"10", "end/1": b""}
            assert {log.life for log in logs} == lives
            assert [log.epoch for log in logs] == epochs

    run(main)


def test_what_most_servers_have_lost_is_seen_as_a_new_life_for_all(
    cluster: NatsCluster, tmp_path: Path
) -> None:
    """As when the power of all fails before their disks have what was acknowledged."""

    async def main() -> None:
        async with logs_at(cluster) as logs:
            await logs[0].put([Change("a/1", b"kept", 1)])
            await logs[0].complete("writer", 1)
            await asyncio.gather(*(log.completed(["writer"]) for log in logs))
            before = {log.life for log in logs}
            cluster.kill()
            for number, folder in enumerate(cluster.folders):
                shutil.copytree(folder, tmp_path / f"before-{number}")
            cluster.start()
            await logs[0].put([Change("a/1", b"acknowledged", 2), Change("a/2", b"too", 3)])
            assert {log.life for log in logs} == before  # nothing is lost yet
            epochs = [log.epoch for log in logs]
            cluster.kill()
            for number, folder in enumerate(cluster.folders):
                shutil.rmtree(folder)
                shutil.move(tmp_path / f"before-{number}", folder)
            cluster.start()

            pairs = zip(logs, epochs, strict=True)
            await asyncio.gather(*(log.renewed(epoch) for log, epoch in pairs))

            assert len({log.life for log in logs}) == 1
            assert {log.life for log in logs}.isdisjoint(before)
            assert all(log.awaited(["writer"]) for log in logs)
            assert await held(logs[1]) == {"a/1": b"kept"}
            await logs[0].put([Change("a/1", b"acknowledged", 2), Change("a/2", b"too", 3)])
            await logs[0].complete("writer", 3)
            assert await logs[1].completed(["writer"]) == {"writer": 3}

    run(main)


def test_a_life_goes_on_as_long_as_somebody_could_say_that_it_does_not(
    cluster: NatsCluster,
) -> None:
    async def main() -> None:
        async with logs_at(cluster) as logs:
            life = logs[0].life
            async with log_at(*cluster.urls) as late:
                await late.snapshot("")
                assert late.life == life
        async with log_at(*cluster.urls) as alone:
            await alone.snapshot("")
            assert alone.life != life

    run(main)


def test_a_log_that_is_on_one_server_goes_to_all_and_is_never_taken_from_any(
    cluster: NatsCluster,
) -> None:
    async def main() -> None:
        async with log_at(*cluster.urls, replicas=1) as log:
            await log.put([Change("a/1", b"kept", 1)])
            assert (await info_at(log._nats)).config.num_replicas == 1
            life = log.life
            async with log_at(*cluster.urls) as more:
                assert await held(more) == {"a/1": b"kept"}
                await whole(more)
                async with log_at(*cluster.urls, replicas=1) as fewer:
                    assert await held(fewer) == {"a/1": b"kept"}
                    assert (await info_at(fewer._nats)).config.num_replicas == SIZE
                    assert {each.life for each in (log, more, fewer)} == {life}

    run(main)
