"""What is measured of a fleet."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from alcor.client.api import NETWORK
from bench import servers
from bench.fleet import floor
from bench.fleet.agents import Order, switch_s
from bench.fleet.crowd import Fleet
from bench.fleet.region import Region
from bench.measure import Spread, in_turns, spread
from bench.run import Bench
from bench.servers import Server, memory_bytes, quiet_timeout_s
from bench.tables import Row, Section, Verdict, at_most, between, ratio, seconds

hosts_per_network = 10
settle_s_max = 300.0
floor_times_max = 5.0
growth_times_max = 1.3
_rules = 11
_busy_patience_s = 3.0  # for quiet, of a control plane that is never quiet
_more = 20  # ports in one call
_growing_hosts = 10
_calls = 21
_few = 1_000  # ports: what does not depend on them weighs more


def agents_target(server: Server) -> str:
    """Where its delivery listens for hosts."""
    return f"127.0.0.1:{server.agents_port}"


def wide(bench: Bench) -> list[Section]:
    """One change to all hosts, and all hosts at once."""
    size = 200 if bench.quick else 1_000
    return [_wide_section(bench, size, ("NATS", "gRPC"))]


def widest(bench: Bench) -> list[Section]:
    """The same for ten times as many."""
    return [_wide_section(bench, 2_000 if bench.quick else 10_000, ("NATS", "gRPC"))]


def _wide_section(bench: Bench, size: int, carriers: Sequence[str]) -> Section:
    rows = [row for carrier in carriers for row in _wide(bench, size, carrier)]
    about = (
        "`alcor up` and simulated hosts, each with a connection of its own to the delivery's gRPC "
        "or to NATS, in processes of up to 2,500; every host has a port in a network of "
        f"{hosts_per_network} and one security group that all ports share. A rule is added to the "
        "group: seconds from the call until "
        f"the last host has it, and until the last has said so ({_rules} times). In turns with it "
        "what NATS needs to bring as many bytes to as many connections, which do nothing else. The "
        "simulated hosts do little more: they say what they have after "
        f"{seconds(switch_s)}, as a switch takes some time. Then all hosts are killed and start "
        "again with nothing, all at once; a client asks for a "
        "page of networks meanwhile."
    )
    columns = ["hosts", "by", "what", "measured", "beside", "ratio"]
    title = f"A fleet of {size:,} hosts"
    return Section(title=title, about=about, columns=columns, rows=rows)


def _wide(bench: Bench, size: int, carrier: str) -> list[Row]:
    data = bench.folder / f"fleet-{size}-{carrier}"
    data.mkdir()
    with ExitStack() as stack:
        bench.tell(f"{size:,} hosts by {carrier}: a control plane with their ports")
        nats = ""
        if carrier == "NATS":
            nats_port, _ = stack.enter_context(floor.nats_server(data))
            nats = f"nats://127.0.0.1:{nats_port}"
        server = stack.enter_context(servers.control_plane(data, nats=nats))
        region = Region(server, size)
        region.ports(region.networks(size // hosts_per_network), size)
        bench.tell(f"{size:,} hosts: they connect")
        fleet = stack.enter_context(Fleet(nats or agents_target(server), size))
        fleet.settle()
        is_quiet = server.wait_until_quiet()
        patience_s = quiet_timeout_s if is_quiet else _busy_patience_s
        if not is_quiet:
            bench.tell(f"never quiet with so many hosts: {patience_s:.0f} s are waited each time")
        beside = stack.enter_context(floor.fan_out(bench.folder, size))
        times = _rules_to_all(bench, region, fleet, beside, patience_s)
        herd = _herd(bench, server, fleet)
    where = [f"{size:,}", carrier]
    return [*_fan_out_rows(where, times, is_quiet), herd.row(where)]


class _Fanned(NamedTuple):
    """What adding rules took."""

    sent_s: Spread
    acknowledged_s: Spread
    cpu_s: Spread
    beside_s: Spread
    bytes_a_host: int


def _rules_to_all(
    bench: Bench,
    region: Region,
    fleet: Fleet,
    beside: Callable[[int], float],
    patience_s: float,
) -> _Fanned:
    sent, acknowledged, cpu, floors = [], [], [], []
    size = 0
    for number in range(_rules):
        bench.tell(f"{region.hosts:,} hosts: rule {number + 1} of {_rules}")
        region.server.wait_until_quiet(patience_s)
        fleet.order(Order(within="/rule/", count=1))
        cpu_before, began = region.server.cpu_s(), monotonic()
        made = region.rule(number)
        found = fleet.found()
        sent.append(found.at - began)
        reply = region.server.api.wait(made.revision, settle_s_max)
        acknowledged.append(monotonic() - began)
        if not reply.converged:
            raise servers.Unexpected(f"a rule did not reach {len(reply.hosts)} hosts")
        region.server.wait_until_quiet(patience_s)
        cpu.append(region.server.cpu_s() - cpu_before)
        size = found.content_bytes // region.hosts
        floors.append(beside(size))
    return _Fanned(spread(sent), spread(acknowledged), spread(cpu), spread(floors), size)


def _fan_out_rows(where: list[str], times: _Fanned, is_quiet: bool) -> list[Row]:
    beside = times.beside_s
    with_repeats = "" if is_quiet else f"never quiet: with {_busy_patience_s:.0f} s of repeats"
    return [
        _row(
            where,
            f"a rule of {times.bytes_a_host} bytes has come to all",
            times.sent_s,
            f"{between(beside)} (NATS)",
            times.sent_s.median / beside.median,
            at_most(floor_times_max, times.sent_s.median / beside.median, "times NATS"),
        ),
        _row(where, "all have said so", times.acknowledged_s),
        _row(where, "processor time of the control plane", times.cpu_s, with_repeats),
    ]


class _Herd(NamedTuple):
    """What the start of all hosts at once took."""

    seconds: float
    cpu_s: float
    pages_s: Spread  # of a client meanwhile
    memory_before: int
    memory_after: int

    def row(self, where: list[str]) -> Row:
        """As a row of the table."""
        pages = f"worst page meanwhile {seconds(self.pages_s.high)}"
        grown = (self.memory_after - self.memory_before) / 2**20
        beside = f"{pages}; {grown:+.0f} MiB; {self.cpu_s:.1f} s of processor"
        return Row(
            cells=[*where, "all start again at once", seconds(self.seconds), beside, ""],
            values={"herd_s": self.seconds, "page_worst_s": self.pages_s.high},
        )


def _herd(bench: Bench, server: Server, fleet: Fleet) -> _Herd:
    bench.tell("all hosts start again")
    fleet.kill()
    server.wait_until_quiet()
    memory, cpu, began = memory_bytes(server.pid), server.cpu_s(), monotonic()
    fleet.start()
    fleet.order(Order())
    pages: list[float] = []
    while not fleet.has_found():
        asked = monotonic()
        server.api.list_page(NETWORK, [("limit", "100")])
        pages.append(monotonic() - asked)
    took = fleet.found().at - began
    return _Herd(took, server.cpu_s() - cpu, spread(pages), memory, memory_bytes(server.pid))


def growing(bench: Bench) -> list[Section]:
    """The same call in networks of different sizes, in turns."""
    sizes = (10, 1_000, 10_000) if bench.quick else (10, 1_000, 100_000, 1_000_000)
    with ExitStack() as stack:
        networks = {f"{size:,} ports": _Network(bench, stack, size) for size in sizes}
        asked = {name: network.more for name, network in networks.items()}
        calls = in_turns(bench.rounds(_calls, 7), asked, bench.tell)
    found = [_grown(network, calls[name]) for name, network in networks.items()]
    rows = [each.row(found[0]) for each in found]
    about = (
        f"`alcor up` each, {_growing_hosts} simulated hosts, all with ports of one network; the "
        "large ones hosts hold lazily, as agents do. "
        f"{_more} ports are made in one call, in turns: seconds from the call until their hosts "
        "have said that they have them, messages and bytes to all hosts, and processor time "
        f"of the control plane, medians of {bench.rounds(_calls, 7)} calls (what comes now and "
        "then, as a look of Python's collector over all objects, is not in them). Memory is that "
        "of managers and delivery together, for each port that fills the network, before hosts "
        "connect."
    )
    columns = ["ports", "on their hosts", "CPU", "messages", "bytes", "memory a port", "most"]
    title = f"{_more} more ports in a network"
    return [Section(title=title, about=about, columns=columns, rows=rows)]


class _More(NamedTuple):
    """What one call took."""

    seconds: float
    cpu_s: float
    frames: int
    content_bytes: int


class _Network:
    """A control plane with one network of so many ports, and its hosts."""

    def __init__(self, bench: Bench, stack: ExitStack, size: int) -> None:
        self.size = size
        data = Path(bench.folder / f"grow-{size}")
        data.mkdir()
        bench.tell(f"a network of {size:,} ports")
        self._server = stack.enter_context(servers.control_plane(data))
        self._region = Region(self._server, _growing_hosts)
        self._network_ids = self._region.networks(1)
        self._server.wait_until_quiet()
        before = memory_bytes(self._server.pid)
        self._region.ports(self._network_ids, size)
        last = self._server.api.create(NETWORK, [{"name": "last"}])  # concerns no host
        self._server.api.wait(last.revision, settle_s_max)  # until all before it is planned
        self._server.wait_until_quiet()
        self.memory = (memory_bytes(self._server.pid) - before) / size
        target = agents_target(self._server)
        self._fleet = stack.enter_context(Fleet(target, _growing_hosts))
        self._fleet.settle()

    def more(self) -> _More:
        """Make ports, which all hosts share."""
        server, fleet = self._server, self._fleet
        server.wait_until_quiet()
        fleet.order(Order(within="/port/", count=_more // _growing_hosts))
        cpu, began = server.cpu_s(), monotonic()
        made = self._region.ports(self._network_ids, _more)
        reply = server.api.wait(made.revision, settle_s_max)
        took = monotonic() - began
        if not reply.converged:
            raise servers.Unexpected(f"ports did not reach {len(reply.hosts)} hosts")
        found = fleet.found()
        server.wait_until_quiet()
        return _More(took, server.cpu_s() - cpu, found.frames, found.content_bytes)


class _Grown(NamedTuple):
    """What the call took in a network of this size."""

    size: int
    seconds: float
    cpu_s: float
    frames: float
    content_bytes: float
    memory: float  # a port

    def row(self, least: "_Grown") -> Row:
        """Beside the smallest network."""
        times = {
            "seconds": self.seconds / least.seconds,
            "cpu": self.cpu_s / least.cpu_s,
            "frames": self.frames / least.frames,
            "bytes": self.content_bytes / least.content_bytes,
        }
        most = max(times.values())
        memory = f"{self.memory / 1024:.1f} KiB" if self.size > _few else ""
        return Row(
            cells=[
                f"{self.size:,}",
                f"{seconds(self.seconds)} ({ratio(times['seconds'])})",
                f"{seconds(self.cpu_s)} ({ratio(times['cpu'])})",
                f"{self.frames:,.0f} ({ratio(times['frames'])})",
                f"{self.content_bytes:,.0f} ({ratio(times['bytes'])})",
                memory,
                ratio(most),
            ],
            values={**times, "memory": self.memory},
            verdict=None if self is least else _within(most),
        )


def _grown(network: _Network, calls: Sequence[_More]) -> _Grown:
    took, cpu_s, frames, content = (spread(column).median for column in zip(*calls, strict=True))
    return _Grown(network.size, took, cpu_s, frames, content, network.memory)


def _within(most: float) -> Verdict:
    return at_most(growth_times_max, most, "times that of the smallest")


def _row(
    where: list[str],
    what: str,
    times: Spread,
    beside: str = "",
    against: float = 0.0,
    verdict: Verdict | None = None,
) -> Row:
    return Row(
        cells=[*where, what, between(times), beside, ratio(against) if against else ""],
        values={"seconds": times.median, "ratio": against},
        verdict=verdict,
    )
