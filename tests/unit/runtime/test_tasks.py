"""Supervised tasks: one that ends is a failure that somebody hears of."""

import asyncio

import pytest

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
