"""What the host knows of logs: which decisions about which ports are written down. Pure.

A part of `model.py`'s HostModel.
"""

from collections.abc import Mapping, Set
from typing import NamedTuple

from alcor.agent.unit import Unit, UnitKind
from alcor.goal_state.entries import GroupLog, Port, PortLog


class Limit(NamedTuple):
    """How many copies of packets the switch hands over, of each kind of decision."""

    per_s: int = 100
    burst: int = 25


class Wanted(NamedTuple):
    """Which decisions about a port are written down."""

    accepted: bool = False
    dropped: bool = False


Log = PortLog | GroupLog
_NOTHING: Mapping[str, Log] = {}


class Monitoring:
    """Logs, found by the port or the group that they are about."""

    def __init__(self) -> None:
        self.limit = Limit()
        self._by_port: dict[str, dict[str, Log]] = {}
        self._by_group: dict[str, dict[str, Log]] = {}

    def put(self, log: Log, ports_by_group: Mapping[str, Set[str]]) -> set[Unit]:
        """Hold an entry in place of what its key held before; the ports that it is about."""
        if isinstance(log, PortLog):
            self._by_port.setdefault(log.port_id, {})[log.id] = log
        else:
            self._by_group.setdefault(log.group_id, {})[log.id] = log
        return _about(log, ports_by_group)

    def remove(self, log: Log, ports_by_group: Mapping[str, Set[str]]) -> set[Unit]:
        """Forget an entry; the ports that it was about."""
        if isinstance(log, PortLog):
            _drop(self._by_port, log.port_id, log.id)
        else:
            _drop(self._by_group, log.group_id, log.id)
        return _about(log, ports_by_group)

    def logs_of(self, port: Port) -> list[Log]:
        """What a port is logged by, each log once, in order of their ids."""
        found: dict[str, Log] = {}
        for group_id in port.security_groups:
            found |= self._by_group.get(group_id, _NOTHING)
        found |= self._by_port.get(port.id, _NOTHING)
        return [found[id_] for id_ in sorted(found)]

    def wanted_of(self, port: Port) -> Wanted:
        """Which decisions about a port are written down."""
        logs = self.logs_of(port) if self._by_port or self._by_group else ()
        return Wanted(any(log.accepted for log in logs), any(log.dropped for log in logs))


def _about(log: Log, ports_by_group: Mapping[str, Set[str]]) -> set[Unit]:
    if isinstance(log, PortLog):
        return {Unit(UnitKind.PORT, log.port_id)}
    return {Unit(UnitKind.PORT, each) for each in ports_by_group.get(log.group_id, ())}


def _drop(nested: dict[str, dict[str, Log]], outer: str, inner: str) -> None:
    held = nested.get(outer, {})
    held.pop(inner, None)
    if not held:
        nested.pop(outer, None)
