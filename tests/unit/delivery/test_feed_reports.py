"""What the report log is told of hosts that come and go."""

import asyncio

import msgspec

from alcor.delivery.feed import HostFeed
from alcor.delivery.watermark import Watermark
from alcor.goal_state.reports import HostReport, host_key
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello, Report


def test_a_report_that_was_under_way_does_not_call_a_host_connected_that_has_gone() -> None:
    async def main() -> bool:
        reports, ready = MemoryLog(1), asyncio.Event()
        feed = HostFeed(MemoryLog(1), reports, Index(), ready.wait, Watermark())
        session = await feed.open(Hello("h1", "", None))
        under_way = asyncio.ensure_future(session.report(Report(1, 1)))
        await asyncio.sleep(0)

        await session.close()
        ready.set()
        await under_way

        held = (await reports.get([host_key("h1")]))[host_key("h1")]
        return msgspec.msgpack.decode(held.value or b"", type=HostReport).connected

    assert asyncio.run(main()) is False


class Lossy(MemoryLog):
    """A log that a power cut has set back: it knows nothing of what it was told."""

    def set_back(self) -> None:
        self.__init__(self.epoch + 1)  # type: ignore[misc]


def test_a_connection_that_a_log_has_lost_does_not_replace_a_later_one() -> None:
    async def main() -> HostReport:
        reports, ready = Lossy(1), asyncio.Event()
        ready.set()
        now = [2_000_000_000.0]
        older, newer = (
            HostFeed(MemoryLog(epoch), reports, Index(), ready.wait, Watermark(), lambda: now[0])
            for epoch in (11, 12)
        )
        before = await older.open(Hello("h1", "", None))
        for position in range(1, 9):
            await before.report(Report(11, position))
        reports.set_back()
        now[0] += 1
        await newer.open(Hello("h1", "later", None))

        await before.report(Report(11, 9))  # it has not heard yet that it is over

        held = (await reports.get([host_key("h1")]))[host_key("h1")]
        return msgspec.msgpack.decode(held.value or b"", type=HostReport)

    assert asyncio.run(main()).version == "later"
