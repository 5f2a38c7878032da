"""Hosts may connect to any delivery of a region, and go from one to another, as if it were one."""

import asyncio
from typing import Any

import msgspec

from alcor.contracts.convergence import ConvergenceRequest
from alcor.goal_state.reports import HostReport, PortReport, PortStatus, host_key, port_key
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.transport.link import Connected, PortState, Report

OWN, NET = "host/h1/", "network/n1/"


async def region(world: Any, record: Any) -> Any:
    """h1 and h2 share a network; the second delivery of two."""
    await world.control.tell(record.network(), record.node("h1"), record.node("h2"))
    await world.control.tell(record.port(1, "h1"), record.port(2, "h2"))
    await world.control.begin()
    return await world.control.another(epoch=7)


def wait_for(revision: str, timeout_s: float = 20.0) -> ConvergenceRequest:
    return ConvergenceRequest(revision=revision, timeout_s=timeout_s)


async def host_report(world: Any, host: str, holds: Any) -> HostReport:
    """The host's report, once it is as it must be."""
    async for entries in world.control.reports.watch(host_key(host), 0):
        report = msgspec.msgpack.decode(entries[-1].value, type=HostReport)
        if holds(report):
            return report
    raise AssertionError("a watch never ends")


def test_every_delivery_knows_how_far_hosts_of_all_are(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        second = await region(world, record)
        first = world.control.delivery

        async with (
            world.host("h1", OWN, NET) as h1,
            world.host("h2", "host/h2/", NET, port=second.port) as h2,
        ):
            await h1.until(lambda: NET in h1.complete)
            await h2.until(lambda: NET in h2.complete)
            for number in range(10, 20):
                revision = await world.control.tell(record.port(number, "h1"), trace=f"r{number}")
                replies = [each.convergence.wait(wait_for(revision)) for each in (first, second)]
                assert [reply.converged for reply in await asyncio.gather(*replies)] == [True, True]
                key = f"network/n1/neighbour/p{number}"
                assert key in h1.living()
                assert key in h2.living()

            h2.acknowledges = False
            revision = await world.control.tell(record.port(30, "h1"), trace="unheard")
            for each in (first, second):
                reply = await each.convergence.wait(wait_for(revision, 0.3))
                assert [(host.host, host.connected) for host in reply.hosts] == [("h2", True)]

    play(scenario)


def test_whoever_is_asked_says_at_once_how_far_hosts_of_all_are(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        second = await region(world, record)

        async with (
            world.host("h1", OWN, NET) as h1,
            world.host("h2", "host/h2/", NET, port=second.port) as h2,
        ):
            await h1.until(lambda: NET in h1.complete)
            await h2.until(lambda: NET in h2.complete)
            earlier = await world.control.tell(record.port(10, "h1"), trace="heard")
            assert (await world.control.delivery.convergence.wait(wait_for(earlier))).converged
            had = (await world.control.intent.get(["port/p10"]))["port/p10"].position

            h2.acknowledges = False
            later = await world.control.tell(record.port(11, "h1"), trace="unheard")
            await h1.until(lambda: "network/n1/neighbour/p11" in h1.living())
            for each in (world.control.delivery, second):
                assert (await each.convergence.wait(wait_for(earlier, 0))).converged
                reply = await each.convergence.wait(wait_for(later, 0.1))
                (behind,) = reply.hosts
                assert (behind.host, behind.applied) == ("h2", had)
                assert behind.wanted > had

    play(scenario)


def test_a_write_waits_for_a_host_that_goes_to_another_delivery_meanwhile(
    play: Any, record: Any
) -> None:
    async def scenario(world: Any) -> None:
        second = await region(world, record)
        third = await world.control.another(epoch=8)

        async with (
            world.host("h1", OWN, NET) as h1,
            world.host("h2", "host/h2/", NET, port=second.port, others=[third.port]) as h2,
        ):
            await h1.until(lambda: NET in h1.complete)
            await h2.until(lambda: NET in h2.complete)
            h2.acknowledges = False
            revision = await world.control.tell(record.port(10, "h1"))
            waiting = asyncio.ensure_future(
                world.control.delivery.convergence.wait(wait_for(revision))
            )
            await h2.until(lambda: "network/n1/neighbour/p10" in h2.living())

            await second.stop()
            await host_report(world, "h2", lambda report: report.delivery == 8)
            assert not waiting.done()
            h2.acknowledges = True
            revision = await world.control.tell(record.port(11, "h1"))  # it says what it has

            assert (await waiting).converged

    play(scenario)


def test_a_write_before_the_start_of_a_delivery_waits_for_hosts_of_others(
    play: Any, record: Any
) -> None:
    async def scenario(world: Any) -> None:
        await region(world, record)
        async with world.host("h1", OWN, NET), world.host("h2", "host/h2/", NET):
            await world.control.tell(record.port(10, "h1"), record.port(11, "h1"))
            revision = await world.control.tell(("port/p11", None))
            third = await world.control.another(epoch=9)
            reply = await third.convergence.wait(wait_for(revision))

        assert reply.converged, reply

    play(scenario)


def test_a_host_goes_to_another_delivery_and_loses_nothing(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        second = await region(world, record)

        async with (
            world.host("h1", OWN, NET, others=[second.port]) as host,
            world.host("h2", "host/h2/", NET, port=second.port),
        ):
            await host.until(lambda: host.complete == {OWN, NET})
            host.link.report(
                Report(
                    1,
                    host.position,
                    [PortState("p1", PortStatus.UP)],
                    flows=1,
                    datapath_type="netdev",
                )
            )
            await host_report(world, "h1", lambda report: report.flows == 1)
            before = len(host.events)
            await world.control.delivery.stop()
            revision = await world.control.tell(record.port(3, "h1"), ("port/p2", None))
            await host.until(lambda: {OWN, NET} <= host.complete)
            await host.until(lambda: "network/n1/neighbour/p3" in host.living())
            await host.until(lambda: host.living() == world.control.goal_of(second, OWN, NET))
            assert (await second.convergence.wait(wait_for(revision))).converged

            gone = [
                item.key
                for event in host.events[before:]
                for item in getattr(event, "items", ())
                if item.value is None
            ]
            assert set(gone) <= {"network/n1/neighbour/p2"}
            told = await host_report(world, "h1", lambda report: report.delivery == 7)
            assert told.connected
            host.link.report(Report(7, host.position, [PortState("p1", PortStatus.DOWN)]))
            async for entries in world.control.reports.watch(port_key("h1", "p1"), 0):
                report = msgspec.msgpack.decode(entries[-1].value, type=PortReport)
                if report.status is PortStatus.DOWN:
                    break

    play(scenario)


def test_a_connection_at_another_delivery_ends_the_older_one(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        second = await region(world, record)

        async with world.host("h1") as older:
            await older.until(lambda: older.complete == {OWN})
            async with world.host("h1", port=second.port) as newer:
                await newer.until(lambda: newer.complete == {OWN})
                await older.until(lambda: older.cuts > 0)

    play(scenario)


def test_a_host_by_nats_goes_to_another_delivery_when_its_own_is_silent(
    record: Any, play_by_nats: Any
) -> None:
    async def scenario(world: Any) -> None:
        second = await region(world, record)
        async with world.host("h1", OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            told = await host_report(world, "h1", lambda report: report.connected)
            serving, other = (second, 1) if told.delivery == 7 else (world.control.delivery, 7)
            await serving._nats._client.close()  # nobody is told, as when it is killed
            await host_report(world, "h1", lambda report: report.delivery == other)
            await world.control.tell(record.port(3, "h1"))
            await host.until(lambda: "host/h1/port/p3" in host.living())

    play_by_nats(scenario)


def test_who_knows_less_than_a_host_says_nothing_before_it_knows_as_much(
    play: Any, record: Any
) -> None:
    async def scenario(world: Any) -> None:
        behind = MemoryLog(1)
        await region(world, record)
        for change in (await world.control.intent.snapshot("")).entries:
            await behind.put([Change(*change[:4])])
        for manager in ("network", "subnet", "port", "node"):
            await behind.complete(manager, 2)
        late = await world.control.another(epoch=8, intent=behind)

        async with world.host("h1", OWN, NET, others=[late.port]) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            await world.control.tell(record.port(3, "h1"), trace="news")
            await host.until(lambda: "host/h1/port/p3" in host.living())
            await world.control.delivery.stop()
            before = len(host.frames)
            await host.until(lambda: host.events.count(Connected()) == 2)
            await host_report(world, "h1", lambda report: report.delivery == 8)
            assert len(host.frames) == before

            held = (await world.control.intent.get(["port/p3"]))["port/p3"]
            await behind.put([Change(*held[:4])])
            await host.until(lambda: host.complete == {OWN, NET})
            assert host.living() == world.control.goal_of(late, OWN, NET)
            assert "host/h1/port/p3" in host.living()

    play(scenario)
