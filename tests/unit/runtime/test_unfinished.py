"""What failed half way is taken up again until it is done; what was refused is not."""

import asyncio
import sqlite3

import pytest

from alcor.runtime.managing.unfinished import Unfinished
from alcor.values.errors import Conflict, Unavailable


class Work:
    """Notes of what is begun with each id, as a database keeps them."""

    def __init__(self, failures: list[Exception]) -> None:
        self.unfinished = Unfinished(again_s=0)
        self.noted: set[str] = set()
        self.rounds = 0
        self.idle = asyncio.Event()
        self._failures = failures

    async def begin(self, id_: str, failure: Exception) -> None:
        async with self.unfinished.begun(id_):
            self.noted.add(id_)
            await asyncio.sleep(0)
            raise failure

    async def recover(self) -> None:
        self.rounds += 1
        if self._failures:
            raise self._failures.pop(0)
        for id_ in sorted(self.noted):
            async with self.unfinished.begun(id_):
                self.noted.discard(id_)
        self.idle.set()


def test_what_a_failure_left_is_taken_up_until_it_is_done() -> None:
    async def test() -> None:
        work = Work([Unavailable("a peer is away"), Unavailable("the disk is full")])
        task = asyncio.ensure_future(work.unfinished.run(work.recover))
        with pytest.raises(Unavailable):
            await work.begin("a", Unavailable("a peer is away"))
        await asyncio.wait_for(work.idle.wait(), 5)
        assert (work.noted, work.rounds) == (set(), 3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(test())


def test_a_refusal_has_undone_everything() -> None:
    async def test() -> None:
        work = Work([])
        task = asyncio.ensure_future(work.unfinished.run(work.recover))
        with pytest.raises(Conflict):
            await work.begin("a", Conflict("it is in use"))
        with pytest.raises(sqlite3.OperationalError):
            await work.begin("b", sqlite3.OperationalError("disk full"))
        await asyncio.wait_for(work.idle.wait(), 5)
        assert work.rounds == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(test())


def test_who_is_at_work_is_waited_for() -> None:
    async def test() -> None:
        unfinished, said = Unfinished(), list[str]()

        async def work(name: str, *ids: str) -> None:
            async with unfinished.begun(*ids):
                said.append(f"{name} begins")
                await asyncio.sleep(0)
                said.append(f"{name} ends")

        await asyncio.gather(work("first", "b", "a"), work("second", "a", "b", "b"))
        assert said == ["first begins", "first ends", "second begins", "second ends"]

    asyncio.run(test())
