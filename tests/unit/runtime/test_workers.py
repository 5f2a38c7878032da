"""Work in threads, for a loop that waits."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from alcor.runtime.sql.workers import Workers


def run(count: int, case: Callable[[Workers], Awaitable[None]]) -> None:
    async def main() -> None:
        workers = Workers(count, "worker")
        try:
            async with asyncio.timeout(20):
                await case(workers)
        finally:
            workers.end()

    asyncio.run(main())


def test_what_the_work_answers_or_raises_comes_back() -> None:
    async def case(workers: Workers) -> None:
        assert await workers.do(divmod, 7, 3) == (2, 1)
        with pytest.raises(ZeroDivisionError):
            await workers.do(divmod, 7, 0)
        name = await workers.do(lambda: threading.current_thread().name)
        assert name == "worker_0"

    run(1, case)


def test_one_thread_does_all_in_order() -> None:
    async def case(workers: Workers) -> None:
        done: list[int] = []
        await asyncio.gather(*(workers.do(done.append, n) for n in range(100)))
        assert done == list(range(100))

    run(1, case)


def test_two_threads_work_at_the_same_time() -> None:
    async def case(workers: Workers) -> None:
        both = threading.Barrier(2, timeout=20)
        assert sorted(await asyncio.gather(workers.do(both.wait), workers.do(both.wait))) == [0, 1]

    run(2, case)


def test_what_nobody_waits_for_is_not_begun() -> None:
    async def case(workers: Workers) -> None:
        go, done = threading.Event(), list[str]()
        first = asyncio.ensure_future(workers.do(go.wait))
        second = asyncio.ensure_future(workers.do(done.append, "second"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        go.set()
        await first
        await workers.do(done.append, "third")
        assert done == ["third"]

    run(1, case)


def test_who_gives_up_does_not_hear_the_answer() -> None:
    async def case(workers: Workers) -> None:
        begun, go = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            go.wait()

        asked = asyncio.ensure_future(workers.do(work))
        await asyncio.sleep(0)
        begun.wait()
        asked.cancel()
        go.set()
        assert await workers.do(int, "5") == 5
        assert asked.cancelled()

    run(1, case)


def test_the_end_waits_for_what_was_given_and_takes_no_more() -> None:
    done: list[int] = []

    async def main() -> None:
        workers = Workers(1, "worker")
        asked = [asyncio.ensure_future(workers.do(done.append, n)) for n in range(10)]
        await asyncio.sleep(0)
        workers.end()
        assert done == list(range(10))
        await asyncio.gather(*asked)
        with pytest.raises(RuntimeError, match="have ended"):
            await workers.do(done.append, 11)

    asyncio.run(main())


def test_threads_that_had_nothing_to_do_end() -> None:
    Workers(3, "worker").end()
