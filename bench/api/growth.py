"""The same calls to a control plane with 10,000 ports and to one with more: nothing may slow down.

Two control planes stand side by side and are asked in turns. `--rows 1000000` compares with a
million, which are filled in by bulks through the API, as clients would.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from alcor.client.api import NETWORK, PORT
from bench import servers
from bench.api.load import Job, LoadGenerator, Outcome, checked
from bench.api.posts import Region
from bench.measure import in_turns, percentile, spread
from bench.run import Bench
from bench.servers import memory_bytes
from bench.tables import Row, Section, at_least, rate, ratio, seconds

_rounds, _rounds_quick = 7, 3
_small, _large, _small_quick, _large_quick = 10_000, 100_000, 2_000, 20_000
_fill_ports = 500  # a call
_page = 100
_fill_job_ports = 20_000  # then what they left behind is waited for
_plan_s_max = 300.0
share_min = 0.9


class Kind(NamedTuple):
    """What is asked, and how often a turn."""

    name: str
    calls: int
    ports: int = 0  # made by a call


kinds = [
    Kind("create 1 port", 200, 1),
    Kind("create 20 ports", 30, 20),
    Kind("create 500 ports", 4, 500),
    Kind("show a port", 400),
    Kind("update a port", 200),
    Kind("delete a port", 200),
    Kind("list 100 ports", 200),
]


class Turn(NamedTuple):
    """What one turn brought."""

    calls_per_s: float
    latency_s: float  # median
    cpu_s: float  # of the control plane, a call


class Table:
    """A control plane with so many ports."""

    def __init__(self, region: Region, ports: int, load: LoadGenerator) -> None:
        self._region = region
        self._load = load
        self._renamed = 0
        empty = memory_bytes(region.server.pid)
        self.fill_s = 0.0
        for start in range(0, ports, _fill_job_ports):
            calls = min(_fill_job_ports, ports - start) // _fill_ports
            self.fill_s += self._run(self._create(_fill_ports, calls, connections=4), 201).seconds
            self._wait_until_planned()
        self.memory_bytes = memory_bytes(region.server.pid)
        self.port_bytes = (self.memory_bytes - empty) / ports
        self._ids = self._some_ids(400)

    def ask(self, kind: Kind) -> Turn:
        """One turn."""
        job, status = self._job(kind)
        self._wait_until_planned()
        cpu_s = self._region.server.cpu_s()
        outcome = self._run(job, status)
        self._wait_until_planned()
        cpu_s = self._region.server.cpu_s() - cpu_s
        latency_s = percentile(outcome.latencies_s, 0.5)
        return Turn(kind.calls / outcome.seconds, latency_s, cpu_s / kind.calls)

    def _wait_until_planned(self) -> None:
        """Wait until the delivery has planned all that was written, and does nothing more."""
        server = self._region.server
        made = server.api.create(NETWORK, [{"name": "last"}])  # concerns no host
        server.api.wait(made.revision, _plan_s_max)
        server.wait_until_quiet()

    def _job(self, kind: Kind) -> tuple[Job, int]:
        port = self._region.server.port
        if kind.ports:
            return self._create(kind.ports, kind.calls), 201
        paths = [f"{PORT.path}/{id_}" for id_ in self._ids[: kind.calls]]
        match kind.name.split()[0]:
            case "show":
                return Job(port=port, targets=paths, count=kind.calls), 200
            case "list":
                target = f"{PORT.path}?limit={_page}"
                return Job(port=port, targets=[target], count=kind.calls), 200
            case "update":
                self._renamed += 1
                body = msgspec.json.encode({"port": {"name": f"n{self._renamed}"}}).decode()
                return Job(port=port, method="PUT", targets=paths, body=body, count=kind.calls), 200
        item = {"network_id": self._region.network_id}
        made = self._region.server.api.create(PORT, [item] * kind.calls).items
        paths = [f"{PORT.path}/{each['id']}" for each in made]
        return Job(port=port, method="DELETE", targets=paths, count=kind.calls), 204

    def _create(self, ports: int, calls: int, connections: int = 1) -> Job:
        return Job(
            port=self._region.server.port,
            method="POST",
            targets=[PORT.path],
            body=self._region.body(ports),
            connections=connections,
            count=calls,
        )

    def _run(self, job: Job, status: int) -> Outcome:
        return checked(self._load.run(job), status, what=f"{job.method} {job.targets[0]}")

    def _some_ids(self, count: int) -> list[str]:
        asked = [("limit", str(count)), ("fields", "id")]
        return [str(each["id"]) for each in self._region.server.api.list_page(PORT, asked)]


def measure(bench: Bench) -> list[Section]:
    """Fill both, then ask both in turns."""
    small, large = (_small_quick, _large_quick) if bench.quick else (_small, _large)
    large = bench.rows or large
    with ExitStack() as stack:
        load = stack.enter_context(LoadGenerator())
        tables = [_table(bench, stack, load, size) for size in (small, large)]
        rows = [_row(kind, *_compare(bench, kind, tables)) for kind in kinds]
        rows.append(_memory(*tables))
    about = (
        f"`alcor up` with {small:,} ports in one network and with {large:,} (filled in "
        f"{seconds(tables[1].fill_s)} by bulks of {_fill_ports} through the API), one client, in "
        "turns; medians. Memory is that of managers and delivery together; a port's is what they "
        "grew by from none."
    )
    columns = ["what", f"of {small:,}", f"of {large:,}", "rate", "latency", "CPU a call"]
    title = f"The same calls at {small:,} and at {large:,} ports"
    return [Section(title=title, about=about, columns=columns, rows=rows)]


def _table(bench: Bench, stack: ExitStack, load: LoadGenerator, size: int) -> Table:
    bench.tell(f"filling a table of {size:,} ports")
    data = Path(bench.folder / f"growth-{size}")
    data.mkdir()
    server = stack.enter_context(servers.control_plane(data))
    return Table(Region(server, data), size, load)


def _compare(bench: Bench, kind: Kind, tables: Sequence[Table]) -> tuple[Turn, Turn]:
    small, large = tables
    turns = in_turns(
        bench.rounds(_rounds, _rounds_quick),
        {"smaller table": lambda: small.ask(kind), "larger table": lambda: large.ask(kind)},
        lambda what: bench.tell(f"{kind.name}: {what}"),
    )
    return _median(turns["smaller table"]), _median(turns["larger table"])


def _median(turns: Sequence[Turn]) -> Turn:
    return Turn(*(spread(column).median for column in zip(*turns, strict=True)))


def _row(kind: Kind, small: Turn, large: Turn) -> Row:
    shares = {
        "rate": large.calls_per_s / small.calls_per_s,
        "latency": small.latency_s / large.latency_s,
        "cpu": small.cpu_s / large.cpu_s,
    }
    return Row(
        cells=[
            kind.name,
            *(f"{rate(t.calls_per_s)}, {seconds(t.latency_s)}" for t in (small, large)),
            *map(ratio, shares.values()),
        ],
        values=shares,
        verdict=at_least(share_min, min(shares["rate"], shares["latency"]), _words()),
    )


def _memory(small: Table, large: Table) -> Row:
    share = small.port_bytes / large.port_bytes
    cells = [
        f"{each.memory_bytes / 2**20:,.0f} MiB, {each.port_bytes / 1024:.1f} KiB a port"
        for each in (small, large)
    ]
    return Row(
        cells=["memory", *cells, "", "", ""],
        values={"small_bytes": small.port_bytes, "large_bytes": large.port_bytes},
        verdict=at_least(share_min, share, _words()),
    )


def _words() -> str:
    return f"at least {share_min:.0%} of the smaller's"
