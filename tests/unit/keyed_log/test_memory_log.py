"""What the memory log promises beyond the contract: limits on what it keeps."""

import asyncio

from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog


def test_a_forgotten_tombstone_leaves_nothing_behind() -> None:
    async def main() -> None:
        log = MemoryLog(1, tombstones_max=1)
        await log.put([Change(f"network/{n}/network", b"", 1) for n in range(10)])

        await log.put([Change(f"network/{n}/network", None, 2) for n in range(10)])

        assert len(log._held._buckets) == 1
        assert len(log._held._tombstones) == 1

    asyncio.run(main())


def test_a_key_that_lives_again_is_no_tombstone() -> None:
    async def main() -> None:
        log = MemoryLog(1, tombstones_max=1)
        await log.put([Change("a/1", None, 1), Change("a/1", b"back", 2)])

        await log.put([Change("a/2", None, 1), Change("a/3", None, 1)])

        assert list(await log.get(["a/1"])) == ["a/1"]

    asyncio.run(main())


def test_a_watcher_that_leaves_costs_nothing_more() -> None:
    async def main() -> None:
        log = MemoryLog(1)
        await log.put([Change("a/1", b"", 1)])
        watch = log.watch("", 0)
        await anext(watch)
        await log.put([Change("a/2", b"", 1)])
        assert log.backlog == 1

        await watch.aclose()

        assert log.backlog == 0

    asyncio.run(main())
