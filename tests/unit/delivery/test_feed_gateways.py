"""What hosts say of the next hops of gateways: who is believed, and what is forgotten."""

import asyncio
from enum import StrEnum

import msgspec
from msgspec import structs

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.watermark import Watermark
from alcor.goal_state.reports import PortReport, PortStatus, port_key
from alcor.goal_state.slices import exit_key, gateway_key, router_slice
from alcor.intent.records import NetworkRecord, NodeRecord, PortRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello, PortState, Report
from alcor.values.rendezvous import chosen

HOSTS = ("h1", "h2")
OUTSIDE = NetworkRecord(id="x", project_id="", vni=9, mtu=1500, physical_network="ext")
GATEWAY = PortRecord(
    id="g",
    network_id="x",
    project_id="",
    mac_address="",
    device_id="r",
    device_owner="network:router_gateway",
)
MACHINE = PortRecord(id="p", network_id="n", project_id="", mac_address="", host="h1")
ACTIVE = chosen("r", HOSTS) or ""
NEXT = next(host for host in HOSTS if host != ACTIVE)


class Region:
    """A delivery with two hosts that a router may leave by."""

    def __init__(self) -> None:
        self.index, self.goal, self.reports = Index(), MemoryLog(1), MemoryLog(1)
        ready = asyncio.Event()
        ready.set()
        for name, record in (("network/x", OUTSIDE), ("port/g", GATEWAY), ("port/p", MACHINE)):
            self.index.put(name, record, 1)
        for host in HOSTS:
            node = NodeRecord(id=host, tunnel_ip="192.0.2.1", physical_networks=("ext",))
            self.index.put(f"node/{host}", node, 1)
        self.feed = HostFeed(
            self.goal, self.reports, self.index, ready.wait, Watermark(), Hosts(1, str)
        )

    async def say(self, host: str, *ports: PortState) -> None:
        session = await self.feed.open(Hello(host, "", None))
        await session.subscribe(router_slice("r"), 0, 0)
        await session.report(Report(1, 0, ports))

    async def told(self, host: str, port_id: str) -> PortStatus | None:
        value = await self.kept(host, port_id)
        return msgspec.msgpack.decode(value, type=PortReport).said if value is not None else None

    async def kept(self, host: str, port_id: str) -> bytes | None:
        key = port_key(host, port_id)
        held = (await self.reports.get([key])).get(key)
        return held.value if held is not None else None


def test_the_host_by_which_a_router_leaves_is_believed_and_no_other() -> None:
    async def main() -> None:
        region = Region()
        for host in HOSTS:
            await region.say(host, PortState("g", PortStatus.DOWN))

        assert await region.told(ACTIVE, "g") is PortStatus.DOWN
        assert await region.told(NEXT, "g") is None

    asyncio.run(main())


def test_who_leads_to_another_network_outside_is_not_believed() -> None:
    async def main() -> None:
        region = Region()
        other = structs.replace(OUTSIDE, id="y", physical_network="two")
        region.index.put("network/y", other, 2)
        region.index.put("port/g2", structs.replace(GATEWAY, id="g2", network_id="y"), 2)
        node = NodeRecord(id="h3", tunnel_ip="192.0.2.3", physical_networks=("two",))
        region.index.put("node/h3", node, 2)

        await region.say("h3", *(PortState(each, PortStatus.DOWN) for each in ("g", "g2")))

        assert await region.told("h3", "g") is None
        assert await region.told("h3", "g2") is PortStatus.DOWN

    asyncio.run(main())


class StatusOfBefore(StrEnum):
    """Those that the release before knows."""

    UP = "up"
    DOWN = "down"
    FAILED = "failed"


class ReportOfBefore(msgspec.Struct):
    port_id: str
    host: str
    status: StatusOfBefore


def test_the_release_before_can_read_all_that_is_said_of_gateways() -> None:
    """Its managers ended, again and again, when a region went back to it."""

    async def main() -> None:
        region = Region()
        for said in (PortStatus.UP, PortStatus.DOWN, PortStatus.UNWATCHED):
            await region.say(ACTIVE, PortState("g", said))

            value = await region.kept(ACTIVE, "g")

            assert msgspec.msgpack.decode(value or b"", type=ReportOfBefore).port_id == "g"
            assert await region.told(ACTIVE, "g") is said

    asyncio.run(main())


def test_what_is_only_said_of_gateways_is_not_believed_of_machines_nor_the_other_way_round() -> (
    None
):
    async def main() -> None:
        region = Region()
        await region.say("h1", PortState("p", PortStatus.UNWATCHED))
        await region.say(ACTIVE, PortState("g", PortStatus.FAILED))

        assert await region.told("h1", "p") is None
        assert await region.told(ACTIVE, "g") is None

    asyncio.run(main())


def test_what_was_said_is_forgotten_with_the_gateway_or_when_the_host_is_no_exit_any_more() -> None:
    async def main(gone: str) -> None:
        region = Region()
        await region.say(ACTIVE, PortState("g", PortStatus.UP))
        fanning = asyncio.ensure_future(region.feed.run())
        await region.goal.put([Change(gone, b"", 1)])
        assert await region.told(ACTIVE, "g") is PortStatus.UP

        await region.goal.put([Change(gone, None, 2)])

        async with asyncio.timeout(5):
            while True:
                if await region.told(ACTIVE, "g") is None:
                    break
                await asyncio.sleep(0)
        fanning.cancel()
        await asyncio.gather(fanning, return_exceptions=True)

    asyncio.run(main(gateway_key("r", "g")))
    asyncio.run(main(exit_key(ACTIVE, "r")))
