"""A simulated host: the agent's own parts around a simulated switch, and what it remembers.

What needs sockets of machines (DHCP, names, metadata) is not here; all that turns goal state into
flows is.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from alcor.agent.desired import state
from alcor.agent.desired.desired import Desired
from alcor.agent.desired.memory import Memory
from alcor.agent.desired.state import Corrupt, SavedState
from alcor.agent.drivers.openflow import FlowDriver
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Tunnel
from alcor.agent.model.ports.monitoring import Ports
from alcor.agent.punts.seeking import Seeker
from alcor.agent.reconciler import Reconciler
from alcor.agent.seeking import watch
from alcor.goal_state.slices import found_slice
from alcor.simulation.fakes.calls import Exchange
from alcor.simulation.fakes.clock import Process
from alcor.simulation.fakes.journal import Journal
from alcor.simulation.fakes.switch import Switch
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Hello
from alcor.values.addresses import Address
from alcor.values.ids import host_id

audit_s = 30.0
want_s, idle_s = 3.0, 300.0
tunnel_ofport, uplink_ofport, tap_ofport = 1, 2, 3
physical_network = "physnet1"


class HostDisk:
    """The file of a host's memory, which outlives its agent. One that is full keeps the old."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.is_full = False


class SimulatedMemory(Memory):
    """`Memory` on a host's simulated disk."""

    def __init__(self, disk: HostDisk, journal: Journal) -> None:
        self._disk, self._journal = disk, journal
        self.failing = False

    def load(self) -> SavedState | None:
        """What was last saved."""
        if self._disk.content is None:
            return None
        try:
            return state.decode(self._disk.content)
        except Corrupt as error:
            self._journal.note("host.corrupt", reason=str(error))
            return None

    def save(self, what: SavedState) -> int:
        """Write now, if there is room; so many bytes."""
        self.failing = self._disk.is_full
        if self.failing:
            return 0
        self._disk.content = state.encode(what)
        return len(self._disk.content)


class Host:
    """One host of the region: its switch and its disk; its agent comes and goes."""

    def __init__(
        self,
        number: int,
        chance: Random,
        journal: Journal,
        exchange: Exchange,
        targets: Sequence[str],
        desired_of: Callable[[str], Desired],
    ) -> None:
        """`targets` are where deliveries listen."""
        self.name = f"host{number}"
        self.endpoint = Address(4, 0x0A000000 + number)
        self.switch = Switch(self.name, Random(chance.random()), journal)
        self.disk = HostDisk()
        self._chance, self._journal, self._exchange = chance, journal, exchange
        self._targets, self._desired_of = targets, desired_of
        self._wants = Random(self.name)
        self._desired = Desired(self.name)
        self.machines_want = True  # something new of large networks, now and then
        self.process: Process | None = None
        self.processes: list[Process] = []  # that its agent ever was

    @property
    def sought(self) -> list[str]:
        """What its machines want of networks that it holds lazily."""
        return self._desired.sought

    def uplinks(self) -> dict[str, int]:
        """The ports of its switch to physical networks: every second host has one."""
        return {physical_network: uplink_ofport} if int(self.name[4:]) % 2 else {}

    @property
    def tunnel(self) -> Tunnel:
        """The ports of its switch to other hosts."""
        return Tunnel(tunnel_ofport, self.endpoint, Ports(taps=tap_ofport))

    def start(self) -> None:
        """Start the agent."""
        self.process = process = Process(self.name)
        self.processes.append(process)
        process.start(self._run(process), f"{self.name}-agent")

    def kill(self) -> None:
        """Kill the agent; the switch goes on."""
        if self.process is not None:
            self.process.kill()
            self.switch.disconnect()
            self._exchange.cut_process(self.process)
            self.process = None

    async def _run(self, process: Process) -> None:
        metrics, model = Metrics(), HostModel()
        hello = Hello(
            host_id(self.name), "0", self.endpoint, tuple(self.uplinks()), lazy=True, names=True
        )
        link = GrpcLink(
            self._targets,
            hello,
            chance=self._chance.random,
            open_channel=self._exchange.opener(process),
        )
        flows = FlowDriver(Path(self.name), metrics, self.switch.connect)
        self._desired = desired = self._desired_of(self.name)
        loop = Reconciler(desired, model, link, flows, lambda frames: None, metrics)
        memory = SimulatedMemory(self.disk, self._journal)
        seeker = Seeker(model, desired, loop, asyncio.get_running_loop().time, metrics, idle_s)
        loop.settled = seeker.settle
        loop.restore(memory.load())
        seeker.restore()
        loop.set_tunnel(self.tunnel)
        loop.set_uplinks(self.uplinks())
        loop.set_interfaces(self.switch.interfaces)
        self.switch.changed = lambda: loop.set_interfaces(self.switch.interfaces)
        loop.allow_writing(True)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(flows.keep_connected(loop.switch_is_new, loop.switch_is_away))
            parts.create_task(loop.read(link.events()))
            parts.create_task(loop.run())
            parts.create_task(memory.keep(loop.unsaved, desired.saved))
            parts.create_task(_audit(loop))
            parts.create_task(watch(seeker, loop, flows))
            parts.create_task(self._want(loop, model))

    async def _want(self, loop: Reconciler, model: HostModel) -> None:
        """Machines want this and that neighbour of large networks, or nobody, and then no more."""
        while True:
            await asyncio.sleep(want_s)
            if not self.machines_want:
                continue
            for network_id in sorted(model.lazy):
                for subnet in model.subnets.get(network_id, {}).values():
                    wanted = Address(
                        subnet.prefix.version, subnet.prefix.number + self._wants.randrange(16)
                    )
                    loop.seek([found_slice(network_id, str(wanted))])
            if self._wants.random() < 0.2:
                loop.forsake(self.sought)


async def _audit(loop: Reconciler) -> None:
    while True:
        await asyncio.sleep(audit_s)
        loop.audit()
