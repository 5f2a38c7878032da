"""Ports of machines as the logs tell of them, beside what Nova was told.

No I/O. Silence says nothing: a port of which no host has spoken since we started is as Nova knows
it, unless it was bound elsewhere meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from alcor.goal_state.reports import PortReport, PortStatus
from alcor.integrations.nova.events import Event, State, Wired, events, is_machines
from alcor.intent.records import FloatingIpRecord, PortRecord

_STATE = {
    PortStatus.UP: State.UP,
    PortStatus.DOWN: State.DOWN,
    PortStatus.FAILED: State.FAILED,
}


class News(NamedTuple):
    """What is to be said of a port, and what Nova knows when that was said (None: forget it)."""

    port_id: str
    events: list[Event]
    then: Wired | None


class Tracker:
    """Takes changes; says what is new. A port stays in `dirty` until it was `told`."""

    def __init__(self, told: Mapping[str, Wired]) -> None:
        self._told = dict(told)
        self._port_by_id: dict[str, PortRecord] = {}
        self._reports: defaultdict[str, dict[str, PortReport]] = defaultdict(dict)  # and by host
        self._left: dict[str, set[str]] = {}  # the hosts that a port has come from
        self._port_by_floating: dict[str, str] = {}
        self._floating_by_port: dict[str, dict[str, str]] = {}  # addresses by floating IP
        self.dirty: set[str] = set()
        self.complete = False  # all ports are known: only then is a missing one gone

    def all_ports(self, ports: Mapping[str, PortRecord]) -> None:
        """These are all there are."""
        gone = self._port_by_id.keys() - ports.keys()
        self.complete = True
        for port_id in [*gone, *(self._told.keys() - ports.keys())]:
            self.port(port_id, None)
        for port_id, port in ports.items():
            self.port(port_id, port)

    def port(self, port_id: str, port: PortRecord | None) -> None:
        """A port as it is wanted; None: it is gone."""
        if port is None:
            self._port_by_id.pop(port_id, None)
        else:
            before = self._port_by_id.get(port_id)
            self._port_by_id[port_id] = port
            if before is not None and before.host != port.host:
                left = self._left.setdefault(port_id, set())
                left.add(before.host)
                left.discard(port.host)
        self._forget(port_id, () if port is None else port.hosts)
        self._touch(port_id)

    def _forget(self, port_id: str, hosts: Collection[str]) -> None:
        """What others than these hosts say of a port, or said, is of no use."""
        left = self._left.pop(port_id, set()) & set(hosts)
        if left:
            self._left[port_id] = left
        said = self._reports.pop(port_id, {})
        if told := {host: report for host, report in said.items() if host in hosts}:
            self._reports[port_id] = told

    def report(self, report: PortReport) -> None:
        """What a host says of a port: those count that the port is bound to, or waits at."""
        port = self._port_by_id.get(report.port_id)
        if port is None or report.host in port.hosts:
            self._reports[report.port_id][report.host] = report
            self._touch(report.port_id)

    def floating(self, id_: str, record: FloatingIpRecord | None) -> None:
        """A floating IP; None: it is gone."""
        before = self._port_by_floating.pop(id_, "")
        if before:
            del self._floating_by_port[before][id_]
            if not self._floating_by_port[before]:
                del self._floating_by_port[before]
            self._touch(before)
        if record is not None and record.port_id:
            self._port_by_floating[id_] = record.port_id
            held = self._floating_by_port.setdefault(record.port_id, {})
            held[id_] = record.floating_ip_address
            self._touch(record.port_id)

    def news(self, events_max: int) -> list[News]:
        """Of dirty ports, until `events_max` events are together; those without news are clean."""
        found: list[News] = []
        count = 0
        for port_id in sorted(self.dirty):
            if count >= events_max:
                break
            told, now = self._told.get(port_id), self._now(port_id)
            said = events(port_id, told, now, gone=port_id not in self._port_by_id)
            if not said and told == now:
                self.dirty.discard(port_id)
                continue
            found.append(News(port_id, said, now))
            count += max(1, len(said))
        return found

    def told(self, said: Iterable[News]) -> None:
        """Nova knows these now; what has changed meanwhile stays dirty."""
        for news in said:
            if news.then is None:
                self._told.pop(news.port_id, None)
            else:
                self._told[news.port_id] = news.then
            if self._now(news.port_id) == news.then:
                self.dirty.discard(news.port_id)

    def _touch(self, port_id: str) -> None:
        port = self._port_by_id.get(port_id)
        if port_id in self._told or (port is not None and is_machines(port)):
            self.dirty.add(port_id)

    def _now(self, port_id: str) -> Wired | None:
        port = self._port_by_id.get(port_id)
        if port is None and not self.complete:
            return self._told.get(port_id)
        if port is None or not is_machines(port):
            return None
        addresses = [fixed.ip_address for fixed in port.fixed_ips]
        addresses += self._floating_by_port.get(port_id, {}).values()
        state, host, ofport = self._wiring(port)
        return Wired(port.device_id, state, host, " ".join(sorted(addresses)), ofport)

    def _wiring(self, port: PortRecord) -> tuple[State, str, int]:
        if not port.host:
            return State.DOWN, "", 0
        reports = self._reports.get(port.id, {})
        for host in port.waiting_hosts:
            # Where its machine is moved to it is ready, and Nova waits to hear that.
            ready = host in reports and reports[host].status is PortStatus.UP
            if ready and host not in self._left.get(port.id, ()):
                return State.UP, host, reports[host].ofport
        if port.host in reports:
            report = reports[port.host]
            return _STATE[report.status], port.host, report.ofport
        told = self._told.get(port.id)
        if told is not None and told.host == port.host:
            return told.state, told.host, told.ofport
        return State.DOWN, "", 0
