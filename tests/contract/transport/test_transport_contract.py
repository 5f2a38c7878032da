"""What hosts are promised, over real gRPC and over a real NATS server."""

import asyncio
from typing import Any

import grpc
import msgspec
import pytest

from alcor.goal_state.reports import HostReport, PortReport, PortStatus, host_key, port_key
from alcor.transport import wire
from alcor.transport.link import Connected, Forbidden, Hello, PortState, Report

OWN, NET = "host/h1/", "network/n1/"


@pytest.fixture
def play(play_by_all: Any) -> Any:
    """Every scenario is played over all transports."""
    return play_by_all


async def two_hosts(world: Any, record: Any, ports: int = 2, **config: Any) -> None:
    """A network with `ports` ports on h1 and h2 in turn."""
    hosts = ("h2", "h1")
    await world.control.tell(record.network(), record.node("h1"), record.node("h2"))
    await world.control.tell(*(record.port(n, hosts[n % 2]) for n in range(1, ports + 1)))
    await world.control.begin(**config)


async def host_report(world: Any, host: str, holds: Any) -> HostReport:
    """The host's report, once it is as it must be."""
    key, since = host_key(host), 0
    async for entries in world.control.reports.watch(key, since):
        report = msgspec.msgpack.decode(entries[-1].value, type=HostReport)
        if holds(report):
            return report
    raise AssertionError("a watch never ends")


def test_a_host_is_sent_its_slices_and_what_changes_in_them(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)

        async with world.host("h1", OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            assert host.living() == world.control.goal(OWN, NET)

            await world.control.tell(record.port(3, "h1"), ("port/p2", None))
            await host.until(
                lambda: (
                    "network/n1/neighbour/p3" in host.living()
                    and "network/n1/neighbour/p2" not in host.living()
                )
            )
            assert host.living() == world.control.goal(OWN, NET)

    play(scenario)


def test_nothing_is_complete_before_every_manager_has_told_all(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record, rebuilt=False)

        async with world.host("h1") as host:
            await host.until(lambda: Connected() in host.events)
            await world.control.tell(record.port(3, "h1"))
            await host_report(world, "h1", lambda report: report.connected)
            assert not host.frames

            await world.control.complete()
            await host.until(lambda: host.complete == {OWN})
            assert host.living() == world.control.goal(OWN)

    play(scenario)


def test_a_snapshot_that_is_cut_begins_again_and_ends_complete(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record, ports=6_000)

        async with world.proxy() as proxy:
            proxy.passes_max = 200_000
            async with world.host("h1", OWN, NET, port=proxy.port) as host:
                await host.until(lambda: host.cuts >= 2)
                assert NET not in host.complete
                proxy.passes_max = None
                await world.control.tell(("port/p1", None), ("port/p2", None))
                await host.until(lambda: host.complete == {OWN, NET})
                await host.until(lambda: "network/n1/neighbour/p2" not in host.living())

                assert host.living() == world.control.goal(OWN, NET)

    play(scenario)


def test_after_a_cut_a_host_is_sent_only_what_it_missed(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record, ports=100)

        async with world.proxy() as proxy, world.host("h1", OWN, NET, port=proxy.port) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            before = len(host.frames)
            proxy.cut()
            await world.control.tell(record.port(101, "h1"), ("port/p2", None))
            await host.until(lambda: host.complete == {OWN, NET})
            await host.until(lambda: "network/n1/neighbour/p2" not in host.living())

            assert host.living() == world.control.goal(OWN, NET)
            assert not [name for frame in host.frames[before:] for name in frame.begins]
            assert sum(len(frame.items) for frame in host.frames[before:]) <= 6

    play(scenario)


def test_a_new_epoch_is_a_new_snapshot(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record, ports=10)

        async with world.host("h1", OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            await world.control.tell(("port/p3", None))
            await world.control.restart(epoch=2)
            await host.until(lambda: host.complete == {OWN, NET} and host.epoch == 2)

            assert host.living() == world.control.goal(OWN, NET)

    play(scenario)


def test_frames_that_come_twice_do_no_harm(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record, ports=2_500)

        async with world.host("h1", OWN, NET) as host:
            host.doubles = True
            await host.until(lambda: host.complete == {OWN, NET})
            await world.control.tell(("port/p1", None), record.port(2, "h1"))
            await host.until(lambda: "host/h1/port/p2" in host.living())

            assert host.living() == world.control.goal(OWN, NET)

    play(scenario)


@pytest.mark.parametrize("name", ["host/h2/", "network/n2/", "", "host/h1", "host/", "x/y/", "//"])
def test_a_slice_that_no_port_leads_to_is_refused(play: Any, record: Any, name: str) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)
        await world.control.tell(record.network("n2"), record.port(9, "h2", "n2"))

        async with world.host("h1", name, OWN) as host:
            await host.until(lambda: host.complete == {OWN})

            assert [name for frame in host.frames for name in frame.refused] == [name]
            assert host.living() == world.control.goal(OWN)

    play(scenario)


def test_a_slice_is_withdrawn_with_the_last_port_that_led_to_it(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)

        async with world.host("h1", OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            await world.control.tell(("port/p1", None))
            await host.until(lambda: any(NET in frame.refused for frame in host.frames))

            host.link.subscribe(NET)
            await host.until(lambda: sum(NET in frame.refused for frame in host.frames) == 2)
            await world.control.tell(record.port(5, "h1"))
            await host.until(lambda: "host/h1/port/p5" in host.living())
            host.link.subscribe(NET)
            await host.until(lambda: "network/n1/neighbour/p5" in host.living())

    play(scenario)


def test_entries_can_be_had_by_key_within_reach(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)

        async with world.host("h1") as host:
            await host.until(lambda: host.complete == {OWN})
            got = await host.link.get(["network/n1/neighbour/p2", "network/n1/neighbour/none"])
            with pytest.raises(Forbidden):
                await host.link.get(["network/n1/neighbour/p2", "host/h2/port/p2"])

            assert [item.key for item in got.items] == ["network/n1/neighbour/p2"]
            assert got.epoch == 1

    play(scenario)


def test_a_host_that_reads_slowly_costs_an_entry_a_key_at_most(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        control = world.control
        await two_hosts(world, record, ports=50)

        async with world.host("h1", OWN, NET) as slow, world.host("h2", "host/h2/", NET) as quick:
            await slow.until(lambda: slow.complete == {OWN, NET})
            await quick.until(lambda: "network/n1/neighbour/p50" in quick.living())
            slow.reads.clear()
            for number in range(400):
                mac = f"fa:16:3e:01:{number >> 8:02x}:{number & 255:02x}"
                ports = [record.port(n, "h2") for n in range(2, 51, 2)]
                await control.tell(*(msgspec.structs.replace(p, mac_address=mac) for p in ports))
                await asyncio.sleep(0)
            await quick.until(lambda: quick.living() == control.goal("host/h2/", NET))
            queued = control.delivery._feed.queued
            slow.reads.set()
            await slow.until(lambda: slow.living() == control.goal(OWN, NET))

            assert queued <= 100
            assert sum(len(frame.items) for frame in slow.frames) < 400 * 25

    play(scenario)


def test_reports_reach_the_report_log_and_a_lost_host_is_told(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)

        async with world.host("h1", OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            ports = [PortState(each, PortStatus.UP) for each in ("p1", "p2", "none")]
            host.link.report(Report(1, host.position, ports, flows=12, datapath_type="netdev"))
            told = await host_report(world, "h1", lambda report: report.flows == 12)
        lost = await host_report(world, "h1", lambda report: not report.connected)

        held = await world.control.reports.get([port_key("h1", p) for p in ("p1", "p2", "none")])
        assert list(held) == [port_key("h1", "p1")]  # the others are not on this host
        report = msgspec.msgpack.decode(held[port_key("h1", "p1")].value, type=PortReport)
        assert report == PortReport("p1", "h1", PortStatus.UP)
        assert (told.connected, told.tunnel_ip, told.position) == (True, "192.0.2.9", host.position)
        assert lost.position == told.position

    play(scenario)


def test_a_host_that_can_say_nothing_more_begins_another_connection(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)

        async with world.host("h1", OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            host.link.report(Report(1, -1))  # no message can say that

            await host.until(lambda: host.cuts == 1 and host.complete == {OWN, NET})
            host.link.report(Report(1, host.position, [PortState("p1", PortStatus.UP)]))
            async for entries in world.control.reports.watch(port_key("h1", "p1"), 0):
                assert msgspec.msgpack.decode(entries[-1].value, type=PortReport).port_id == "p1"
                break

    play(scenario)


def test_what_is_reported_before_all_is_told_is_not_lost(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record, rebuilt=False)

        async with world.host("h1") as host:
            host.acknowledges = False  # a later report would stand for this one
            await host.until(lambda: Connected() in host.events)
            host.link.report(
                Report(0, 0, [PortState("p1", PortStatus.UP)], flows=3, datapath_type="netdev")
            )
            await world.control.complete()
            await host_report(world, "h1", lambda report: report.flows == 3)

        assert port_key("h1", "p1") in await world.control.reports.get([port_key("h1", "p1")])

    play(scenario)


def test_the_newest_connection_of_a_host_counts(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)

        async with world.host("h1") as older:
            await older.until(lambda: older.complete == {OWN})
            async with world.host("h1") as newer:
                await older.until(lambda: older.cuts > 0)
                await newer.until(lambda: newer.complete == {OWN})

    play(scenario)


@pytest.mark.parametrize(
    "messages",
    [
        [b"\xff\xff\xff"],
        [b""],
        [wire.host_message_bytes(Report(1, 1))],
        [wire.host_message_bytes(Hello("a/b", "", None))],
        [wire.host_message_bytes(Hello("h1", "", None))] * 2,
        [wire.host_message_bytes(Hello("h1", "", None)), b"\x12\x02\xff\xff"],
    ],
)
def test_who_breaks_the_protocol_is_hung_up_on(
    play: Any, record: Any, messages: list[bytes]
) -> None:
    async def scenario(world: Any) -> None:
        await two_hosts(world, record)
        target = f"127.0.0.1:{world.control.delivery.port}"

        async with grpc.aio.insecure_channel(target) as channel:
            call = channel.stream_stream(wire.watch_method, None, None)(iter(messages))
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                async for _ in call:
                    pass
        async with world.host("h1") as host:
            await host.until(lambda: host.complete == {OWN})

        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    play(scenario)
