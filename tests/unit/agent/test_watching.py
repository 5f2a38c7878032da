"""What was looked for is looked at now and then, and seldom where nothing is."""

import asyncio

import pytest

from alcor.agent.seeking import tick_idle_s, tick_s, watch
from alcor.simulation.fakes.clock import VirtualLoop

WATCHED_S = 10.0


class Seeker:
    """Counts how often it is looked at."""

    waits_for_counts = False

    def __init__(self, *, seeks: bool) -> None:
        self.seeks, self.ticks = seeks, 0

    def tick(self) -> None:
        self.ticks += 1


class Switch:
    async def counts(self, table: int) -> None:
        return None


@pytest.mark.parametrize(("seeks", "interval_s"), [(True, tick_s), (False, tick_idle_s)])
def test_an_agent_that_looks_for_nobody_wakes_up_less_often(seeks: bool, interval_s: float) -> None:
    async def main() -> int:
        seeker = Seeker(seeks=seeks)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(WATCHED_S):
                await watch(seeker, None, Switch())  # type: ignore[arg-type]
        return seeker.ticks

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ticks = runner.run(main())
    assert abs(ticks - WATCHED_S / interval_s) <= 1
