"""Who waits for a change is told when it was heard of, and not held up by one that never comes."""

import asyncio

from alcor.intent.heard_up_to import HeardUpTo
from alcor.keyed_log.log import Entry


def told(*revisions: int) -> list[Entry]:
    return [Entry(f"subnet/{n}", b"", n, "", n) for n in revisions]


def test_a_change_that_was_heard_of_is_not_waited_for() -> None:
    async def main() -> None:
        reached = HeardUpTo()
        reached.heard(told(2, 5))
        reached.heard([])

        assert await reached.wait(5, 0)
        assert not await reached.wait(6, 0)

    asyncio.run(main())


def test_who_waits_goes_on_with_their_change_or_a_later_one_and_no_earlier() -> None:
    async def main() -> None:
        reached = HeardUpTo()
        waiting = [asyncio.ensure_future(reached.wait(n, 60)) for n in (3, 4)]
        await asyncio.sleep(0)

        reached.heard(told(2))
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        reached.heard(told(7, 1))

        assert await asyncio.gather(*waiting) == [True, True]

    asyncio.run(main())
