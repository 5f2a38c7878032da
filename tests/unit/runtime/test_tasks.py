"""Supervised tasks: one that ends is a failure that somebody hears of."""

import asyncio

import pytest
from structlog.testing import capture_logs

from alcor.runtime.locks import Locks
from alcor.runtime.tasks import TaskFailed, Tasks


def test_a_crash_is_heard_with_its_cause_and_the_others_can_be_stopped() -> None:
    async def main() -> None:
        tasks = Tasks()

        async def crash() -> None:
            raise ZeroDivisionError

        async def for_ever() -> None:
            await asyncio.Event().wait()

        tasks.start(for_ever(), "for ever")
        tasks.start(crash(), "crash")
        with pytest.raises(TaskFailed, match="crash") as caught:
            await asyncio.wait_for(tasks.failure(), 5)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        await tasks.stop()

    asyncio.run(main())


def test_a_task_that_ends_though_it_should_not_is_a_failure_too() -> None:
    async def main() -> None:
        tasks = Tasks()

        async def ends() -> None:
            return None

        tasks.start(ends(), "ends")
        with pytest.raises(TaskFailed, match="ends"):
            await asyncio.wait_for(tasks.failure(), 5)
        await tasks.stop()

    asyncio.run(main())


def test_a_task_that_misses_its_end_as_something_comes_is_told_again() -> None:
    async def main() -> None:
        tasks, queue = Tasks(), asyncio.Queue[int]()

        async def takes() -> None:
            while True:
                await asyncio.wait_for(queue.get(), 600)

        tasks.start(takes(), "takes")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        queue.put_nowait(1)
        await asyncio.wait_for(tasks.stop(), 30)

    asyncio.run(main())


def test_what_passes_is_a_failure_as_well_and_no_fault() -> None:
    async def main() -> None:
        tasks = Tasks(passing=lambda error: isinstance(error, ConnectionError))

        async def loses() -> None:
            raise ConnectionError("gone")

        with capture_logs() as told:
            tasks.start(loses(), "loses")
            with pytest.raises(TaskFailed, match="loses"):
                await asyncio.wait_for(tasks.failure(), 5)
        await tasks.stop()
        assert [(each["log_level"], each["why"]) for each in told] == [("warning", "gone")]

    asyncio.run(main())


def test_a_key_is_held_by_one_at_a_time_and_forgotten_when_nobody_wants_it() -> None:
    async def main() -> None:
        locks = Locks()
        inside: list[str] = []
        most = 0

        async def work(key: str) -> None:
            nonlocal most
            async with locks.of(key):
                inside.append(key)
                most = max(most, inside.count(key))
                await asyncio.sleep(0)
                inside.remove(key)

        await asyncio.gather(*(work(key) for key in "aabbaab"))
        assert most == 1
        assert locks._lock_by_key == {}

    asyncio.run(main())
