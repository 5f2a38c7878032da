"""An agent at rest, and after many changes: what it takes of a host that is there for machines.

A host with 200 plugged ports of a network of 2,000, all of one security group that lets its own
members in; beside it ovn-controller on a host of the same kind. First nothing happens; then ports
come and go by the hundred, and what the process holds is compared with what it held before.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple, Protocol

from alcor.lab import hosts, processes
from alcor.lab.layout import LabHost
from alcor.lab.processes import Program
from bench.hosts import guests
from bench.hosts.alcor_lab import AlcorLab, fresh_ids, port_body
from bench.hosts.guests import Guest
from bench.hosts.ovn import OvnLab, OvnPort
from bench.run import Bench
from bench.servers import cpu_s, memory_bytes
from bench.tables import Row, Section, Verdict, ratio

_network, _group = 9, "pg1"
_plugged, _ports = 200, 2_000
_batch = 100  # ports that come and go at a time
_batches, _batches_quick = 30, 10
_rest_s = 150.0  # longer than from one comparison with the switch to the next
_settle_s = 10.0


class Held(NamedTuple):
    """What a process holds."""

    memory_bytes: int
    files: int
    flows: int


class Rest(NamedTuple):
    """What a process does while nothing happens."""

    wakeups_per_s: float
    cpu_share: float


class Contender(Protocol):
    """Who keeps the switch of a host."""

    host: LabHost
    pid: int

    def fill(self, ports: Sequence[Guest]) -> None:
        """Make ports of one security group."""
        ...

    def churn(self, ports: Sequence[Guest]) -> None:
        """Make ports, and take them away; the host has seen both."""
        ...


class _Ours:
    """The agent of a lab's first host; ports are of their project's own group."""

    def __init__(self, lab: AlcorLab) -> None:
        self._lab, self._network_id = lab, lab.network(_network)
        self.host = lab.lab.hosts[0]
        (process,) = processes.running(self.host.folder, Program.AGENT)
        self.pid = process.pid

    def fill(self, ports: Sequence[Guest]) -> None:
        self._lab.fill([port_body(self._network_id, each, each.port) for each in ports])

    def churn(self, ports: Sequence[Guest]) -> None:
        self.fill(ports)
        self._lab.delete([each.port for each in ports])


class _Ovns:
    """The ovn-controller of a lab's first host."""

    def __init__(self, lab: OvnLab) -> None:
        self._lab, self.host = lab, lab.lab.host(1)
        self.pid = int((self.host.folder / "controller.pid").read_text())
        self._members: list[str] = []
        lab.nb("pg-add", _group)
        into = f"outport == @{_group} && ip4"
        for direction, priority, match, verdict in (
            ("from-lport", "1002", f"inport == @{_group} && ip4", "allow-related"),
            ("to-lport", "1002", f"{into} && ip4.src == ${_group}_ip4", "allow-related"),
            ("to-lport", "1001", into, "drop"),
        ):
            lab.nb("acl-add", _group, direction, priority, match, verdict)

    def fill(self, ports: Sequence[Guest]) -> None:
        self._lab.fill([OvnPort(each.port, each.mac, each.address) for each in ports])
        self._members += [each.port for each in ports]
        self._lab.nb("--wait=hv", "pg-set-ports", _group, *self._members)

    def churn(self, ports: Sequence[Guest]) -> None:
        self.fill(ports)
        del self._members[-len(ports) :]
        self._lab.delete_ports([OvnPort(each.port, each.mac, each.address) for each in ports])


def _plug(host: LabHost, names: Sequence[str]) -> None:
    """Interfaces that nobody is behind."""
    words: list[str] = []
    for number, name in enumerate(names):
        interface = f"if{number}"
        words += ["--", "--may-exist", "add-port", "br-int", interface]
        words += ["--", "set", "Interface", interface, "type=internal"]
        words += [f"external_ids:iface-id={name}"]
    hosts.vsctl(host, *words)


class _Measured(NamedTuple):
    """One contender: at rest, and what it held before and after many changes."""

    rest: Rest
    before: Held
    after: Held


def _measure(bench: Bench, name: str, of: Contender) -> _Measured:
    dealt = guests.deal(_ports + _batch, 1, _network)
    ids = fresh_ids(len(dealt))
    every = [each._replace(port=id_) for each, id_ in zip(dealt, ids, strict=True)]
    here, more = every[:_plugged], every[_ports:]
    kept = here + [each._replace(host=2) for each in every[_plugged:_ports]]
    bench.tell(f"{name}: {_ports:,} ports")
    _plug(of.host, [each.port for each in here])
    of.fill(kept)
    sleep(_settle_s)
    bench.tell(f"{name}: at rest")
    rest = _at_rest(of.pid, _rest_s)
    before = _held(of)
    for turn in range(bench.rounds(_batches, _batches_quick)):
        bench.tell(f"{name}: ports come and go, batch {turn + 1}")
        ids = fresh_ids(_batch)
        _plug(of.host, [*(each.port for each in here), *ids])
        of.churn([each._replace(port=id_) for each, id_ in zip(more, ids, strict=True)])
    sleep(_settle_s)
    return _Measured(rest, before, _held(of))


def _at_rest(pid: int, seconds: float) -> Rest:
    wakeups, cpu, began = _wakeups(pid), cpu_s(pid), monotonic()
    sleep(seconds)
    took = monotonic() - began
    return Rest((_wakeups(pid) - wakeups) / took, (cpu_s(pid) - cpu) / took)


def _wakeups(pid: int) -> int:
    """How often a thread of the process has gone to sleep."""
    said = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/status")]
    lines = [line for text in said for line in text.splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))


def _held(of: Contender) -> Held:
    files = len(list(Path(f"/proc/{of.pid}/fd").iterdir()))
    flows = hosts.ofctl(of.host, "dump-aggregate", "br-int").partition("flow_count=")[2]
    return Held(memory_bytes(of.pid), files, int(flows.split()[0]))


def measure(bench: Bench) -> list[Section]:
    """Both, each with a lab of its own, one after the other: else one would disturb the other."""
    with AlcorLab("benchrest", 2) as lab:
        ours = _measure(bench, "Alcor", _Ours(lab))
    with OvnLab("benchrestovn", 2) as peer:
        theirs = _measure(bench, "OVN", _Ovns(peer))
    return [_section(ours, theirs, _batch * bench.rounds(_batches, _batches_quick))]


def _section(ours: _Measured, theirs: _Measured, churned: int) -> Section:
    left = ours.after.flows - ours.before.flows
    return Section(
        title=f"An agent with {_plugged} ports of a network of {_ports:,}",
        about=(
            f"Two hosts; {_plugged} ports on one of them, plugged, and all {_ports:,} members of a "
            "security group that lets its own in. What the agent of that host takes beside "
            "ovn-controller, each in a lab of its own: while nothing happens (wakeups of all its "
            "threads), and after ports there have come and gone, each with an interface, "
            f"{_batch} at a time. The agent compares all flows with the switch every two minutes, "
            "which is in its share of a processor; what OVN's switch has is not compared."
        ),
        columns=["what", "Alcor", "OVN", "ratio"],
        rows=[
            _row("memory", ours.before.memory_bytes, theirs.before.memory_bytes, _mebibytes),
            _row("flows", ours.before.flows, theirs.before.flows, _whole),
            _row("wakeups a second", ours.rest.wakeups_per_s, theirs.rest.wakeups_per_s, _tenths),
            _row("of a processor", ours.rest.cpu_share, theirs.rest.cpu_share, _per_cent),
            _row(
                f"memory after {churned:,} ports came and went",
                ours.after.memory_bytes,
                theirs.after.memory_bytes,
                _mebibytes,
            ),
            _row(
                "flows left of them",
                left,
                theirs.after.flows - theirs.before.flows,
                _whole,
                Verdict("none", left == 0),
            ),
            _row("open files", ours.after.files, theirs.after.files, _whole),
        ],
    )


def _row(
    what: str,
    ours: float,
    theirs: float,
    said: Callable[[float], str],
    verdict: Verdict | None = None,
) -> Row:
    times = ratio(ours / theirs) if theirs else ""
    cells = [what, said(ours), said(theirs), times]
    return Row(cells=cells, values={"ours": ours, "ovn": theirs}, verdict=verdict)


def _mebibytes(value: float) -> str:
    return f"{value / 2**20:.1f} MiB"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _tenths(value: float) -> str:
    return f"{value:.1f}"


def _per_cent(value: float) -> str:
    return f"{value:.3%}"
