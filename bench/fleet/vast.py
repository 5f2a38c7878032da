"""A region of a hundred thousand hosts, beside one of two thousand: what grows with the fleet.

Both are regions of processes with PostgreSQL and NATS; hosts connect by a NATS server of their own.
Hosts have two ports each in a network of ten hosts, but for the first thousand: these have one each
in the same network. All ports share a security group.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from time import monotonic, sleep
from typing import NamedTuple

from alcor.client.api import NETWORK, Created
from bench import servers
from bench.api.roles import Roles
from bench.fleet import floor
from bench.fleet.agents import Order
from bench.fleet.crowd import Fleet
from bench.fleet.region import Region, host_name
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.servers import Server, memory_bytes
from bench.tables import Row, Section, at_most, ratio, seconds

hosts_per_connection = 100
_small, _large, _large_quick = 2_000, 100_000, 6_000
_hosts_per_delivery = 18_000
_ports_per_host = 2
_hosts_per_network = 10
_broad = 1_000  # hosts of one network
_more = 20  # ports in one call
_calls, _rules = 9, 5
_idle_s = 20.0
_patience_s = 2.0  # for quiet, of each process: hosts may not be silent for long
_settle_s_max = 300.0
_growth_times_max = 1.3


class _Change(NamedTuple):
    """What a change took until the hosts that it concerns had said that they have it."""

    seconds: float
    cpu_s: float  # of all processes but deliveries
    delivery_cpu_s: float  # of each delivery
    frames: float  # to hosts
    content_bytes: float


class _Start(NamedTuple):
    """What it took that hosts started with nothing, all at once; but for the first two, of each."""

    all_s: float
    page_worst_s: float  # of a client meanwhile
    seconds: float
    cpu_s: float  # of all processes of the region
    frames: float
    content_bytes: float
    delivery_bytes: float  # of memory more
    nats_bytes: float


class _Side:
    """One region and its fleet."""

    def __init__(self, bench: Bench, stack: ExitStack, hosts: int) -> None:
        self.hosts = hosts
        self._bench = bench
        self._tell("a region with their ports")
        folder = bench.folder / f"vast-{hosts}"
        folder.mkdir()
        nats_port, self._nats_pid = stack.enter_context(floor.nats_server(folder))
        self._target = f"nats://127.0.0.1:{nats_port}"
        self._roles = stack.enter_context(Roles(folder, self._target))
        self.deliveries = -(-hosts // _hosts_per_delivery)
        before = self._memory()
        self._region = Region(self._gateway, hosts)
        self._networks = self._region.networks(1 + (hosts - _broad) // _hosts_per_network)
        self._fill()
        grown = {role: now - before[role] for role, now in self._memory().items()}
        self.ports = _broad + (hosts - _broad) * _ports_per_host
        self.manager_bytes_a_port = grown["managers"] / self.ports
        self.delivery_bytes_a_port = grown["delivery"] / self.ports
        self.planned_s = self._restart_deliveries()
        self._broad = Fleet(self._target, _broad, hosts_per_connection)
        self._others = Fleet(self._target, hosts - _broad, hosts_per_connection, _broad)
        for fleet in (self._broad, self._others):
            stack.callback(fleet.kill)

    def _tell(self, what: str) -> None:
        self._bench.tell(f"{self.hosts:,} hosts: {what}")

    @property
    def _gateway(self) -> Server:
        return self._roles.by_role["gateway"][0]

    def _fill(self) -> None:
        """Ports, and wait until all deliveries have planned them."""
        hosts = [*range(self.hosts), *range(_broad, self.hosts)]
        self._region.make_ports([self._port(host) for host in hosts])
        last = self._gateway.api.create(NETWORK, [{"name": "last"}])  # concerns no host
        self._gateway.api.wait(last.revision, _settle_s_max)
        self._roles.wait_until_quiet()

    def _port(self, host: int) -> dict[str, object]:
        number = 0 if host < _broad else 1 + (host - _broad) // _hosts_per_network
        return self._region.port(self._networks[number], host_name(host))

    def start(self) -> _Start:
        """Start all hosts with a small network at once, when those of the large one are there; a
        client asks for pages meanwhile."""
        self._tell("those of the large network start")
        self._broad.start()
        self._broad.settle()
        self._roles.wait_until_quiet()
        self._tell("all others start at once")
        memory, cpu, began = self._memory(), self._cpu(), monotonic()
        self._others.start()
        self._others.order(Order())
        pages = [0.0]
        while not self._others.has_found():
            asked = monotonic()
            self._gateway.api.list_page(NETWORK, [("limit", "100")])
            pages.append(monotonic() - asked)
            sleep(0.05)
        found = self._others.found()
        used, now = _less(self._cpu(), cpu), self._memory()
        count = self.hosts - _broad
        return _Start(
            found.at - began,
            max(pages),
            (found.at - began) / count,
            sum(used.values()) / count,
            found.frames / count,
            found.content_bytes / count,
            (now["delivery"] - memory["delivery"]) / count,
            (now["hosts"] - memory["hosts"]) / count,
        )

    def idle_cores(self) -> float:
        """Processors that all processes take while hosts only repeat how far they are."""
        self._order(repeats=True)
        sleep(_idle_s / 2)
        cpu, began = self._cpu(), monotonic()
        sleep(_idle_s)
        took = monotonic() - began
        return sum(_less(self._cpu(), cpu).values()) / took

    def twenty(self) -> _Change:
        """Twenty ports more in one call, on the hosts of a network of ten."""
        hosts = [_broad + n % _hosts_per_network for n in range(_more)]
        return self._change(hosts)

    def one(self) -> _Change:
        """A port more on one host, which nobody else hears of but its network's nine."""
        return self._change([_broad])

    def thousand(self) -> _Change:
        """A port more in the network of a thousand hosts: all of them hear of it."""
        return self._change([0])

    def _change(self, hosts: list[int]) -> _Change:
        self._quiet()
        cpu, began = self._cpu(), monotonic()
        made = self._region.make_ports([self._port(host) for host in hosts])
        self._wait(made)
        took = monotonic() - began
        self._roles.wait_until_quiet(_patience_s)
        used = _less(self._cpu(), cpu)
        delivery = used.pop("delivery") / self.deliveries
        frames, content_bytes = self._order(repeats=True)
        return _Change(took, sum(used.values()), delivery, frames, content_bytes)

    def rule(self, number: int) -> tuple[float, float]:
        """A rule to all hosts: seconds until the last has it, and has said so; of each host."""
        self._quiet()
        for fleet in (self._broad, self._others):
            fleet.order(Order(within="/rule/", count=1))
        began = monotonic()
        made = self._region.rule(number)
        at = max(fleet.found().at for fleet in (self._broad, self._others))
        self._wait(made)
        return (at - began) / self.hosts, (monotonic() - began) / self.hosts

    def _restart_deliveries(self) -> float:
        """Kill the delivery, start as many as the hosts need; seconds until all have planned."""
        self._tell(f"{self.deliveries} deliveries begin anew")
        self._roles.kill("delivery")
        began = monotonic()
        self._roles.start_some("delivery", self.deliveries)
        took = monotonic() - began
        self._roles.wait_until_quiet()
        return took

    def _wait(self, made: Created) -> None:
        reply = self._gateway.api.wait(made.revision, _settle_s_max)
        if not reply.converged:
            raise servers.Unexpected(f"a change did not reach {len(reply.hosts)} hosts")

    def _quiet(self) -> None:
        """Hosts repeat nothing from now on, for as long as they may be silent."""
        self._order(repeats=False)
        self._roles.wait_until_quiet(_patience_s)
        self._order(repeats=False)

    def _order(self, *, repeats: bool) -> tuple[int, int]:
        """Frames and bytes that have come to hosts since the last time."""
        found = []
        for fleet in (self._broad, self._others):
            fleet.order(Order(at_once=True, repeats=repeats))
            found.append(fleet.found())
        return sum(each.frames for each in found), sum(each.content_bytes for each in found)

    def _cpu(self) -> dict[str, float]:
        return self._roles.cpu_s() | {"hosts": servers.cpu_s(self._nats_pid)}

    def _memory(self) -> dict[str, int]:
        return self._roles.memory_bytes() | {"hosts": memory_bytes(self._nats_pid)}


def _less(now: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {role: now[role] - before[role] for role in now}


def vast(bench: Bench) -> list[Section]:
    """Both regions, in turns."""
    large = _large_quick if bench.quick else _large
    with ExitStack() as stack:
        sides = [_Side(bench, stack, hosts) for hosts in (_small, large)]
        starts = [side.start() for side in sides]
        idle = [side.idle_cores() for side in sides]
        changes = [
            _compared(bench, sides, what, ask)
            for what, ask in (
                ("20 ports more in one call, on 10 hosts", _Side.twenty),
                ("a port more, for 10 hosts", _Side.one),
                ("a port more, for 1,000 hosts", _Side.thousand),
            )
        ]
        fanned = _to_all(bench, sides)
    rows = [row for some in changes for row in some]
    rows += [*fanned, *_start_rows(*starts), *_resting_rows(sides[0], sides[1], idle)]
    columns = ["what", f"{_small:,} hosts", f"{large:,} hosts", "ratio"]
    title = f"A region of {large:,} hosts and {sides[1].ports:,} ports"
    return [Section(title=title, about=_about(sides[1]), columns=columns, rows=rows)]


def _about(large: _Side) -> str:
    return (
        "Regions of processes: PostgreSQL, NATS, managers, a gateway, and a delivery for each "
        f"{_hosts_per_delivery:,} hosts (1 and {large.deliveries}), all on the processors above. "
        "Simulated hosts speak the agents' protocol by NATS, each on its own subjects; "
        f"{hosts_per_connection} of them share a connection, as this machine has no room for a "
        "connection each. All but the first thousand have two ports in a network of ten hosts; "
        "those have one each in the same network. All ports have one security group. Times are "
        "from the call until the last host concerned has said that it has the change, medians of "
        f"{_calls} calls in turns (of {_rules} where all hosts are concerned); hosts repeat "
        "nothing meanwhile, so that processor time is that of the change. Then it is that of "
        "managers, gateway, PostgreSQL and NATS together, and of each delivery. Before hosts "
        "start at once, with nothing, all deliveries are killed and started anew; those of the "
        "large network start before the others."
    )


def _compared(
    bench: Bench, sides: list[_Side], what: str, ask: Callable[[_Side], _Change]
) -> list[Row]:
    """One kind of change on both sides."""
    by_name = {f"{side.hosts:,} hosts": side for side in sides}
    contenders = {name: lambda side=side: ask(side) for name, side in by_name.items()}
    calls = bench.rounds(_calls, 3)
    found = in_turns(calls, contenders, lambda who: bench.tell(f"{what}: {who}"))
    few, many = (
        _Change(*(spread(column).median for column in zip(*found[name], strict=True)))
        for name in by_name
    )
    return [
        _row(what, few.seconds, many.seconds, seconds, growth_max=_growth_times_max),
        _row("processor time but for deliveries", few.cpu_s, many.cpu_s, seconds),
        _row("and of each delivery", few.delivery_cpu_s, many.delivery_cpu_s, seconds),
        _row("messages to hosts", few.frames, many.frames, _number),
        _row("bytes to hosts", few.content_bytes, many.content_bytes, _number, growth_max=1.0),
    ]


def _to_all(bench: Bench, sides: list[_Side]) -> list[Row]:
    """A rule for all hosts."""
    sent: list[float] = []
    said: list[float] = []
    for side in sides:
        found = []
        for number in range(_rules):
            bench.tell(f"{side.hosts:,} hosts: rule {number + 1} of {_rules}")
            found.append(side.rule(number))
        sent.append(spread(each for each, _ in found).median)
        said.append(spread(each for _, each in found).median)
    return [
        _row("a rule has come to all: time for each host", sent[0], sent[1], seconds),
        _row("and all have said so: time for each host", said[0], said[1], seconds),
    ]


def _start_rows(few: _Start, many: _Start) -> list[Row]:
    return [
        _row("all start at once", few.all_s, many.all_s, seconds),
        _row("worst page of a client meanwhile", few.page_worst_s, many.page_worst_s, seconds),
        _row("for each host: time", few.seconds, many.seconds, seconds),
        _row("processor time of all", few.cpu_s, many.cpu_s, seconds),
        _row("messages", few.frames, many.frames, _few),
        _row("bytes", few.content_bytes, many.content_bytes, _number),
        _row("memory of its delivery", few.delivery_bytes, many.delivery_bytes, _kib),
        _row("memory of the hosts' NATS", few.nats_bytes, many.nats_bytes, _kib),
    ]


def _resting_rows(few: _Side, many: _Side, idle: list[float]) -> list[Row]:
    small, large = (
        1_000 * cores / side.hosts for cores, side in zip(idle, (few, many), strict=True)
    )
    managers = few.manager_bytes_a_port, many.manager_bytes_a_port
    delivery = few.delivery_bytes_a_port, many.delivery_bytes_a_port
    return [
        _row("processors for the repeats of 1,000 hosts", small, large, _few),
        _row("memory of managers, for each port", *managers, _kib),
        _row("memory of a delivery, for each port", *delivery, _kib),
        _row("all deliveries, started anew, have planned", few.planned_s, many.planned_s, seconds),
    ]


def _row(
    what: str, few: float, many: float, shown: Callable[[float], str], growth_max: float = 0.0
) -> Row:
    times = many / few if few else 0.0
    return Row(
        cells=[what, shown(few), shown(many), ratio(times) if times else ""],
        values={"few": few, "many": many},
        verdict=at_most(growth_max, times, "times as much") if growth_max else None,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _few(value: float) -> str:
    return f"{value:.3g}"


def _kib(value: float) -> str:
    return f"{value / 1024:.1f} KiB"
