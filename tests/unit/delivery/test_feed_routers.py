"""A host is sent the slices that routers lead it to, and loses them with what led there."""

import asyncio

from tests.fixtures.frames import next_frame

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.watermark import Watermark
from alcor.goal_state.slices import interface_key, network_slice, router_slice
from alcor.intent.records import PortRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello

FAR, ROUTER = network_slice("n2"), router_slice("r")


def interface(network: str) -> PortRecord:
    return PortRecord(
        id=f"i-{network}",
        network_id=network,
        project_id="",
        mac_address="",
        device_id="r",
        device_owner="network:router_interface",
    )


def test_a_network_that_no_router_leads_to_any_more_is_withdrawn_with_the_router() -> None:
    async def main() -> None:
        index, goal, ready = Index(), MemoryLog(1), asyncio.Event()
        ready.set()
        port = PortRecord(id="p", network_id="n1", project_id="", mac_address="", host="h1")
        for record in (port, interface("n1"), interface("n2")):
            index.put(f"port/{record.id}", record, 1)
        feed = HostFeed(goal, MemoryLog(1), index, ready.wait, Watermark(), Hosts(1, str))
        fanning = asyncio.ensure_future(feed.run())
        session = await feed.open(Hello("h1", "", None))
        for name in ("host/h1/", ROUTER, FAR):
            await session.subscribe(name, 0, 0)
        await goal.put([Change(interface_key("r", "i-n1"), b"here", 1)])

        index.drop("port/i-n1")
        await goal.put([Change(interface_key("r", "i-n1"), None, 2)])

        async with asyncio.timeout(5):
            refused: set[str] = set()
            while refused != {ROUTER, FAR}:
                frame = await next_frame(session)
                assert frame is not None
                refused |= set(frame.refused)
        await session.close()
        fanning.cancel()
        await asyncio.gather(fanning, return_exceptions=True)

    asyncio.run(main())
