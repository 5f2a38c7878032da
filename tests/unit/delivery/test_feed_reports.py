"""What the report log is told of hosts that come and go."""

import asyncio

import msgspec

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts, decode_host
from alcor.delivery.report_log import untold_max
from alcor.delivery.watermark import Watermark
from alcor.goal_state.reports import HostReport, PortReport, PortStatus, host_key, port_key
from alcor.intent.records import NodeRecord, PortRecord
from alcor.keyed_log.log import Change, Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello, PortState, Reached, Report

PORT = PortRecord(id="p1", network_id="n", project_id="", mac_address="", host="h1")


def test_a_report_that_was_under_way_does_not_call_a_host_connected_that_has_gone() -> None:
    async def main() -> bool:
        reports, ready = MemoryLog(1), asyncio.Event()
        feed = HostFeed(MemoryLog(1), reports, Index(), ready.wait, Watermark(), Hosts(1, str))
        session = await feed.open(Hello("h1", "", None))
        under_way = asyncio.ensure_future(session.report(Report(1, 1)))
        await asyncio.sleep(0)

        await session.close()
        ready.set()
        await under_way

        held = (await reports.get([host_key("h1")]))[host_key("h1")]
        return msgspec.msgpack.decode(held.value or b"", type=HostReport).connected

    assert asyncio.run(main()) is False


async def told_all() -> None:
    """Let what nobody waits for come to the log."""
    for _ in range(10):
        await asyncio.sleep(0)


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
            HostFeed(
                MemoryLog(epoch),
                reports,
                Index(),
                ready.wait,
                Watermark(),
                Hosts(1, str),
                lambda: now[0],
            )
            for epoch in (11, 12)
        )
        before = await older.open(Hello("h1", "", None))
        for position in range(1, 9):
            await before.report(Report(11, position))
        reports.set_back()
        now[0] += 1
        await newer.open(Hello("h1", "later", None))

        for _ in range(untold_max):  # it has not heard yet that it is over
            await before.report(Report(11, 9))
        await told_all()

        held = (await reports.get([host_key("h1")]))[host_key("h1")]
        return msgspec.msgpack.decode(held.value or b"", type=HostReport)

    assert asyncio.run(main()).version == "later"


class One:
    """A delivery's feed with one host, in a region whose log it hears."""

    def __init__(self) -> None:
        self.reports, self.ready, self.index = MemoryLog(1), asyncio.Event(), Index()
        self.ready.set()
        self.hosts, self.watermark = Hosts(7, lambda: "a"), Watermark()
        self.watermark.move(9, Reached("a", 1))
        goal = MemoryLog(7)
        self.feed = HostFeed(
            goal, self.reports, self.index, self.ready.wait, self.watermark, self.hosts
        )
        self.feed.position = 9

    async def held(self) -> Entry:
        """What the log holds of the host, which the delivery hears."""
        await told_all()
        entry = (await self.reports.get([host_key("h1")]))[host_key("h1")]
        self.feed.heard("h1", entry)
        return entry

    async def host(self) -> HostReport:
        return decode_host((await self.held()).value or b"")


def test_how_far_a_host_is_only_its_delivery_hears() -> None:
    """Else each change would be told of as often as it concerns hosts, to everybody."""

    async def main() -> None:
        one = One()
        session = await one.feed.open(Hello("h1", "", None))
        first = await one.held()

        for position in range(1, 10):
            await session.report(Report(7, position, flows=position))

        assert await one.held() == first
        assert one.hosts.applied("h1") == 1

    asyncio.run(main())


def test_the_log_is_told_of_a_host_that_repeats_itself_now_and_then() -> None:
    async def main() -> None:
        one = One()
        session = await one.feed.open(Hello("h1", "", None))
        await session.report(Report(7, 9, flows=5))
        for _ in range(untold_max):
            assert session.take(Report(7, 9, flows=5))
        told = await one.host()
        assert (told.position, told.flows, told.life, told.reached) == (9, 5, "a", 1)

        before = one.reports.position
        for _ in range(3 * untold_max):
            assert session.take(Report(7, 9, flows=5))
            await told_all()
        assert one.reports.position == before + 3

    asyncio.run(main())


def test_not_all_hosts_that_connect_at_once_are_told_of_at_once() -> None:
    async def main() -> None:
        one = One()
        hosts = [f"h{number}" for number in range(400)]
        sessions = [await one.feed.open(Hello(host, "", None)) for host in hosts]
        told = []
        for _ in range(untold_max):
            before = one.reports.position
            for session in sessions:
                await session.report(Report(0, 0))
            await told_all()
            told.append(one.reports.position - before)

        assert max(told) < len(hosts) / 2

    asyncio.run(main())


def test_the_log_is_told_at_once_what_a_hosts_switch_is_and_that_it_hangs() -> None:
    async def main() -> None:
        one = One()
        session = await one.feed.open(Hello("h1", "", None))

        for fault in ("", "it does not answer", ""):
            await session.report(Report(7, 9, datapath_type="netdev", fault=fault))
            told = await one.host()
            assert (told.datapath_type, told.fault) == ("netdev", fault)

    asyncio.run(main())


def test_the_log_is_told_how_far_a_host_is_that_managers_wait_for() -> None:
    async def main() -> None:
        one = One()
        one.index.put("node/h1", NodeRecord(id="h1", tunnel_ip="", returning=True), 1)
        session = await one.feed.open(Hello("h1", "", None))

        await session.report(Report(7, 9))

        assert (await one.host()).reached == 1

    asyncio.run(main())


def test_the_log_is_told_how_far_hosts_are_while_an_older_delivery_reads_it_there() -> None:
    async def main() -> None:
        one = One()
        session = await one.feed.open(Hello("h1", "", None))
        one.hosts.answers(3, asked=False)
        await session.report(Report(7, 9))
        assert (await one.host()).reached == 1

        one.hosts.answers(3, asked=True)
        one.watermark.move(9, Reached("a", 2))
        await session.report(Report(7, 9, flows=1))
        assert (await one.host()).reached == 1

    asyncio.run(main())


def test_what_others_said_wrongly_of_a_host_is_put_right() -> None:
    async def main() -> None:
        one = One()
        session = await one.feed.open(Hello("h1", "", None))
        held = await one.held()
        gone = msgspec.structs.replace(await one.host(), connected=False)
        lost = Change(held.key, msgspec.msgpack.encode(gone), held.revision + 1)
        await one.reports.put([lost])  # as another delivery does that took this one for dead
        assert not (await one.host()).connected

        await session.report(Report(7, 9))

        assert (await one.host()).connected

    asyncio.run(main())


def test_what_a_log_has_lost_and_does_not_know_of_is_told_again() -> None:
    async def main() -> None:
        reports, ready = Lossy(1), asyncio.Event()
        ready.set()
        feed = HostFeed(MemoryLog(7), reports, Index(), ready.wait, Watermark(), Hosts(7, str))
        session = await feed.open(Hello("h1", "", None))
        reports.set_back()

        for _ in range(untold_max):
            await session.report(Report(7, 0))
        await told_all()

        assert host_key("h1") in await reports.get([host_key("h1")])

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
                MemoryLog(epoch),
                reports,
                index,
                ready.wait,
                Watermark(),
                Hosts(1, str),
                lambda: now_s,
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
        for _ in range(untold_max):
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
