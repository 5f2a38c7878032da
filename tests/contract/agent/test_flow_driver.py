"""The flow driver on a real switch: only the difference is sent, and drift is put right."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from alcor.agent.compiler.compiler import Change, Compiler, UnitChange
from alcor.agent.drivers import openflow
from alcor.agent.drivers.openflow import FlowDriver
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Tunnel, Unit, UnitKind
from alcor.goal_state.entries import FixedIp, Neighbour, Network, Port, Subnet
from alcor.ovs import frames
from alcor.ovs.channel import Disconnected
from alcor.ovs.connection import OpenFlow, Sent
from alcor.ovs.flow import Flow, apply, match
from alcor.ovs.openflow.flows import flow_body, flow_key
from alcor.values.addresses import Mac, address, prefix

DUMP_CONNECTIONS = ("dpctl/dump-conntrack", "netdev@ovs-netdev")


class Host(Protocol):
    """What these tests use of the `host` fixture."""

    run_dir: Path

    def vsctl(self, *words: str) -> str: ...
    def run(self, *command: str) -> str: ...
    def flows(self) -> list[str]: ...
    def ages_s(self) -> list[float]: ...
    def kill(self, program: str) -> None: ...
    def hang(self, program: str, *, hangs: bool) -> None: ...
    def start_switch(self) -> None: ...


def world() -> HostModel:
    model = HostModel()
    model.put(Network("n", 7, 1450, True, ""))
    model.put(Subnet("s", "n", prefix("10.0.0.0/24"), address("10.0.0.1"), True, (), ()))
    both = (FixedIp("s", address("10.0.0.5")), FixedIp("s6", address("fd00::5")))
    model.put(Port("p", "n", Mac(0x020000000001), both, True, True, "", ""))
    model.put(Port("q", "n", Mac(0x020000000002), both[:1], True, False, "", ""))
    model.set_interface("p", Interface(3, True))
    model.set_interface("q", Interface(4, True))
    model.set_tunnel(Tunnel(100, address("172.31.0.1")))
    for number in range(6, 40):
        model.put(
            Neighbour(
                f"z{number}",
                "n",
                Mac(0x020000000100 + number),
                (address(f"10.0.0.{number}"), address(f"fd00::{number}")),
                "h2",
                address("172.31.0.2"),
            )
        )
    return model


class Driven:
    """A driver that is connected, and the compiler that tells it what is wanted."""

    def __init__(self, host: Host, connect: Callable[[Path], Awaitable[OpenFlow]]) -> None:
        self.metrics = Metrics()
        self.driver = FlowDriver(host.run_dir / "br-int.mgmt", self.metrics, connect)
        self.model = world()
        self.compiler = Compiler(self.model)
        self.connected = asyncio.Event()
        self.away: list[str] = []  # why, each time
        self.driver.want(self.compiler.update(set(self.model.units())))

    async def meet(self) -> None:
        async with asyncio.timeout(10):
            await self.connected.wait()
        self.connected.clear()

    def ops(self, op: str, result: str = "ok") -> float:
        labels = {"op": op, "result": result}
        return self.metrics.registry.get_sample_value("alcor_agent_flow_ops_total", labels) or 0.0


def driven(
    host: Host,
    story: Callable[[Driven], Awaitable[None]],
    connect: Callable[[Path], Awaitable[OpenFlow]] = OpenFlow.connect,
) -> None:
    async def run() -> None:
        each = Driven(host, connect)
        task = asyncio.create_task(each.driver.keep_connected(each.connected.set, each.away.append))
        try:
            await each.meet()
            await story(each)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            each.driver.close()

    asyncio.run(run())


def make_bridge(host: Host) -> None:
    host.vsctl(
        *("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev"),
        *("fail_mode=secure", "protocols=OpenFlow14", "other_config:disable-in-band=true"),
    )


def test_every_flow_of_the_pipeline_comes_back_as_it_was_sent(host: Host) -> None:
    make_bridge(host)

    async def story(each: Driven) -> None:
        assert await each.driver.apply()
        await each.driver.audit()
        assert each.metrics.registry.get_sample_value("alcor_agent_drift_entries") == 0
        assert not each.driver.quarantined

    driven(host, story)


def test_a_driver_that_starts_again_sends_nothing(host: Host) -> None:
    make_bridge(host)

    async def first(each: Driven) -> None:
        assert await each.driver.apply()

    driven(host, first)
    before = host.ages_s()

    async def again(each: Driven) -> None:
        each.driver.prune()
        assert await each.driver.apply()
        assert each.ops("put") == each.ops("take") == 0

    driven(host, again)
    after = host.ages_s()
    assert len(after) == len(before)
    assert sum(after) > sum(before)  # a flow that is put again is young again


def test_an_audit_puts_right_what_somebody_else_did(host: Host) -> None:
    make_bridge(host)

    async def story(each: Driven) -> None:
        await each.driver.apply()
        good = host.flows()
        await asyncio.to_thread(
            host.run, "ovs-ofctl", "-O", "OpenFlow14", "add-flow", "br-int", "actions=normal"
        )
        await asyncio.to_thread(
            host.run, "ovs-ofctl", "-O", "OpenFlow14", "del-flows", "br-int", "table=60"
        )
        assert host.flows() != good

        await each.driver.audit()
        await each.driver.apply()
        assert host.flows() == good

    driven(host, story)


def test_a_switch_that_was_restarted_gets_everything_again(host: Host) -> None:
    make_bridge(host)

    async def story(each: Driven) -> None:
        await each.driver.apply()
        good = host.flows()
        await asyncio.to_thread(host.kill, "ovs-vswitchd")
        await asyncio.to_thread(host.start_switch)
        await each.meet()

        assert await each.driver.apply()
        assert host.flows() == good

    driven(host, story)


def test_a_switch_that_hangs_is_missed_though_there_is_nothing_to_tell_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bridge(host)
    monkeypatch.setattr(openflow, "look_every_s", 0.05)
    monkeypatch.setattr(openflow, "away_s_min", 0.0)
    impatient = partial(OpenFlow.connect, timeout_s=1.0)

    async def story(each: Driven) -> None:
        assert await each.driver.apply()
        assert not each.away
        host.hang("ovs-vswitchd", hangs=True)
        try:
            async with asyncio.timeout(30):
                while not each.away:  # noqa: ASYNC110  (that is what is asked)
                    await asyncio.sleep(0.05)
        finally:
            host.hang("ovs-vswitchd", hangs=False)
        assert each.away[0].startswith("the switch does not answer")
        await each.meet()
        assert await each.driver.apply()

    driven(host, story, impatient)


def test_own_leftovers_stay_until_all_is_known(host: Host) -> None:
    make_bridge(host)

    async def story(each: Driven) -> None:
        await each.driver.apply()
        good = len(host.flows())
        young = Driven(
            host, OpenFlow.connect
        )  # knows nothing of a neighbour, as after a lost memory
        young.driver.want(young.compiler.update(young.model.set_interface("p", None)))
        task = asyncio.create_task(
            young.driver.keep_connected(young.connected.set, young.away.append)
        )
        await young.meet()

        await young.driver.apply()
        assert len(host.flows()) == good
        young.driver.prune()
        await young.driver.apply()
        assert len(host.flows()) < good
        task.cancel()
        young.driver.close()

    driven(host, story)


def test_a_refused_flow_holds_back_its_port_and_nothing_else(host: Host) -> None:
    make_bridge(host)
    bad_port = Unit(UnitKind.PORT, "bad")
    backwards = Flow(60, 5, match(in_port=9), apply(goto=10), 0xA1 << 56)
    good = Flow(60, 6, match(in_port=9), apply(goto=61), 0xA1 << 56)

    async def story(each: Driven) -> None:
        puts = tuple((flow_key(each), flow_body(each)) for each in (good, backwards))
        units = (UnitChange(bad_port, puts, ()),)
        each.driver.want(Change(units, (), (), {}, frozenset()))
        assert await each.driver.apply()

        assert set(each.driver.quarantined) == {bad_port}
        assert "priority=5" in each.driver.quarantined[bad_port]
        assert len(host.flows()) == each.driver.flows_count > 60
        assert not any("in_port=9" in line for line in host.flows())

    driven(host, story)


def test_meters_come_before_flows_and_go_after_them(host: Host) -> None:
    make_bridge(host)

    async def story(each: Driven) -> None:
        each.driver.prune()
        await each.driver.apply()
        meters = host.run("ovs-ofctl", "-O", "OpenFlow14", "dump-meters", "br-int")
        assert "meter=3" in meters
        each.driver.want(each.compiler.update(each.model.set_interface("p", None)))

        await each.driver.apply()
        meters = host.run("ovs-ofctl", "-O", "OpenFlow14", "dump-meters", "br-int")
        assert "meter=3" not in meters
        assert "meter=4" in meters

    driven(host, story)


class Dying(OpenFlow):
    """A session of an agent that is killed when its bundle is in force, and does no more."""

    async def commit(self, sent: Sent) -> None:
        await super().commit(sent)
        raise Disconnected("the agent was killed")


def connections(host: Host, zone: int) -> list[str]:
    told = host.run("ovs-appctl", "-t", str(host.run_dir / "ovs-vswitchd.ctl"), *DUMP_CONNECTIONS)
    return [line for line in told.splitlines() if f"zone={zone}" in line]


def test_who_gets_anothers_number_gets_no_connection_of_it_though_the_agent_was_killed(
    host: Host,
) -> None:
    """The flows say whose a zone is: with the new owner's in force nobody knows of the old one."""
    make_bridge(host)

    async def before(each: Driven) -> None:
        each.driver.prune()
        assert await each.driver.apply()

    driven(host, before)
    frame = frames.ip_frame(
        Mac(0x020000000002), Mac(0x020000000001),
        frames.udp4(0x0A000005, 0x0A000006, 1_000, 2_000, b"", 64),
    )  # fmt: skip
    actions = "actions=ct(commit,zone=3)"
    host.run(
        *("ovs-ofctl", "-O", "OpenFlow14", "packet-out", str(host.run_dir / "br-int.mgmt")),
        f"in_port=controller,packet={frame.hex()},{actions}",
    )
    assert len(connections(host, 3)) == 1

    async def after(each: Driven, *, killed: bool) -> None:
        each.model.set_interface("p", None)
        each.model.set_interface("q", Interface(3, True))
        each.driver.want(each.compiler.update(set(each.model.units())))
        each.driver.prune()
        assert await each.driver.apply() is not killed

    driven(host, partial(after, killed=True), Dying.connect)
    driven(host, partial(after, killed=False))

    assert connections(host, 3) == []
