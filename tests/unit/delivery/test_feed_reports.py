"""What the report log is told of hosts that come and go."""

import asyncio

import msgspec

from alcor.delivery.feed import HostFeed
from alcor.delivery.report_log import decode_host, untold_max
from alcor.delivery.watermark import Watermark
from alcor.goal_state.reports import HostReport, PortReport, PortStatus, host_key, port_key
from alcor.intent.records import PortRecord
from alcor.keyed_log.log import Change, Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello, PortState, Reached, Report

PORT = PortRecord(id="p1", network_id="n", project_id="", mac_address="", host="h1")


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


async def told_all() -> None:
    """Let what nobody waits for come to the log."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_repeat_is_told_only_where_the_log_does_not_hold_it() -> None:
    async def main() -> None:
        goal, reports, ready = MemoryLog(7), MemoryLog(1), asyncio.Event()
        ready.set()
        feed = HostFeed(goal, reports, Index(), ready.wait, Watermark())
        key = host_key("h1")

        async def held() -> Entry:
            """What the log holds of the host, which the delivery hears."""
            await told_all()
            entry = (await reports.get([key]))[key]
            feed.heard("h1", entry)
            return entry

        session = await feed.open(Hello("h1", "", None))
        await session.report(Report(7, 0))
        first = await held()
        assert session.take(Report(7, 0))
        assert await held() == first

        assert session.take(Report(7, 0, flows=5))
        more = await held()
        assert decode_host(more.value or b"").flows == 5

        gone = msgspec.structs.replace(decode_host(more.value or b""), connected=False)
        lost = Change(key, msgspec.msgpack.encode(gone), more.revision + 1)
        await reports.put([lost])  # as another delivery does that took this one for dead
        await held()
        assert session.take(Report(7, 0, flows=5))
        assert (await held()).value == more.value

    asyncio.run(main())


def test_what_a_log_has_lost_since_it_was_heard_is_told_again() -> None:
    async def main() -> None:
        goal, reports, ready = MemoryLog(7), MemoryLog(1), asyncio.Event()
        ready.set()
        feed = HostFeed(goal, reports, Index(), ready.wait, Watermark())
        key = host_key("h1")
        session = await feed.open(Hello("h1", "", None))
        await session.report(Report(7, 0))
        early = (await reports.get([key]))[key]
        assert session.take(Report(7, 0, flows=5))
        await told_all()
        feed.heard("h1", late := (await reports.get([key]))[key])
        # The log forgets what it was told last, and says nothing of that.
        await reports.put([Change(key, early.value, late.revision + 1)])

        for _ in range(untold_max):
            assert session.take(Report(7, 0, flows=5))
            await told_all()

        told = (await reports.get([key]))[key]
        assert decode_host(told.value or b"").flows == 5

    asyncio.run(main())


def test_what_others_are_sent_has_no_idle_host_told_of_anew() -> None:
    """Else each change would cost as much as the region has hosts, at the next repeat of each."""

    async def main() -> None:
        reports, ready, watermark = MemoryLog(1), asyncio.Event(), Watermark()
        ready.set()
        watermark.move(0, Reached("a", 1))
        feed = HostFeed(MemoryLog(7), reports, Index(), ready.wait, watermark)
        key = host_key("h1")
        session = await feed.open(Hello("h1", "", None))
        await session.report(Report(7, 0))

        async def said_again() -> HostReport:
            """What the log holds, which the delivery hears, once the host has repeated itself."""
            assert session.take(Report(7, 0))
            await told_all()
            entry = (await reports.get([key]))[key]
            feed.heard("h1", entry)
            return decode_host(entry.value or b"")

        assert (await said_again()).reached == 1
        told_before = reports.position
        watermark.move(0, Reached("a", 2))
        for _ in range(untold_max - 2):
            assert (await said_again()).reached == 1
        assert reports.position == told_before

        watermark.move(0, Reached("b", 1))  # who waits needs positions of the log's later life
        assert (await said_again()).life == "b"
        watermark.move(0, Reached("b", 2))
        for _ in range(untold_max):
            last = await said_again()
        assert last.reached == 2

    asyncio.run(main())


def test_a_delivery_whose_clock_is_behind_wins_once_the_host_has_come_again() -> None:
    """What an older connection tells beats it, if the log was lost: for one connection more."""

    async def main() -> None:
        reports, ready = Lossy(1), asyncio.Event()
        ready.set()
        right, hour_behind = 2_000_000_000.0, 2_000_000_000.0 - 3_600
        index = Index()
        index.put("port/p1", PORT, 1)

        def feed(epoch: int, now_s: float) -> HostFeed:
            return HostFeed(
                MemoryLog(epoch), reports, index, ready.wait, Watermark(), lambda: now_s
            )

        older, newer = feed(11, right), feed(12, hour_behind)

        async def told() -> tuple[str, PortStatus | None]:
            """Both hear what is in the log; who is host h1 there, and how its port is."""
            held = (await reports.snapshot("")).entries
            for entry in held:
                if entry.key == host_key("h1"):
                    older.heard("h1", entry)
                    newer.heard("h1", entry)
            values = {entry.key: entry.value or b"" for entry in held}
            host = msgspec.msgpack.decode(values[host_key("h1")], type=HostReport)
            port = values.get(port_key("h1", "p1"))
            status = msgspec.msgpack.decode(port, type=PortReport).status if port else None
            return host.version, status

        up, down = (
            Report(0, 0, (PortState("p1", status),)) for status in (PortStatus.UP, PortStatus.DOWN)
        )
        before = await older.open(Hello("h1", "earlier", None))
        await before.report(down)
        await told_all()
        reports.set_back()
        first = await newer.open(Hello("h1", "later", None))
        await first.report(up)
        await before.report(down)
        await told_all()
        assert await told() == ("earlier", PortStatus.DOWN)  # not for long:
        assert (first.is_over, before.is_over) == (True, False)

        second = await newer.open(Hello("h1", "later", None))
        await second.report(up)  # as hosts do whenever they connect
        await told_all()
        assert await told() == ("later", PortStatus.UP)
        assert (second.is_over, before.is_over) == (False, True)
        await before.report(down)
        await before.close()
        await told_all()
        assert await told() == ("later", PortStatus.UP)

    asyncio.run(main())
