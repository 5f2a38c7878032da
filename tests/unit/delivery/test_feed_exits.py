"""A host is sent the routers that leave by it, and loses them when they leave by others."""

import asyncio

from tests.fixtures.frames import next_frame

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.watermark import Watermark
from alcor.goal_state.reports import port_key
from alcor.goal_state.slices import exit_key, host_port_key, host_slice, router_slice
from alcor.intent.records import NetworkRecord, NodeRecord, PortRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello

ROUTER = router_slice("r")
NODE = NodeRecord(id="h1", tunnel_ip="192.0.2.1", physical_networks=("ext",))
OUTSIDE = NetworkRecord(id="x", project_id="", vni=9, mtu=1500, physical_network="ext")
GATEWAY = PortRecord(
    id="g",
    network_id="x",
    project_id="",
    mac_address="",
    device_id="r",
    device_owner="network:router_gateway",
)


def test_a_router_that_leaves_by_the_host_no_more_is_withdrawn_and_reports_of_ports_only() -> None:
    async def main() -> None:
        index, goal, reports, ready = Index(), MemoryLog(1), MemoryLog(1), asyncio.Event()
        ready.set()
        for name, record in (("node/h1", NODE), ("network/x", OUTSIDE), ("port/g", GATEWAY)):
            index.put(name, record, 1)
        feed = HostFeed(goal, reports, index, ready.wait, Watermark(), Hosts(1, str))
        fanning = asyncio.ensure_future(feed.run())
        session = await feed.open(Hello("h1", "", None))
        for name in (host_slice("h1"), ROUTER):
            await session.subscribe(name, 0, 0)
        held = (exit_key("h1", "r"), host_port_key("h1", "p"))
        await goal.put([Change(key, b"", 1) for key in held])
        await reports.put([Change(port_key("h1", each), b"up", 1) for each in ("r", "p")])

        index.drop("port/g")
        await goal.put([Change(key, None, 2) for key in held])

        async with asyncio.timeout(5):
            refused: set[str] = set()
            while refused != {ROUTER}:
                frame = await next_frame(session)
                assert frame is not None
                refused |= set(frame.refused)
        told = await reports.get([port_key("h1", "r"), port_key("h1", "p")])
        assert [key for key, each in told.items() if each.value is not None] == [
            port_key("h1", "r")
        ]
        await session.close()
        fanning.cancel()
        await asyncio.gather(fanning, return_exceptions=True)

    asyncio.run(main())
