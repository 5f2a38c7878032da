"""Ten thousand flows: from goal state to the switch, beside `ovs-ofctl --bundle add-flows`.

The agent's own parts do it, as they do it in the agent: model, compiler, tracker, session. Every
round takes another network, so that nothing is remembered from the round before.
"""

import asyncio
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from alcor.agent.compiler import Compiler
from alcor.agent.drivers.flow_tracker import FlowTracker
from alcor.agent.model import HOST_UNIT, HostModel, Interface, Tunnel, Unit
from alcor.goal_state.entries import FixedIp, Neighbour, Network, Port, Subnet
from alcor.lab import hosts
from alcor.lab import lab as labs
from alcor.lab.layout import LabHost, layout
from alcor.ovs.connection import OpenFlow
from alcor.ovs.openflow.meters import Meter
from alcor.values.addresses import Address, Mac, Prefix
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.tables import Row, Section, between, ratio, seconds

neighbours = 5_000  # of one IPv4 address each: two flows
_rounds, _rounds_quick = 7, 3
_tunnel_ofport, _port_ofport = 65_001, 65_002


class Stages(NamedTuple):
    """How long each step took, in seconds."""

    compiled: float
    encoded: float
    bundled: float
    flows: int

    @property
    def whole(self) -> float:
        """All steps."""
        return self.compiled + self.encoded + self.bundled


def entries(number: int) -> list[Network | Subnet | Port | Neighbour]:
    """A network with one port here and its neighbours elsewhere."""
    network, start = f"net-{number}", 10 << 24 | number << 16
    endpoint = Address(4, 172 << 24 | 31 << 16 | 2)
    own = (FixedIp("sub", Address(4, start + 2)),)
    return [
        Network(network, 1_000 + number, 1450, True, ""),
        Subnet("sub", network, Prefix(4, start, 16), Address(4, start + 1), True, (), ()),
        Port(f"own-{number}", network, Mac(start), own, True, True, "", ""),
        *(
            Neighbour(f"n{n}", network, Mac(start + n), (Address(4, start + n),), "h2", endpoint)
            for n in range(16, 16 + neighbours)
        ),
    ]


async def put(socket: Path, number: int) -> Stages:
    """Bring a network's flows to an empty switch."""
    model, tracker = HostModel(), FlowTracker()
    told = entries(number)
    session = await OpenFlow.connect(socket)
    try:
        began = perf_counter()
        units: set[Unit] = {HOST_UNIT, *(unit for entry in told for unit in model.put(entry))}
        units |= model.set_tunnel(Tunnel(_tunnel_ofport, Address(4, 172 << 24 | 31 << 16 | 1)))
        units |= model.set_interface(f"own-{number}", Interface(_port_ofport, True))
        change = Compiler(model).update(units)
        compiled = perf_counter()
        tracker.want(change)
        batches = tracker.plan()
        encoded = perf_counter()
        meters = {each.id: Meter(each.rate, each.burst) for each in change.meters_put}
        await session.set_meters(meters)
        for batch in batches:
            await session.bundle(batch.puts, batch.takes)
        await session.barrier()
        ended = perf_counter()
    finally:
        session.close()
    return Stages(compiled - began, encoded - compiled, ended - encoded, change.flows)


class Host:
    """One switch with an integration bridge and nobody else at it."""

    def __init__(self, host: LabHost, folder: Path) -> None:
        self._host = host
        self._file = folder / "flows.txt"
        self._number = 0
        self.socket = host.folder / "br-int.mgmt"
        hosts.vsctl(
            host,
            *("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev"),
            *("fail_mode=secure", "protocols=[OpenFlow13,OpenFlow14,OpenFlow15]"),
        )

    def ours(self) -> Stages:
        """Put the flows of a new network on the empty switch; they are written down as well."""
        self._empty()
        self._number += 1
        stages = asyncio.run(put(self.socket, self._number))
        dumped = hosts.ofctl(self._host, "dump-flows", "br-int", "--no-stats", "--no-names")
        self._file.write_text(dumped)
        return stages

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


async def _read_back(socket: Path) -> float:
    session = await OpenFlow.connect(socket)
    try:
        began = perf_counter()
        await session.flows()
        return perf_counter() - began
    finally:
        session.close()


def measure(bench: Bench) -> list[Section]:
    """Both ways in turns."""
    rounds = bench.rounds(_rounds, _rounds_quick)
    lab = layout("benchflows")
    labs.down(lab.name)
    ours: list[Stages] = []
    try:
        hosts.build(lab, lab.hosts(1))
        host = Host(lab.host(1), bench.folder)
        stages = in_turns(
            rounds,
            {
                "flows by the agent's parts": lambda: _note(ours, host.ours()),
                "flows by ovs-ofctl": host.ofctl,
                "flows read back": host.read_back,
                "flows dumped by ovs-ofctl": host.dump,
            },
            bench.tell,
            turning=False,
        )
    finally:
        labs.down(lab.name)
    return [_section(ours, *stages.values())]


def _note(into: list[Stages], stages: Stages) -> float:
    into.append(stages)
    return stages.whole


def _section(
    ours: list[Stages],
    whole: list[float],
    ofctl: list[float],
    back: list[float],
    dumped: list[float],
) -> Section:
    flows = ours[-1].flows
    return Section(
        title=f"{flows:,} flows on one switch",
        about=(
            "Goal state of a network of "
            f"{neighbours:,} neighbours is put into the agent's model, compiled, encoded and "
            "committed in bundles of at most 1,000; `ovs-ofctl` gets the same flows from a file "
            "that is ready. Medians, with least and greatest."
        ),
        columns=["what", "Alcor", "beside", "ratio"],
        rows=[
            _compared(f"put {flows:,} flows", whole, ofctl, "`ovs-ofctl --bundle add-flows`"),
            *(
                Row(
                    cells=[f"- of it, {name}", between(spread(part)), "", ""],
                    values={"seconds": spread(part).median},
                )
                for name, part in (
                    ("compiled", [each.compiled for each in ours]),
                    ("compared and encoded", [each.encoded for each in ours]),
                    ("bundles and barrier", [each.bundled for each in ours]),
                )
            ),
            _compared(f"read {flows:,} flows back", back, dumped, "`ovs-ofctl dump-flows`"),
        ],
    )


def _compared(what: str, ours: list[float], theirs: list[float], name: str) -> Row:
    here, there = spread(ours), spread(theirs)
    times = here.median / there.median
    return Row(
        cells=[what, between(here), f"{seconds(there.median)} ({name})", ratio(times)],
        values={"seconds": here.median, "beside": there.median, "ratio": times},
    )
