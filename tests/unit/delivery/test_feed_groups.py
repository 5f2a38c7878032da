"""A host is sent the slices that its ports' groups lead to, and loses them with what led there."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.fixtures.frames import next_frame

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.watermark import Watermark
from alcor.goal_state.slices import group_slice, host_port_key, members_slice, rule_key
from alcor.intent.records import PortRecord, RuleRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Hello, Session

DB, WEB = group_slice("db"), members_slice("web")
PORT_KEY, RULE_KEY = "port/p", "security_group_rule/r"
PORT = PortRecord(
    id="p", network_id="n", project_id="", mac_address="", host="h1", security_groups=("db",)
)
RULE = RuleRecord(id="r", group_id="db", ingress=True, ip_version=4, remote_group_id="web")


class World:
    """A feed, and one host that follows what it may."""

    def __init__(self) -> None:
        self.index = Index()
        self.index.put(PORT_KEY, PORT, 1)
        self.index.put(RULE_KEY, RULE, 1)
        self.goal = MemoryLog(1)
        ready = asyncio.Event()
        ready.set()
        self.feed = HostFeed(
            self.goal, MemoryLog(1), self.index, ready.wait, Watermark(), Hosts(1, str)
        )

    async def refused(self, session: Session) -> set[str]:
        """The slices that the next frame says the host may not have."""
        async with asyncio.timeout(5):
            while True:
                frame = await next_frame(session)
                assert frame is not None
                if frame.refused:
                    return set(frame.refused)


def run(scenario: Callable[[World, Session], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        fanning = asyncio.ensure_future(world.feed.run())
        session = await world.feed.open(Hello("h1", "", None))
        for name in ("host/h1/", DB, WEB):
            await session.subscribe(name, 0, 0)
        await scenario(world, session)
        await session.close()
        fanning.cancel()
        await asyncio.gather(fanning, return_exceptions=True)

    asyncio.run(main())


def test_a_port_that_leaves_its_group_leaves_the_host_without_group_and_remotes() -> None:
    async def scenario(world: World, session: Session) -> None:
        moved = PortRecord(id="p", network_id="n", project_id="", mac_address="", host="h1")
        world.index.put(PORT_KEY, moved, 2)
        await world.goal.put([Change(host_port_key("h1", "p"), b"moved", 1)])

        assert await world.refused(session) == {DB, WEB}

    run(scenario)


def test_a_rule_that_is_gone_leaves_the_host_without_its_remote() -> None:
    async def scenario(world: World, session: Session) -> None:
        await world.goal.put([Change(rule_key("db", "r"), b"rule", 1)])
        world.index.drop(RULE_KEY)
        await world.goal.put([Change(rule_key("db", "r"), None, 2)])

        assert await world.refused(session) == {WEB}

    run(scenario)


@pytest.mark.parametrize("name", [group_slice("web"), members_slice("db"), "addresses/a/", "x"])
def test_a_slice_that_no_port_leads_to_is_refused(name: str) -> None:
    async def scenario(world: World, session: Session) -> None:
        await session.subscribe(name, 0, 0)

        assert await world.refused(session) == {name}

    run(scenario)
