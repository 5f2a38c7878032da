"""POST of ports: against `alcor up`, beside the bare echo and beside the same rows bare.

Ports are bound to registered nodes, as in real life. The three contenders take turns; each turn
starts when the one before is quiet.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from alcor.client.api import NETWORK, NODE, PORT, SUBNET
from alcor.intent import records
from alcor.intent.records import FixedIp, PortRecord
from alcor.managers.port.sql import TABLE
from bench import servers
from bench.api import bare_insert, inserting_echo
from bench.api.bare_insert import Rows
from bench.api.load import Job, LoadGenerator, Outcome, checked
from bench.measure import in_turns, percentile, spread
from bench.run import Bench
from bench.servers import Server
from bench.tables import Row, Section, Verdict, at_least, at_most, rate, ratio, seconds

_rounds, _rounds_quick = 5, 2
project = "bench"
_floor_rows_max = 5_000
_calls_alone = 3  # a turn
bulk_cost_times_max = 3.0
single_share_of_echo_min = 1 / 3
alone_times_echo_max = 5.0
hosts = [f"h{n}" for n in range(1, 11)]


class Case(NamedTuple):
    """How many ports a call, by how many clients, and how many calls a turn."""

    ports: int
    clients: int
    calls: int

    @property
    def name(self) -> str:
        """As people read it."""
        ports = "1 port" if self.ports == 1 else f"{self.ports} ports"
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        return f"{ports} a call, {clients}"


cases = [
    Case(1, 1, 300),
    Case(1, 16, 1_600),
    Case(20, 1, 60),
    Case(20, 16, 160),
    Case(500, 1, 6),
    Case(500, 16, 32),
]


@dataclass
class Found:
    """What the turns of one case brought."""

    case: Case
    ours: list[Outcome] = field(default_factory=list)
    alone_s: list[float] = field(default_factory=list)  # a call to a control plane at rest
    cpu_s: list[float] = field(default_factory=list)  # of the control plane, a port
    echo: list[Outcome] = field(default_factory=list)
    bare_s: list[float] = field(default_factory=list)  # median transaction of a turn
    inserting: list[Outcome] = field(default_factory=list)  # of the echo that also writes the rows

    @property
    def ports_per_s(self) -> float:
        """Ports created in a second."""
        return spread(self.case.ports * self.case.calls / o.seconds for o in self.ours).median

    @property
    def echo_share(self) -> float:
        """Our rate of calls as a share of the echo's."""
        return self._calls_per_s(self.ours) / self._calls_per_s(self.echo)

    @property
    def floor_share(self) -> float:
        """As a share of the echo's rate, that of the echo which also writes the rows."""
        return self._calls_per_s(self.inserting) / self._calls_per_s(self.echo)

    @property
    def times_echo(self) -> float:
        """How long a call takes, against the echo's."""
        ours, echo = (
            spread(percentile(o.latencies_s, 0.5) for o in side).median
            for side in (self.ours, self.echo)
        )
        return ours / echo

    def _calls_per_s(self, side: Sequence[Outcome]) -> float:
        return spread(self.case.calls / o.seconds for o in side).median

    @property
    def bare_times(self) -> float:
        """What a port costs us against what its bare rows cost."""
        return (1 / self.ports_per_s) / (spread(self.bare_s).median / self.case.ports)


class Region:
    """A control plane with registered nodes, one large network, and a folder beside for floors."""

    def __init__(self, server: Server, data: Path) -> None:
        self.server = server
        self.data = data
        nodes = [{"id": h, "tunnel_ip": f"172.31.0.{n}"} for n, h in enumerate(hosts, 1)]
        server.api.create(NODE, nodes)
        (network,) = server.api.create(NETWORK, [{"name": "bench"}]).items
        self.network_id: str = network["id"]
        subnet = {"network_id": self.network_id, "ip_version": 4, "cidr": "10.0.0.0/8"}
        server.api.create(SUBNET, [subnet])

    def body(self, ports: int) -> str:
        """The body of a call that makes so many ports, dealt to the nodes."""
        return port_bodies(self.network_id, hosts, ports)

    def rows(self, count: int) -> list[Rows]:
        """The last rows that creates have written, and the outbox rows that told of them."""
        tables = [
            bare_insert.latest_rows(self.data / "port.sqlite", "port", count),
            bare_insert.latest_rows(self.data / "port.sqlite", "port_address", count),
            bare_insert.latest_rows(self.data / "port.sqlite", "port_group", count),
            bare_insert.latest_rows(self.data / "ip.sqlite", "lease", count),
        ]
        outbox = bare_insert.latest_rows(self.data / "port.sqlite", "outbox", 0)
        docs = [dict(zip(columns_of(tables[0]), row, strict=True)) for row in tables[0].values]
        told = [_told(n, msgspec.json.decode(row["doc"])) for n, row in enumerate(docs, 1)]
        for column in TABLE.scattered:
            young = bare_insert.latest_rows(self.data / "port.sqlite", f"port_{column}_young", 0)
            tables.append(young._replace(values=[(row[column], row["id"]) for row in docs]))
        return [*tables, outbox._replace(values=told)]


def port_bodies(network_id: str, on: Sequence[str], ports: int) -> str:
    """The body of a call that makes so many ports, dealt to these hosts."""
    items = [
        {
            "project_id": project,
            "network_id": network_id,
            "name": f"port-{n}",
            "admin_state_up": True,
            "device_owner": "compute:nova",
            "device_id": f"machine-{n}",
            "binding:host_id": on[n % len(on)],
        }
        for n in range(ports)
    ]
    whole = {PORT.name: items[0]} if ports == 1 else {PORT.collection: items}
    return msgspec.json.encode(whole).decode()


def columns_of(rows: Rows) -> Sequence[str]:
    """The names in an INSERT statement's list."""
    return rows.insert.partition("(")[2].partition(")")[0].split(", ")


def _told(sequence: int, port: dict[str, object]) -> tuple[int, str, bytes, str]:
    record = PortRecord(
        id=str(port["id"]),
        network_id=str(port["network_id"]),
        project_id=str(port["project_id"]),
        name=str(port["name"]),
        mac_address=str(port["mac_address"]),
        fixed_ips=msgspec.convert(port["fixed_ips"], tuple[FixedIp, ...]),
        host=str(port["binding:host_id"]),
        device_id=str(port["device_id"]),
        device_owner=str(port["device_owner"]),
    )
    return sequence, records.key("port", record.id), records.encode(record), "req-bench"


class _Turns:
    """One case: what each contender does in its turn."""

    def __init__(
        self, case: Case, region: Region, echo: Server, load: LoadGenerator, folder: Path
    ) -> None:
        self.found = Found(case)
        self._region = region
        self._echo = echo
        self._load = load
        self._ready = folder / f"floor-{case.ports}-{case.clients}.db"
        self._file = folder / "floor.db"
        self._folder = folder
        self._body = region.body(case.ports)

    def ours(self) -> None:
        server, case = self._region.server, self.found.case
        before = server.cpu_s()
        outcome = self._ask(server, PORT.path)
        server.wait_until_quiet()
        self.found.ours.append(outcome)
        self.found.cpu_s.append((server.cpu_s() - before) / (case.ports * case.calls))
        if case.clients == 1:
            self._alone()

    def _alone(self) -> None:
        for _ in range(_calls_alone):
            once = self._ask(self._region.server, PORT.path, calls=1)
            self.found.alone_s.append(once.seconds)
            self._region.server.wait_until_quiet()

    def echo(self) -> None:
        if not self.found.echo:
            path = f"/{self.found.case.ports}"
            answer = self.found.ours[0].sample
            job = Job(port=self._echo.port, method="PUT", targets=[path], body=answer, count=1)
            self._load.run(job)
        self.found.echo.append(self._ask(self._echo, f"/{self.found.case.ports}"))

    def bare(self) -> None:
        case = self.found.case
        rows = self._floor(max(case.ports * 5, min(case.ports * case.calls, _floor_rows_max)))
        times = bare_insert.write(self._file, rows, case.ports)
        self.found.bare_s.append(spread(times).median)

    def inserting(self) -> None:
        """HTTP and SQL alone; only where a call is one port."""
        rows = self._floor(self.found.case.calls)
        told, answer = self._folder / "floor.rows", self._folder / "floor.answer"
        inserting_echo.write_rows(told, rows)
        answer.write_text(self.found.ours[0].sample)
        with servers.inserting_echo(self._folder, self._file, told, answer) as server:
            self.found.inserting.append(self._ask(server, "/"))

    def _floor(self, count: int) -> list[Rows]:
        """So many rows, and the file made ready to take them."""
        rows = self._region.rows(count)
        if not self._ready.exists():
            bare_insert.prepare(self._ready, rows)
        for path in (self._file, *self._file.parent.glob(f"{self._file.name}-*")):
            path.unlink(missing_ok=True)  # a log of the turn before, too
        shutil.copyfile(self._ready, self._file)
        return rows

    def _ask(self, server: Server, target: str, calls: int = 0) -> Outcome:
        case = self.found.case
        job = Job(
            port=server.port,
            method="POST",
            targets=[target],
            body=self._body,
            connections=case.clients,
            count=calls or case.calls,
        )
        return checked(self._load.run(job), 201, what=target)


def measure(bench: Bench) -> list[Section]:
    """All cases."""
    data = bench.folder / "posts"
    data.mkdir()
    with (
        servers.control_plane(data) as server,
        servers.echo(bench.folder) as echo,
        LoadGenerator() as load,
    ):
        region = Region(server, data)
        found = [_case(bench, _Turns(case, region, echo, load, bench.folder)) for case in cases]
    return [_section(found)]


def _case(bench: Bench, turns: _Turns) -> Found:
    contenders = {"Alcor": turns.ours, "bare echo": turns.echo, "bare insert": turns.bare}
    if turns.found.case.ports == 1:
        contenders["echo that inserts"] = turns.inserting
    in_turns(
        bench.rounds(_rounds, _rounds_quick),
        contenders,
        lambda what: bench.tell(f"{turns.found.case.name}: {what}"),
        turning=False,  # the floors need what Alcor made
    )
    return turns.found


def _section(found: Sequence[Found]) -> Section:
    return Section(
        title="POST of ports",
        about=(
            "`alcor up` with ten registered nodes, ports bound to them, SQLite with "
            "`synchronous=FULL`. Bare insert: the same rows (port, address, group, lease, outbox; "
            "the real tables with their indexes, which hold all other rows already), written by "
            "`executemany` into one file, a transaction a call. Bare echo: a raw ASGI application "
            "on uvicorn (httptools, uvloop) that reads the same body and answers the same bytes. "
            "Echo that inserts: the same application, which writes the bare rows before it "
            "answers, what comes meanwhile in the next transaction: what HTTP and SQL alone leave "
            "of the echo's rate. "
            "Processor time is that of both processes, planning included, a port. Calls follow "
            "each other at once, so that the planning of one is under way while the next is "
            "answered; alone is a call to a control plane at rest. Cost and target are those of "
            "the sustained rate."
        ),
        columns=[
            *("case", "ports", "call, p50", "call, p99", "alone (times bare)", "CPU a port"),
            *("bare insert, a call", "cost, times bare", "echo, calls", "share of echo"),
            *("echo that inserts (share of echo)", "call, times echo's"),
        ],
        rows=[_row(each) for each in found],
    )


def _row(found: Found) -> Row:
    latencies = sorted(chain.from_iterable(o.latencies_s for o in found.ours))
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    echo = spread(found.case.calls / o.seconds for o in found.echo).median
    cpu, bare = spread(found.cpu_s).median, spread(found.bare_s).median
    alone = spread(found.alone_s).median if found.alone_s else None
    return Row(
        cells=[
            *(found.case.name, rate(found.ports_per_s), seconds(p50), seconds(p99)),
            *("" if alone is None else f"{seconds(alone)} ({ratio(alone / bare)})", seconds(cpu)),
            *(seconds(bare), ratio(found.bare_times), rate(echo), ratio(found.echo_share)),
            *(_floor_cell(found, echo), ratio(found.times_echo)),
        ],
        values={
            "ports_per_s": found.ports_per_s,
            "p50_s": p50,
            "p99_s": p99,
            **({} if alone is None else {"alone_s": alone, "alone_times_bare": alone / bare}),
            "cpu_s": cpu,
            "bare_s": bare,
            "times_bare": found.bare_times,
            "echo_per_s": echo,
            "share_of_echo": found.echo_share,
            "times_echo": found.times_echo,
            **({"floor_share": found.floor_share} if found.inserting else {}),
        },
        verdict=_verdict(found),
    )


def _floor_cell(found: Found, echo: float) -> str:
    if not found.inserting:
        return ""
    return f"{rate(found.floor_share * echo)} ({ratio(found.floor_share)})"


def _verdict(found: Found) -> Verdict | None:
    if found.case.ports == 500 and found.case.clients == 1:
        return at_most(bulk_cost_times_max, found.bare_times, "times the bare insert")
    if found.case.ports == 1 and found.case.clients == 1:
        return at_most(alone_times_echo_max, found.times_echo, "times the echo")
    if found.case.ports == 1 and found.case.clients == 16:
        return at_least(single_share_of_echo_min, found.echo_share, "at least a third of the echo")
    return None
