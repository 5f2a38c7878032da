"""What the host knows of logs and mirrors: what is written down of ports, and what is copied. Pure.

A part of `HostModel`.
"""

from collections.abc import Collection, Mapping, Set
from typing import Any, NamedTuple

from alcor.agent.model.holding import put_nested
from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import AclLog, GroupLog, Mirror, Port, PortLog
from alcor.ovs.flow import Action, Clone, output, set_field


class Limit(NamedTuple):
    """How many copies of packets the switch hands over, of each kind of decision."""

    per_s: int = 100
    burst: int = 25


class Wanted(NamedTuple):
    """Which decisions about a port are written down."""

    accepted: bool = False
    dropped: bool = False


class Taps(NamedTuple):
    """What makes copies of a port's frames, before they go on."""

    ingress: tuple[Action, ...] = ()  # of what its machine is handed
    egress: tuple[Action, ...] = ()  # of what its machine sends


Log = PortLog | GroupLog
Kinds = frozenset[str]  # of ports for copies that are wanted: fields of `Ports`


class Ports(NamedTuple):
    """The ofports by which copies leave the host; 0: there is none."""

    gre: int = 0
    erspan: int = 0
    taps: int = 0  # to taps on other hosts, and from there


NO_PORTS = Ports()
NO_TAPS = Taps()
_NOTHING: Mapping[str, Log] = {}


class Monitoring:
    """Logs, found by the port or the group that they are about."""

    def __init__(self) -> None:
        self.limit = Limit()
        self._by_port: dict[str, dict[str, Log]] = {}
        self._by_group: dict[str, dict[str, Log]] = {}
        self._by_acl: dict[str, dict[str, AclLog]] = {}
        self._mirrors: dict[str, dict[str, Mirror]] = {}  # by port
        self._ports = NO_PORTS

    def put(self, log: Log | Mirror, ports_by_group: Mapping[str, Set[str]]) -> set[Unit]:
        """Hold an entry in place of what its key held before; the ports that it is about."""
        if isinstance(log, Mirror):
            self._mirrors.setdefault(log.port_id, {})[log.id] = log
        elif isinstance(log, PortLog):
            self._by_port.setdefault(log.port_id, {})[log.id] = log
        else:
            self._by_group.setdefault(log.group_id, {})[log.id] = log
        return _about(log, ports_by_group)

    def remove(self, log: Log | Mirror, ports_by_group: Mapping[str, Set[str]]) -> set[Unit]:
        """Forget an entry; the ports that it was about."""
        if isinstance(log, Mirror):
            _drop(self._mirrors, log.port_id, log.id)
        elif isinstance(log, PortLog):
            _drop(self._by_port, log.port_id, log.id)
        else:
            _drop(self._by_group, log.group_id, log.id)
        return _about(log, ports_by_group)

    def put_acl_log(self, log: AclLog, *, is_there: bool) -> None:
        """Hold a log of a network ACL, or no more."""
        put_nested(self._by_acl, log.acl_id, log.id, log if is_there else None)

    def logs_of_acl(self, acl_id: str) -> list[AclLog]:
        """What a network ACL is logged by, in order of their ids."""
        held = self._by_acl.get(acl_id, {})
        return [held[id_] for id_ in sorted(held)]

    def wanted_of_acl(self, acl_id: str) -> Wanted:
        """Which decisions of a network ACL are written down."""
        return _wanted(self.logs_of_acl(acl_id))

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
        return _wanted(logs)

    @property
    def mirror_kinds(self) -> Kinds:
        """The kinds of mirrors for which the switch needs a port."""
        held = (each for of_port in self._mirrors.values() for each in of_port.values())
        return frozenset("erspan" if each.erspan else "gre" for each in held)

    def set_ports(self, ports: Ports) -> set[Unit]:
        """The switch's ports for mirrors; the units of what is copied to them."""
        if ports == self._ports:
            return set()
        self._ports = ports
        return {Unit(UnitKind.PORT, each) for each in self._mirrors}

    def taps_of(self, port_id: str) -> Taps:
        """What copies the frames of a port, as far as the switch has ports for it."""
        if port_id not in self._mirrors:
            return NO_TAPS
        held = self._mirrors[port_id]
        mirrors = [held[id_] for id_ in sorted(held) if self._port_of(held[id_])]
        return Taps(
            tuple(self._copy(each, each.ingress) for each in mirrors if each.ingress is not None),
            tuple(self._copy(each, each.egress) for each in mirrors if each.egress is not None),
        )

    def _copy(self, mirror: Mirror, tunnel_id: int) -> Action:
        """What becomes of the copy does not happen to the frame itself."""
        where = set_field("tun_id", tunnel_id), set_field("tun_dst", mirror.remote.number)
        return Clone((*where, output(self._port_of(mirror))))

    def _port_of(self, mirror: Mirror) -> int:
        return self._ports.erspan if mirror.erspan else self._ports.gre


def _wanted(logs: Collection[Log | AclLog]) -> Wanted:
    return Wanted(any(log.accepted for log in logs), any(log.dropped for log in logs))


def _about(log: Log | Mirror, ports_by_group: Mapping[str, Set[str]]) -> set[Unit]:
    if not isinstance(log, GroupLog):
        return {Unit(UnitKind.PORT, log.port_id)}
    return {Unit(UnitKind.PORT, each) for each in ports_by_group.get(log.group_id, ())}


def _drop(nested: dict[str, dict[str, Any]], outer: str, inner: str) -> None:
    held = nested.get(outer, {})
    held.pop(inner, None)
    if not held:
        nested.pop(outer, None)
