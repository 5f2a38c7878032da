"""Laws of coalescing requests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from alcor.runtime.coalesce import Coalescer, batches_alone_min, turns_max, turns_quiet
from alcor.runtime.sql.database import Deposed
from alcor.values.errors import Unavailable


class Work:
    """Does batches when the test lets it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def do(self, batch: Sequence[str]) -> list[str | Exception]:
        self.batches.append(list(batch))
        await self.gate.wait()
        if self.fault:
            raise self.fault
        return [ValueError(r) if r.startswith("bad") else r.upper() for r in batch]


def run(test: Callable[[Work, Coalescer[str, str]], Awaitable[None]], **limits: Any) -> None:
    async def main() -> None:
        work = Work()
        how = {"batch_weight_max": 3, "queue_weight_max": 10} | limits
        coalescer: Coalescer[str, str] = Coalescer(work.do, name="test", **how)
        running = asyncio.ensure_future(coalescer.run())
        try:
            await test(work, coalescer)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def asked(coalescer: Coalescer[str, str], *requests: str, weight: int = 1) -> list[Any]:
    return [asyncio.ensure_future(coalescer.ask(request, weight)) for request in requests]


def test_those_who_come_within_a_few_turns_of_the_loop_are_one_batch() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        replies = []
        for request in ("a", "b", "c"):
            replies += asked(coalescer, request)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        work.gate.set()

        assert await asyncio.gather(*replies) == ["A", "B", "C"]
        assert work.batches == [["a", "b", "c"]]

    run(test)


def test_the_only_client_hardly_waits_for_others() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        work.gate.set()
        for _ in range(batches_alone_min):
            await coalescer.ask("a")
        replies = asked(coalescer, "b")
        for _ in range(turns_quiet):
            await asyncio.sleep(0)

        assert work.batches[-1] == ["b"]
        await asyncio.gather(*replies)

    run(test)


def test_a_stream_of_requests_does_not_keep_the_first_one_waiting_for_ever() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        work.gate.set()
        replies = asked(coalescer, "first")
        later = []
        for number in range(2 * turns_max):
            later += asked(coalescer, f"later {number}")
            await asyncio.sleep(0)

        assert replies[0].done()
        await asyncio.gather(*later)

    run(test, batch_weight_max=1_000, queue_weight_max=1_000)


def test_what_comes_while_a_batch_is_done_is_the_next_batch() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        replies = asked(coalescer, "a")
        await turn()
        replies += asked(coalescer, "b", "c", "d", "e")
        await turn()
        work.gate.set()

        assert await asyncio.gather(*replies) == ["A", "B", "C", "D", "E"]
        assert work.batches == [["a"], ["b", "c", "d"], ["e"]]

    run(test)


def test_a_refused_request_does_not_hurt_its_neighbours() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        work.gate.set()
        replies = await asyncio.gather(*asked(coalescer, "a", "bad", "c"), return_exceptions=True)

        assert (replies[0], replies[2]) == ("A", "C")
        assert isinstance(replies[1], ValueError)

    run(test)


def test_a_batch_that_fails_fails_for_all_of_it_and_the_next_goes_on() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        work.gate.set()
        work.fault = ConnectionError("peer")
        for reply in asked(coalescer, "a", "b"):
            with pytest.raises(ConnectionError):
                await reply
        work.fault = None

        assert await coalescer.ask("c") == "C"

    run(test)


def test_that_the_process_leads_no_more_is_no_fault_of_a_batch() -> None:
    """When a database is lost others lead: it was told as a fault of ours, with a traceback."""

    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        work.gate.set()
        work.fault = Deposed("this process leads the database of port no more")
        with capture_logs() as told, pytest.raises(Unavailable) as refused:
            await asked(coalescer, "a")[0]
        assert refused.value.type == "Unavailable"

        assert [(each["event"], each["log_level"]) for each in told] == [
            ("batch_refused", "warning")
        ]

    run(test)


def test_a_full_queue_refuses_and_a_large_request_goes_alone() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        first = asked(coalescer, "first")
        await turn()
        replies = asked(coalescer, "huge", weight=9)
        await turn()
        assert coalescer.depth == 9
        with pytest.raises(Unavailable):
            await coalescer.ask("late", 2)
        replies += asked(coalescer, "small")
        await turn()
        work.gate.set()

        assert await asyncio.gather(*first, *replies) == ["FIRST", "HUGE", "SMALL"]
        assert work.batches == [["first"], ["huge"], ["small"]]

    run(test)


def test_requests_with_a_common_key_are_done_one_after_the_other() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        work.gate.set()
        await asyncio.gather(*asked(coalescer, "a1", "b1", "a2"))

        assert work.batches == [["a1", "b1"], ["a2"]]

    run(test, keys_of=lambda request: request[0])


def test_who_waits_no_more_is_not_served() -> None:
    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        first = asked(coalescer, "a")
        await turn()
        gone, stays = asked(coalescer, "gone", "stays")
        await turn()
        gone.cancel()
        await turn()
        work.gate.set()

        assert await asyncio.gather(*first, stays) == ["A", "STAYS"]
        assert work.batches == [["a"], ["stays"]]

    run(test)


def test_a_stop_tells_everybody_who_waits() -> None:
    left: list[Any] = []

    async def test(work: Work, coalescer: Coalescer[str, str]) -> None:
        left.extend(asked(coalescer, "doing"))
        await turn()
        left.extend(asked(coalescer, "waiting"))
        await turn()

    run(test)
    assert all(isinstance(task.exception(), Unavailable) for task in left)
