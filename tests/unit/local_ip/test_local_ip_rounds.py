"""The rounds that drop ports which were made for nothing go on when the database was away."""

import asyncio
from pathlib import Path
from typing import Any

from tests.fixtures.foundation import foundation

from alcor.managers.local_ip.app import LocalIpApp, settle_interval_s
from alcor.managers.local_ip.needs import Peers
from alcor.simulation.fakes.clock import VirtualLoop
from alcor.values.errors import Unavailable


class Away:
    """A database whose server is away, and who opens it."""

    def __init__(self) -> None:
        self.asked = 0

    def open(self, manager: str, versions: Path) -> Any:
        return self

    async def read(self, work: object) -> object:
        self.asked += 1
        raise Unavailable("the database is away")


def test_a_database_that_is_away_ends_no_round() -> None:
    nobody: Any = None  # no port is asked for
    database = Away()

    async def story() -> bool:
        *others, settling = LocalIpApp(foundation(database), Peers(nobody, nobody)).tasks()
        for each in others:
            each.close()
        rounds = asyncio.ensure_future(settling)
        await asyncio.sleep(3.5 * settle_interval_s)
        ended = rounds.done()
        rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)
        return ended

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert not runner.run(story())
    assert database.asked == 3
