"""Flows by the ten and the hundred thousand: from goal state to the switch, beside `ovs-ofctl`.

The agent's own parts do it, as they do it in the agent: model, compiler, driver. Every round takes
another network, so that nothing is remembered from the round before.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from alcor.agent.agent import spare_the_collector
from alcor.agent.compiler.compiler import Compiler
from alcor.agent.drivers.openflow import FlowDriver
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Tunnel, Unit
from alcor.goal_state.entries import FixedIp, Neighbour, Network, Port, Subnet
from alcor.lab import hosts
from alcor.lab import lab as labs
from alcor.lab.layout import LabHost, layout
from alcor.ovs.connection import OpenFlow
from alcor.values.addresses import Address, Mac, Prefix
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.tables import Row, Section, at_most, between, ratio, seconds

small, medium, large = 500, 5_000, 50_000  # neighbours of one IPv4 address each: two flows
_changes = 40  # of one neighbour, a round
_rounds, _rounds_quick = 7, 3
_rounds_large, _rounds_large_quick = 5, 1
_tunnel_ofport, _port_ofport = 65_001, 65_002
_endpoint = Address(4, 172 << 24 | 31 << 16 | 2)


def neighbour(network: int, number: int) -> Neighbour:
    """A port of the network, on another host."""
    place = (10 << 24 | network << 16) + number
    addresses = (Address(4, place),)
    return Neighbour(f"n{number}", f"net-{network}", Mac(place), addresses, "h2", _endpoint)


def entries(number: int, neighbours: int) -> list[Network | Subnet | Port | Neighbour]:
    """A network with one port here and its neighbours elsewhere."""
    network, start = f"net-{number}", 10 << 24 | number << 16
    own = (FixedIp("sub", Address(4, start + 2)),)
    return [
        Network(network, 1_000 + number, 1450, True, ""),
        Subnet("sub", network, Prefix(4, start, 16), Address(4, start + 1), True, (), ()),
        Port(f"own-{number}", network, Mac(start), own, True, True, "", ""),
        *(neighbour(number, n) for n in range(16, 16 + neighbours)),
    ]


class Parts:
    """An agent's parts: from entries of goal state to the switch."""

    def __init__(self, driver: FlowDriver, connected: asyncio.Event) -> None:
        self.driver, self.connected = driver, connected
        self.model = HostModel()
        self.compiler = Compiler(self.model)

    async def put(self, number: int, told: Iterable[Network | Subnet | Port | Neighbour]) -> None:
        """A host that learns all of a network."""
        units = set(self.model.units())
        for entry in told:
            units |= self.model.put(entry)
        units |= self.model.set_tunnel(Tunnel(_tunnel_ofport, Address(4, 172 << 24 | 31 << 16 | 1)))
        units |= self.model.set_interface(f"own-{number}", Interface(_port_ofport, True))
        await self.apply(units)

    async def apply(self, units: set[Unit]) -> None:
        """Have the switch acknowledge what has changed."""
        pieces = self.compiler.pieces(units)
        self.driver.want(next(pieces))
        async with asyncio.timeout(300):
            await self.connected.wait()
        if not await self.driver.apply(pieces):
            raise RuntimeError("the switch has gone")


@asynccontextmanager
async def parts(socket: Path) -> AsyncIterator[Parts]:
    """The parts, connecting to a switch."""
    driver, connected = FlowDriver(socket, Metrics()), asyncio.Event()
    task = asyncio.create_task(driver.keep_connected(connected.set, lambda _: None))
    try:
        yield Parts(driver, connected)
    finally:
        driver.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Cost(NamedTuple):
    """How long something took, and how many flows there were then."""

    seconds: float
    flows: int


class Host:
    """One switch with an integration bridge and nobody else at it."""

    _number = count(1)

    def __init__(self, host: LabHost, folder: Path) -> None:
        self._host = host
        self._file = folder / f"{host.name}.txt"
        self.network = 0
        self.socket = host.folder / "br-int.mgmt"
        hosts.vsctl(
            host,
            *("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev"),
            *("fail_mode=secure", "protocols=[OpenFlow13,OpenFlow14,OpenFlow15]"),
        )

    def ours(self, neighbours: int) -> Cost:
        """Put the flows of a new network on the empty switch; they are written down as well."""
        self._empty()
        self.network = next(self._number) % 200
        cost = self.start(neighbours)
        dumped = hosts.ofctl(self._host, "dump-flows", "br-int", "--no-stats", "--no-names")
        self._file.write_text(dumped)
        return cost

    def start(self, neighbours: int) -> Cost:
        """Start on the switch as it is, with the goal state of the network last put."""
        return asyncio.run(_start(self.socket, self.network, neighbours))

    def ofctl(self) -> float:
        """The same flows by `ovs-ofctl`, from a file that is ready."""
        self._empty()
        began = perf_counter()
        hosts.ofctl(self._host, "add-flows", "--bundle", "br-int", str(self._file))
        return perf_counter() - began

    def read_back(self) -> float:
        """Read all flows back, decoded for comparison."""
        return asyncio.run(_read_back(self.socket))

    def dump(self) -> float:
        """Read all flows back by `ovs-ofctl`."""
        began = perf_counter()
        hosts.ofctl(self._host, "dump-flows", "br-int")
        return perf_counter() - began

    def _empty(self) -> None:
        hosts.ofctl(self._host, "del-flows", "br-int")


async def _start(socket: Path, number: int, neighbours: int) -> Cost:
    told = entries(number, neighbours)
    gc.collect()
    began = perf_counter()
    async with parts(socket) as started:
        await started.put(number, told)
        return Cost(perf_counter() - began, started.driver.flows_count)


async def _read_back(socket: Path) -> float:
    session = await OpenFlow.connect(socket)
    try:
        began = perf_counter()
        await session.flows()
        return perf_counter() - began
    finally:
        session.close()


async def _one_more(few: Host, many: Host, rounds: int) -> tuple[list[float], list[float]]:
    """A neighbour comes, on a host with few flows and on one with many, in turns."""
    async with parts(few.socket) as here, parts(many.socket) as there:
        await here.put(few.network, entries(few.network, small))
        await there.put(many.network, entries(many.network, large))
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds):
            for host, each, into in ((few, here, times[0]), (many, there, times[1])):
                told = neighbour(host.network, 60_000 + number)
                began = perf_counter()
                await each.apply(each.model.put(told))
                into.append(perf_counter() - began)
        return times


def measure(bench: Bench) -> list[Section]:
    """Ten thousand, a hundred thousand, and one more."""
    lab = layout("benchflows")
    labs.down(lab.name)
    spare_the_collector()
    try:
        hosts.build(lab, lab.hosts(2))
        few, many = (Host(lab.host(n), bench.folder) for n in (1, 2))
        sections = [_medium(bench, many), _large(bench, many)]
        for host, neighbours in ((few, small), (many, large)):
            bench.tell(f"{neighbours:,} neighbours")
            host.ours(neighbours)
        bench.tell("one more neighbour")
        rounds = bench.rounds(_changes, _changes // 4)
        sections.append(_more(*asyncio.run(_one_more(few, many, rounds))))
    finally:
        labs.down(lab.name)
    return sections


def _medium(bench: Bench, host: Host) -> Section:
    ours: list[Cost] = []
    stages = in_turns(
        bench.rounds(_rounds, _rounds_quick),
        {
            "flows by the agent's parts": lambda: _note(ours, host.ours(medium)),
            "flows by ovs-ofctl": host.ofctl,
            "flows read back": host.read_back,
            "flows dumped by ovs-ofctl": host.dump,
        },
        bench.tell,
        turning=False,
    )
    put, ofctl, back, dumped = stages.values()
    flows = ours[-1].flows
    return Section(
        title=f"{flows:,} flows on one switch",
        about=(
            f"Goal state of a network of {medium:,} neighbours is put into the agent's model, "
            "compiled, compared and committed in bundles of at most 1,000, each made while the "
            "switch works at the one before; `ovs-ofctl` gets the same flows from a file that is "
            "ready. Medians, with least and greatest."
        ),
        columns=["what", "Alcor", "beside", "ratio"],
        rows=[
            _compared(f"put {flows:,} flows", put, ofctl, "`ovs-ofctl --bundle add-flows`", 1.0),
            _compared(f"read {flows:,} flows back", back, dumped, "`ovs-ofctl dump-flows`", 1.0),
        ],
    )


def _large(bench: Bench, host: Host) -> Section:
    ours: list[Cost] = []
    stages = in_turns(
        bench.rounds(_rounds_large, _rounds_large_quick),
        {
            "many flows by the agent's parts": lambda: _note(ours, host.ours(large)),
            "a start that finds them": lambda: host.start(large).seconds,
            "many flows by ovs-ofctl": host.ofctl,
        },
        bench.tell,
        turning=False,
    )
    put, started, ofctl = stages.values()
    flows = ours[-1].flows
    return Section(
        title=f"{flows:,} flows on one switch",
        about=(
            f"The same with {large:,} neighbours. A start that finds all flows right compiles "
            "them, reads the switch back, compares, and sends nothing. Medians, with least and "
            "greatest."
        ),
        columns=["what", "Alcor", "beside", "ratio"],
        rows=[
            _compared(f"put {flows:,} flows", put, ofctl, "`ovs-ofctl --bundle add-flows`", 1.3),
            _compared("start and find them right", started, ofctl, "`ovs-ofctl` adding them", 1.0),
        ],
    )


def _more(few: Sequence[float], many: Sequence[float]) -> Section:
    here, there = spread(few), spread(many)
    times = there.median / here.median
    return Section(
        title="One more neighbour on a host with few flows and with many",
        about=(
            f"From goal state to the switch's acknowledgement, on a host with {small:,} neighbours "
            f"(two flows each) and on one with {large:,}, in turns. Medians, with least and "
            "greatest."
        ),
        columns=["what", f"with {small:,}", f"with {large:,}", "ratio"],
        rows=[
            Row(
                cells=["one more neighbour", between(here), between(there), ratio(times)],
                values={"small_s": here.median, "large_s": there.median, "ratio": times},
                verdict=at_most(1.3, times),
            )
        ],
    )


def _note(into: list[Cost], cost: Cost) -> float:
    into.append(cost)
    return cost.seconds


def _compared(
    what: str, ours: Sequence[float], theirs: Sequence[float], name: str, limit: float
) -> Row:
    here, there = spread(ours), spread(theirs)
    times = here.median / there.median
    return Row(
        cells=[what, between(here), f"{seconds(there.median)} ({name})", ratio(times)],
        values={"seconds": here.median, "beside": there.median, "ratio": times},
        verdict=at_most(limit, times),
    )
