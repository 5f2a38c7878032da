"""Hosts of a delivery that died are not taken for connected, unless they have come to another."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from structlog.testing import capture_logs

from alcor.delivery.hosts import Hosts
from alcor.delivery.presence import Presence
from alcor.goal_state.reports import (
    ASKED,
    HostReport,
    delivery_key,
    delivery_silence_s_max,
    host_key,
)
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog

DEAD, ALIVE, ENDED = 7, 8, 9


class Region:
    """A report log, and the presence of a delivery that lives; time passes when it is told to."""

    def __init__(self) -> None:
        self.reports = MemoryLog(1)
        self.now_s = 100.0
        self.hosts = Hosts(ALIVE, str)
        self.presence = Presence(ALIVE, self.reports, self.hosts, lambda: self.now_s)

    async def tell(self, host: str, delivery: int, term: int) -> None:
        said = HostReport(host=host, epoch=delivery, position=1, delivery=delivery)
        revision = term << 32 | 2
        await self.reports.put([Change(host_key(host), msgspec.msgpack.encode(said), revision)])

    async def beat(self, delivery: int, number: int, value: bytes = ASKED) -> None:
        await self.reports.put([Change(delivery_key(delivery), value, number)])

    async def hear(self) -> None:
        self.hosts.hear((await self.reports.snapshot("host/")).entries)

    async def connected(self) -> dict[str, bool]:
        entries = (await self.reports.snapshot("host/")).entries
        reports = [msgspec.msgpack.decode(e.value or b"", type=HostReport) for e in entries]
        return {each.host: each.connected for each in reports}

    async def turn(self) -> None:
        """Follow others and beat once."""
        tasks = [asyncio.ensure_future(self.presence.follow())]
        for _ in range(10):
            await asyncio.sleep(0)
        tasks.append(asyncio.ensure_future(self.presence.beat()))
        for _ in range(10):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run(scenario: Callable[[Region], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        await scenario(Region())

    asyncio.run(main())


def test_hosts_of_a_silent_delivery_are_gone_but_for_those_that_came_to_another() -> None:
    async def scenario(region: Region) -> None:
        await region.beat(DEAD, 1)
        for host in ("h1", "h2"):
            await region.tell(host, DEAD, term=1)
        await region.hear()
        await region.turn()
        assert await region.connected() == {"h1": True, "h2": True}

        await region.tell("h2", ALIVE, term=2)
        await region.hear()
        region.now_s += delivery_silence_s_max + 1
        await region.reports.put([Change("delivery/9", b"", 1)])  # of nobody's hosts
        beats = asyncio.ensure_future(region.presence.beat())
        async with asyncio.timeout(30):
            async for _ in region.reports.watch(host_key("h1"), region.reports.position - 1):
                break
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)

        assert await region.connected() == {"h1": False, "h2": True}
        assert delivery_key(DEAD) not in await region.reports.get([delivery_key(DEAD)])

    run(scenario)


def test_hosts_of_a_delivery_that_beats_stay() -> None:
    async def scenario(region: Region) -> None:
        await region.tell("h1", DEAD, term=1)
        await region.hear()
        region.now_s += delivery_silence_s_max + 1
        await region.beat(DEAD, 1)
        await region.turn()

        assert await region.connected() == {"h1": True}
        assert (await region.reports.get([delivery_key(ALIVE)])).keys() == {delivery_key(ALIVE)}

    run(scenario)


def test_only_of_a_delivery_that_did_not_say_that_it_ends_the_log_says_that_it_is_silent() -> None:
    async def scenario(region: Region) -> None:
        for delivery in (DEAD, ENDED):
            await region.beat(delivery, 1)
        await region.turn()
        await region.reports.put([Change(delivery_key(ENDED), None, 2)])
        region.now_s += delivery_silence_s_max + 1

        with capture_logs() as logs:
            beats = asyncio.ensure_future(region.presence.beat())
            for _ in range(30):
                await asyncio.sleep(0)
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)

        silent = [each["delivery"] for each in logs if each["event"] == "delivery.silent"]
        assert silent == [DEAD]

    run(scenario)


def test_a_host_that_connects_anew_beats_what_was_said_of_it() -> None:
    async def scenario(region: Region) -> None:
        await region.tell("h1", DEAD, term=1)
        await region.hear()
        await region.turn()
        region.now_s += delivery_silence_s_max + 1
        await region.turn()
        assert await region.connected() == {"h1": False}

        await region.tell("h1", ALIVE, term=2)
        assert await region.connected() == {"h1": True}

    run(scenario)


def test_a_delivery_of_the_release_before_hears_what_hosts_say_for_as_long_as_it_lives() -> None:
    async def scenario(region: Region) -> None:
        await region.beat(DEAD, 1, b"")
        await region.beat(DEAD + 2, 1)
        await region.turn()
        assert region.hosts.heard_by_older

        await region.reports.put([Change(delivery_key(DEAD), None, 2)])  # and nobody heard that
        region.now_s += delivery_silence_s_max + 1
        await region.turn()
        assert not region.hosts.heard_by_older

        following = asyncio.ensure_future(region.presence.follow())
        for revision, value, is_heard in ((3, b"", True), (4, None, False)):
            await region.reports.put([Change(delivery_key(DEAD), value, revision)])
            for _ in range(10):
                await asyncio.sleep(0)
            assert region.hosts.heard_by_older is is_heard
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    run(scenario)
