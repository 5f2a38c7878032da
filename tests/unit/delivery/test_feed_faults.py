"""One host's faults stop nobody else's goal state, and none at all cost nothing."""

import asyncio

from structlog.testing import capture_logs
from tests.unit.delivery.lives import Lives

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.session import slices_per_host_max
from alcor.delivery.watermark import Watermark
from alcor.intent.records import PortRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello, Reached

PORT = PortRecord(id="p1", network_id="n1", project_id="", mac_address="", host="h1")


async def misbehave(region: Lives) -> None:
    """A host of one port asks for all that is not its own, reads nothing, and loses the port."""
    region.index.put("port/p1", PORT, 1)
    await region.say("host/h1/port/p1", b"bound")
    region.session = await region.feed.open(Hello("h1", "", None))
    await region.session.subscribe("network/n1/", 0, 0)
    for number in range(slices_per_host_max):
        await region.session.subscribe(f"network/other-{number}/", 0, 0)
    assert not region.session.is_over

    told = asyncio.Event()
    region.session.call(told.set)
    told.clear()
    region.index.drop("port/p1")
    await region.say("host/h1/port/p1", None)
    await told.wait()


def test_a_host_that_can_not_be_told_what_it_may_not_have_is_hung_up_on() -> None:
    async def main() -> None:
        region = Lives()
        await region.begin()
        async with asyncio.timeout(30):
            with capture_logs() as logs:
                await misbehave(region)
            assert region.session.is_over
            assert logs[-1]["event"] == "session.forbidden"

            region.session = await region.feed.open(Hello("h2", "", None))
            await region.session.subscribe("host/h2/", 0, 0)
            await region.say("host/h2/port/p2", b"bound")
            sent = [item.key async for frame in region.frames(2) for item in frame.items]
        assert sent == ["host/h2/port/p2"]
        await region.end()

    asyncio.run(main())


def test_a_delivery_without_hosts_keeps_nothing_of_what_it_has_planned() -> None:
    async def main() -> None:
        goal, watermark = MemoryLog(1), Watermark()
        hosts = Hosts(1, str)
        feed = HostFeed(goal, MemoryLog(1), Index(), asyncio.Event().wait, watermark, hosts)
        fanning = asyncio.ensure_future(feed.run())
        for number in range(1, 50):
            position = await goal.put([Change("network/n1/network", b"%d" % number, number)])
            watermark.move(position, Reached("life", number))
            for _ in range(4):
                await asyncio.sleep(0)  # the fan-out takes it
        assert len(watermark._marks) <= 2
        assert feed.offered.position >= 48
        fanning.cancel()
        await asyncio.gather(fanning, return_exceptions=True)

    asyncio.run(main())
