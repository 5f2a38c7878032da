"""The loop: what is acknowledged is what the switch has, and never more."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.compiler import compiler
from alcor.agent.compiler.compiler import Change
from alcor.agent.compiler.unit_flows import unit_flows as unit_flows_of
from alcor.agent.desired.desired import Desired
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Unit, UnitKind
from alcor.agent.reconciler import Reconciler
from alcor.agent.shapes.shape import AnyFlow
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import Network, Port
from alcor.goal_state.reports import PortStatus
from alcor.goal_state.slices import host_port_key, network_key
from alcor.ovs.openflow.flows import FlowBody, FlowKey
from alcor.transport.link import Connected, Disconnected, Frame, Got, Item, PortState, Report
from alcor.values.addresses import Mac

OWN, N1 = "host/h1/", "network/n1/"
PORT = Port("p1", "n1", Mac(0x020000000001), (), True, True, "", "")
NETWORK = Network("n1", 7, 1450, True, "")
HOST_FRAME = Frame(
    1,
    10,
    (Item(host_port_key("h1", "p1"), encode(host_port_key("h1", "p1"), PORT), 1, "req-1"),),
    begins=(OWN,),
    completes=(OWN,),
)
NETWORK_FRAME = Frame(
    1,
    11,
    (Item(network_key("n1"), encode(network_key("n1"), NETWORK), 2, "req-1"),),
    begins=(N1,),
    completes=(N1,),
)


class FakeLink:
    """A control plane that says what it is told to say."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[Frame | Connected | Disconnected] = asyncio.Queue()
        self.subscribed: dict[str, tuple[int, int]] = {}
        self.reports: asyncio.Queue[Report] = asyncio.Queue()

    async def events(self) -> AsyncIterator[Frame | Connected | Disconnected]:
        while True:
            yield await self.said.get()

    def subscribe(self, name: str, epoch: int = 0, position: int = 0) -> None:
        self.subscribed[name] = (epoch, position)

    def unsubscribe(self, name: str) -> None:
        del self.subscribed[name]

    def report(self, report: Report) -> None:
        self.reports.put_nowait(report)

    async def get(self, keys: Sequence[str]) -> Got:
        raise ConnectionError


class FakeDriver:
    """A switch that can be away, slow, and choosy."""

    def __init__(self) -> None:
        self.wanted: list[Change] = []
        self.quarantined: Mapping[Unit, str] = {}
        self.there = True
        self.pruned = 0
        self.left: list[tuple[FlowKey, FlowBody]] = []
        self.applied = 0
        self.slow = asyncio.Event()
        self.slow.set()
        self.flows_count = 3
        self.audited: list[int] = []  # how much had been wanted then

    def want(self, change: Change) -> None:
        self.wanted.append(change)

    def left_over(self, kind: UnitKind) -> list[tuple[FlowKey, FlowBody]]:
        return self.left if kind is UnitKind.OUTSIDE else []

    def prune(self) -> None:
        self.pruned += 1

    async def apply(self, more: Iterator[Change]) -> bool:
        self.wanted += more
        await self.slow.wait()
        self.applied += self.there
        return self.there

    async def audit(self) -> None:
        self.audited.append(len(self.wanted))


class World:
    def __init__(self) -> None:
        self.link, self.driver, self.model = FakeLink(), FakeDriver(), HostModel()
        self.sent: list[Outgoing] = []
        self.metrics = Metrics()
        self.loop = Reconciler(
            Desired("h1"), self.model, self.link, self.driver, self.sent.extend, self.metrics
        )

    def say(self, *events: Frame | Connected | Disconnected) -> None:
        for event in events:
            self.link.said.put_nowait(event)

    async def report(self) -> Report:
        async with asyncio.timeout(5):
            return await self.link.reports.get()

    def reports(self) -> list[Report]:
        """Those that have come since."""
        return [self.link.reports.get_nowait() for _ in range(self.link.reports.qsize())]

    async def quiet(self) -> None:
        """Let everything that can happen without us happen."""
        for _ in range(20):
            await asyncio.sleep(0)


def in_world(story: Any) -> None:
    async def run() -> None:
        world = World()
        world.loop.restore(None)
        tasks: list[Coroutine[Any, Any, None]] = [
            world.loop.run(),
            world.loop.read(world.link.events()),
        ]
        running = [asyncio.ensure_future(task) for task in tasks]
        try:
            await story(world)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    asyncio.run(run())


def test_nothing_is_written_before_the_switch_is_ours() -> None:
    async def story(world: World) -> None:
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        await world.quiet()
        assert world.driver.applied == 0

        world.loop.allow_writing(True)
        await world.report()
        assert world.driver.applied > 0

    in_world(story)


def test_a_position_is_acknowledged_only_when_nothing_is_incomplete() -> None:
    async def story(world: World) -> None:
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME)
        first = await world.report()
        assert (first.epoch, first.position) == (1, 0)

        world.say(NETWORK_FRAME)
        assert (await world.report()).position == 11

    in_world(story)


def test_what_the_bridge_is_is_told_once_it_is_known_and_when_it_is_another() -> None:
    async def story(world: World) -> None:
        world.loop.set_datapath_type("")
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME)
        assert (await world.report()).datapath_type == ""

        for type_ in ("netdev", "system"):
            world.loop.set_datapath_type(type_)
            assert (await world.report()).datapath_type == type_
        world.loop.set_datapath_type("")  # the bridge is gone: nothing can be plugged in there
        world.say(NETWORK_FRAME)
        assert (await world.report()).datapath_type == "system"

    in_world(story)


def test_leftovers_go_only_when_everything_wanted_is_known() -> None:
    async def story(world: World) -> None:
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME)
        await world.report()
        assert world.driver.pruned == 0

        world.say(NETWORK_FRAME)
        await world.report()
        assert world.driver.pruned == 1

    in_world(story)


def test_a_slice_that_is_refused_is_told_of_only_when_it_is_so_for_long() -> None:
    async def story(world: World) -> None:
        def faults() -> float | None:
            return world.metrics.registry.get_sample_value("alcor_agent_goal_faults_total")

        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME, Frame(1, 12, refused=("network/n1/",)))
        await world.quiet()
        world.loop.audit()
        assert faults() == 0

        world.loop.audit()
        assert faults() == 1

    in_world(story)


def test_who_is_left_on_the_switch_is_adopted_once_all_is_known_and_before_it_would_go() -> None:
    async def story(world: World) -> None:
        adopted: list[tuple[int, list[tuple[FlowKey, FlowBody]]]] = []
        world.driver.left = [(b"key", b"body")]
        world.loop.adopt = lambda left: adopted.append((world.driver.pruned, [*left]))
        world.loop.allow_writing(True)
        world.loop.switch_is_new()
        world.say(Connected(), HOST_FRAME)
        await world.report()
        assert adopted == []

        world.say(NETWORK_FRAME)
        await world.report()
        world.loop.audit()
        await world.quiet()
        assert adopted == [(0, world.driver.left)]

    in_world(story)


def test_a_port_is_up_when_it_has_an_interface_and_the_switch_has_acknowledged() -> None:
    async def story(world: World) -> None:
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        assert (await world.report()).ports[0].status is PortStatus.DOWN

        world.driver.slow.clear()
        world.loop.set_interfaces({"p1": Interface(3, True)})
        await world.quiet()
        assert world.link.reports.empty()

        world.driver.slow.set()
        assert (await world.report()).ports == (PortState("p1", PortStatus.UP, "", 3),)

    in_world(story)


def test_what_comes_while_the_switch_works_is_not_told_before_it_is_there() -> None:
    async def story(world: World) -> None:
        world.driver.slow.clear()
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        await world.quiet()
        world.loop.allow_writing(True)
        await world.quiet()

        world.loop.set_interfaces({"p1": Interface(3, True)})
        world.driver.slow.set()

        assert (await world.report()).ports[0].status is PortStatus.DOWN
        assert (await world.report()).ports == (PortState("p1", PortStatus.UP, "", 3),)

    in_world(story)


def test_a_port_that_the_switch_refuses_is_failed_and_says_why() -> None:
    async def story(world: World) -> None:
        world.driver.quarantined = {Unit(UnitKind.PORT, "p1"): "no such table"}
        world.loop.allow_writing(True)
        world.loop.set_interfaces({"p1": Interface(3, True)})
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)

        state = (await world.report()).ports[0]
        assert state == PortState("p1", PortStatus.FAILED, "no such table", 3)

    in_world(story)


def test_every_status_is_told_again_to_a_new_control_plane() -> None:
    async def story(world: World) -> None:
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        await world.report()
        world.say(Disconnected("gone"), Connected(), Frame(1, 12, resumes=(OWN, N1)))

        assert [state.port_id for state in (await world.report()).ports] == ["p1"]

    in_world(story)


def test_a_switch_that_is_away_acknowledges_nothing() -> None:
    async def story(world: World) -> None:
        world.driver.there = False
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        await world.quiet()
        assert world.link.reports.empty()

        world.driver.there = True
        world.loop.switch_is_new()
        assert (await world.report()).position == 11

    in_world(story)


def test_that_the_switch_is_away_is_told_at_once_and_to_who_comes_later_until_it_acknowledges() -> (
    None
):
    """A host whose switch hung was said to be well, as nothing was told that it did not say."""

    async def story(world: World) -> None:
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        assert (await world.report()).position == 11
        world.driver.there = False
        why = "the switch does not answer"
        for _ in range(3):
            world.loop.switch_is_away(why)
        told = await world.report()
        assert (told.fault, told.position, told.ports) == (why, 11, ())
        world.say(Disconnected("away"), Connected())
        assert (await world.report()).fault == why
        await world.quiet()
        assert world.link.reports.empty()
        assert world.metrics.registry.get_sample_value("alcor_agent_switch_away") == 1

        world.driver.there = True
        world.loop.switch_is_new()
        assert (await world.report()).fault == ""
        assert world.metrics.registry.get_sample_value("alcor_agent_switch_away") == 0

    in_world(story)


def test_what_arrives_during_a_pass_is_taken_together_by_the_next() -> None:
    async def story(world: World) -> None:
        world.loop.allow_writing(True)
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        await world.report()
        passes = world.driver.applied

        world.driver.slow.clear()
        world.say(Frame(1, 20))
        await world.quiet()
        world.say(*(Frame(1, position) for position in range(21, 40)))
        await world.quiet()
        world.driver.slow.set()
        positions = [(await world.report()).position for _ in range(2)]

        assert positions == [20, 39]
        assert world.driver.applied == passes + 2

    in_world(story)


def test_what_no_flows_can_be_made_of_is_told_and_all_else_is_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unit_flows(model: HostModel, unit: Unit) -> Iterable[AnyFlow]:
        if unit == Unit(UnitKind.PORT, "p1") and model.networks.get("n1") == NETWORK:
            raise ValueError("a fault of ours")
        return unit_flows_of(model, unit)

    monkeypatch.setattr(compiler, "unit_flows", unit_flows)

    async def story(world: World) -> None:
        with capture_logs() as logs:
            world.loop.set_interfaces({"p1": Interface(5, True)})
            world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
            await world.quiet()
            world.loop.allow_writing(True)
            await world.quiet()
        states = [state for report in world.reports() for state in report.ports]
        assert states[-1].status is PortStatus.FAILED
        assert states[-1].reason.endswith("a fault of ours")
        assert [each["unit"] for each in logs if each["log_level"] == "error"] == ["PORT p1"]
        assert world.driver.applied > 0

        named = NETWORK._replace(dns_domain="red.example.")
        item = Item(network_key("n1"), encode(network_key("n1"), named), 3, "")
        world.say(Frame(1, 12, (item,)))
        await world.quiet()
        assert world.reports()[-1].ports == (PortState("p1", PortStatus.UP, ofport=5),)

    in_world(story)


def test_what_changes_while_an_audit_is_due_is_no_drift() -> None:
    async def story(world: World) -> None:
        world.say(Connected(), HOST_FRAME, NETWORK_FRAME)
        world.loop.allow_writing(True)
        await world.quiet()
        wanted = len(world.driver.wanted)

        world.loop.set_interfaces({"p1": Interface(5, True)})
        world.loop.audit()
        await world.quiet()

        assert world.driver.audited == [wanted]
        assert len(world.driver.wanted) > wanted

    in_world(story)
