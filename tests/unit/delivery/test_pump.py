"""The pump plans what the intent log says, all of it, and survives what it can't read."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from itertools import pairwise
from typing import Any

from alcor.contracts.convergence import ConvergenceRequest
from alcor.delivery import metrics
from alcor.delivery.convergence import Convergence
from alcor.delivery.hosts import Hosts
from alcor.delivery.progress import Progress, alone
from alcor.delivery.pump import Pump, entries_per_step_max
from alcor.intent import records
from alcor.intent.records import (
    FixedIp,
    GroupRecord,
    NetworkAclRecord,
    NetworkAclRuleRecord,
    NetworkRecord,
    NodeRecord,
    PortForwardingRecord,
    PortRecord,
    QosPolicyRecord,
    Record,
    SubnetRecord,
)
from alcor.keyed_log.log import Change, Entry, Snapshot
from alcor.keyed_log.memory import MemoryLog


def network(number: int, vni: int = 7) -> NetworkRecord:
    return NetworkRecord(id=f"n{number}", project_id="", vni=vni, mtu=1450)


class World:
    """Two logs and a pump between them."""

    def __init__(self, **intent_limits: int) -> None:
        self.intent, self.goal = MemoryLog(1, **intent_limits), MemoryLog(1)
        self.rebuilt = asyncio.Event()
        self.stepped = asyncio.Event()
        self.pump = Pump(self.intent, self.goal, self.step)
        self.sequence = 0

    async def tell(self, *networks: NetworkRecord | str) -> int:
        """Save records, or delete those named; the sequence of the last."""
        changes = []
        for each in networks:
            self.sequence += 1
            id_, value = (each, None) if isinstance(each, str) else (each.id, records.encode(each))
            changes.append(Change(f"network/{id_}", value, self.sequence, "request"))
        await self.intent.put(changes)
        return self.sequence

    async def until_seen(self, sequence: int) -> None:
        await self.until(lambda: self.seen >= sequence)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a step of the pump after which it holds."""
        while not holds():
            self.stepped.clear()
            await self.stepped.wait()

    @property
    def seen(self) -> int:
        history = self.pump.history_by_manager.get("network")
        return history.seen if history else -1

    def step(self, position_by_slice: Mapping[str, int]) -> None:
        self.stepped.set()

    async def living(self) -> list[str]:
        return sorted(entry.key for entry in (await self.goal.snapshot("")).entries)

    async def last_sequences(self) -> dict[str, int]:
        await self.rebuilt.wait()
        return {"network": self.sequence}


def run(scenario: Callable[[World], Coroutine[Any, Any, None]], **intent_limits: int) -> None:
    async def main() -> None:
        world = World(**intent_limits)
        async with asyncio.timeout(10):
            pumping = asyncio.ensure_future(world.pump.run(world.last_sequences))
            await scenario(world)
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)

    asyncio.run(main())


def test_others_run_while_a_large_log_is_read() -> None:
    """Half a million records were read at once: what the delivery follows took it for dead."""

    async def scenario(world: World) -> None:
        count = 5 * entries_per_step_max
        unreadable = [Change(f"network/n{n}", b"?", n + 1) for n in range(count)]
        await world.intent.put(unreadable)
        world.sequence = count
        world.rebuilt.set()
        before, reads = metrics.unplannable._value.get(), [0.0]
        while reads[-1] < count:
            await asyncio.sleep(0)
            reads.append(metrics.unplannable._value.get() - before)

        at_once = [later - earlier for earlier, later in pairwise(reads)]
        assert max(at_once) <= entries_per_step_max

    run(scenario)


def test_nothing_is_planned_before_all_is_told() -> None:
    async def scenario(world: World) -> None:
        await world.tell(network(1))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not world.pump.ready.is_set()
        assert await world.living() == []

        world.rebuilt.set()
        await world.pump.ready.wait()
        assert await world.living() == ["network/n1/network"]

    run(scenario)


def test_a_record_that_cannot_be_read_is_left_out_and_the_rest_goes_on() -> None:
    async def scenario(world: World) -> None:
        world.rebuilt.set()
        await world.until_seen(await world.tell(network(1)))
        await world.intent.put([Change("network/n1", b"\xc1", 50), Change("volume/v1", b"\x80", 1)])

        world.sequence = 60
        await world.until_seen(await world.tell(network(2)))

        assert await world.living() == ["network/n1/network", "network/n2/network"]

    run(scenario)


def test_what_a_later_release_tells_stays_in_the_log_and_is_no_fault() -> None:
    def faults() -> float:
        (family,) = metrics.unplannable.collect()
        return family.samples[0].value

    async def scenario(world: World) -> None:
        before = faults()
        await world.intent.put([Change("weather/w1", b"\x80", 1)])  # in what is read first
        world.rebuilt.set()
        await world.until_seen(await world.tell(network(1)))
        await world.intent.put([Change("weather/w2", b"\x80", 2), Change("weather/w1", None, 3)])

        await world.until_seen(await world.tell(network(2)))

        assert await world.living() == ["network/n1/network", "network/n2/network"]
        assert [e.key for e in (await world.intent.snapshot("weather/")).entries] == ["weather/w2"]
        assert faults() == before

    run(scenario)


def test_every_change_has_its_slice_and_its_position() -> None:
    async def scenario(world: World) -> None:
        world.rebuilt.set()
        await world.pump.ready.wait()
        last = await world.tell(network(1), network(2), network(1, vni=8))
        await world.until_seen(last)

        write = world.pump.history_by_manager["network"].write(last)
        logs = [
            *(await world.intent.snapshot("")).entries,
            *(await world.goal.snapshot("")).entries,
        ]
        held = {entry.key: entry for entry in logs}

        assert write is not None
        assert write.position_by_slice == {
            "network/n1/": held["network/n1"].position,
            "network/n2/": held["network/n2"].position,
        }
        assert world.pump.position_by_slice == write.position_by_slice
        assert held["network/n1/network"].trace == "request"

    run(scenario)


def test_where_slices_changed_last_is_forgotten_once_they_concern_nobody() -> None:
    """Else a region would remember all that it ever had."""
    lasting: dict[str, Record] = {
        "node/h1": NodeRecord(id="h1", tunnel_ip="172.31.0.1"),
        "network/n1": network(1),
        "subnet/s1": SubnetRecord(
            id="s1", network_id="n1", project_id="", ip_version=4, cidr="10.0.0.0/24"
        ),
        "port/p": _port("p", "n1"),
    }

    def passing(n: int) -> dict[str, Record]:
        return {
            f"security_group/g{n}": GroupRecord(id=f"g{n}", project_id=""),
            f"qos_policy/q{n}": QosPolicyRecord(id=f"q{n}", project_id=""),
            f"network_acl/a{n}": NetworkAclRecord(id=f"a{n}", project_id="", subnet_ids=("s1",)),
            f"network_acl_rule/r{n}": NetworkAclRuleRecord(
                id=f"r{n}", acl_id=f"a{n}", number=1, ingress=True, ip_version=4, allow=True
            ),
            f"port_forwarding/f{n}": _forwarding(n),
            f"port/p{n}": _port(f"p{n}", "n1", f"g{n}"),
            f"node/h{n}": NodeRecord(id=f"h{n}", tunnel_ip=f"172.31.1.{n}"),
            f"port/e{n}": _port(f"e{n}", "n1", host=f"h{n}"),
        }

    async def main() -> None:
        world = World()
        world.pump = Pump(world.intent, world.goal, world.step, slices_kept_least=20)
        world.rebuilt.set()
        pumping = asyncio.ensure_future(world.pump.run(world.last_sequences))
        await world.intent.put([Change(k, records.encode(v), 1) for k, v in lasting.items()])
        kept, index = world.pump.position_by_slice, world.pump.planner.index

        async def come_and_go(n: int) -> None:
            things = passing(n)
            await world.intent.put([Change(k, records.encode(v), 1) for k, v in things.items()])
            named = {f"acl/a{n}/", f"forwardings/i{n}/", f"members/g{n}/", f"host/h{n}/"}
            await world.until(lambda: named <= kept.keys())
            await world.intent.put([Change(key, None, 2) for key in reversed(list(things))])
            await world.until(lambda: not things.keys() & index.held())

        async with asyncio.timeout(10):
            for n in range(2, 60):
                await come_and_go(n)
        assert {"network/n1/", "host/h1/"} <= kept.keys()
        assert len(kept) <= 2 * 20
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)

    asyncio.run(main())


def test_a_host_that_was_deleted_is_not_waited_for() -> None:
    async def scenario(world: World) -> None:
        index, hosts = world.pump.planner.index, Hosts(1, lambda: world.intent.life)
        convergence = Convergence(
            hosts,
            Progress(hosts, alone),
            world.pump.history_by_manager,
            world.pump.position_by_slice,
            index.waited_for,
        )

        async def lagging() -> list[str]:
            asked = ConvergenceRequest(revision=f"network:{sequence}", timeout_s=0)
            return [each.host for each in (await convergence.wait(asked)).hosts]

        held = {"node/h1": NodeRecord(id="h1", tunnel_ip="172.31.0.1"), "port/p": _port("p", "n1")}
        sequence = await world.tell(network(1))
        await world.intent.put([Change(k, records.encode(v), 1) for k, v in held.items()])
        world.rebuilt.set()  # of single writes from before nothing is remembered
        await world.until_seen(sequence)
        assert await lagging() == ["h1"]

        await world.intent.put([Change(key, None, 2) for key in ("port/p", "node/h1")])
        await world.until(lambda: not held.keys() & index.held())
        assert await lagging() == []

    run(scenario)


def _port(id_: str, network_id: str, *groups: str, host: str = "h1") -> PortRecord:
    return PortRecord(
        id=id_,
        network_id=network_id,
        project_id="",
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(FixedIp("s1", "10.0.0.9"),),
        security_groups=groups,
        host=host,
    )


def _forwarding(n: int) -> PortForwardingRecord:
    return PortForwardingRecord(
        id=f"f{n}",
        floating_ip_id=f"i{n}",
        protocol=6,
        external_ports=(80, 80),
        internal_port_id="p",
        internal_ip="10.0.0.9",
        internal_ports=(80, 80),
    )


def test_a_pump_that_was_left_behind_ends_with_what_is() -> None:
    async def scenario(world: World) -> None:
        world.rebuilt.set()
        await world.until_seen(await world.tell(*(network(n) for n in range(4))))
        # More at once than its watch may hold, deletions among them.
        last = await world.tell(*(network(n) for n in range(4, 30)), "n1", "n2")
        await world.until_seen(last)

        expected = sorted(f"network/n{n}/network" for n in range(30) if n not in (1, 2))
        assert await world.living() == expected

    run(scenario, watcher_pending_max=10)


def test_hosts_need_no_more_than_the_last_change_also_where_the_log_has_gone_on() -> None:
    """Another delivery, which followed the log, has never heard of anything beyond it."""

    async def scenario() -> None:
        intent, goal = TalkedOver(1), MemoryLog(1)
        record = network(1)
        await intent.put([Change("network/n1", records.encode(record), 1, "request")])
        pump = Pump(intent, goal, lambda _: None)
        task = asyncio.ensure_future(pump.run(nothing_said))
        try:
            async with asyncio.timeout(5):
                await pump.ready.wait()
            assert pump.watermark.planned.position == 1
            assert pump.position_by_slice == {"network/n1/": 1}
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())


class TalkedOver(MemoryLog):
    """A log whose position grows with what is no change, as a stream's does."""

    async def changes(self, prefix: str, since: int) -> Snapshot:
        whole = await super().changes(prefix, since)
        return whole._replace(position=whole.position + 10)

    def watch(self, prefix: str, since: int) -> AsyncGenerator[Sequence[Entry], None]:
        return super().watch(prefix, since - 10)


async def nothing_said() -> dict[str, int]:
    return {}
