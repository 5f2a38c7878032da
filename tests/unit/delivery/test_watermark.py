"""A delivery knows how much is planned, and how much of that hosts were told."""

import asyncio

from alcor.delivery.watermark import Watermark
from alcor.transport.link import Reached


def test_who_needs_more_planned_waits_and_goes_on_once_it_is() -> None:
    async def test() -> bool:
        planned = Watermark()
        planned.move(1, Reached("life", 3))
        waiting = asyncio.create_task(planned.catch_up(Reached("life", 5)))
        await asyncio.sleep(0)
        has_waited = not waiting.done()
        planned.move(2, Reached("life", 5))
        await waiting
        return has_waited

    assert asyncio.run(asyncio.wait_for(test(), 5))


def test_what_is_planned_counts_as_offered_once_hosts_were_offered_it() -> None:
    planned = Watermark()
    for position in (1, 2, 3):
        planned.move(position, Reached("life", position * 10))

    assert [planned.offered(each).position for each in (0, 2, 2, 3)] == [0, 20, 20, 30]


def test_another_life_of_the_log_begins_with_nothing_offered() -> None:
    planned = Watermark()
    planned.move(1, Reached("life", 10))
    planned.offered(1)

    planned.move(2, Reached("next", 3))

    assert planned.offered(1) == Reached("next", 0)
    assert planned.offered(2) == Reached("next", 3)
