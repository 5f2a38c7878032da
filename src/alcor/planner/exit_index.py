"""By which hosts each router's packets leave: the one that hosts choose, and the next in line.

A host chooses among living ones with an uplink, those of the router's zones first
(`agent/model/routers/outside.py`); here the same choice is made so that the chosen host holds the
router even when no machine of the router's networks is there. The next in line holds it too: when
the first dies, the second has nothing to fetch. A host that returns holds what it will be chosen
for before it is.
"""

from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from alcor.intent.records import NetworkRecord, NodeRecord, PortRecord, Record, RouterRecord
from alcor.planner.nodes.router import is_gateway
from alcor.planner.pairs import Pairs
from alcor.values.rendezvous import first_of

exits_per_router = 2
_NOBODY: Set[str] = frozenset()


class Move(NamedTuple):
    """A host is an exit of a router, or is one no more."""

    host: str
    router_id: str
    is_there: bool


class ExitIndex:
    """Follows gateways, physical networks and living nodes, in whatever order they come."""

    def __init__(self) -> None:
        self._hosts_by_name: dict[str, set[str]] = {}  # living or returning, by physical network
        self._living: set[tuple[str, str]] = set()  # the living ones of them
        self._name_by_network: dict[str, str] = {}  # of physical networks
        self._networks_by_name = Pairs()
        self._gateways: dict[str, dict[str, str]] = {}  # networks by router, by port
        self._routers_by_network = Pairs()
        self._exits: dict[str, dict[str, list[str]]] = {}  # hosts by router, by physical network
        self._zone_by_host: dict[str, str] = {}
        self._zones: dict[str, Set[str]] = {}  # that routers prefer, by router

    def of(self, router_id: str) -> Set[str]:
        """The hosts that the router's packets leave by, or may at once."""
        exits = self._exits.get(router_id)
        return {host for hosts in exits.values() for host in hosts} if exits else _NOBODY

    def active(self, router_id: str) -> set[str]:
        """Those of them that the router's packets leave by now: of each physical network one."""
        exits = self._exits.get(router_id, {})
        return {hosts[0] for name, hosts in exits.items() if (hosts[0], name) in self._living}

    def leads_by(self, gateway: PortRecord) -> str:
        """The host that packets leave by for a router's gateway; empty: none."""
        name = self._name_by_network.get(gateway.network_id, "")
        hosts = self._chosen(gateway.device_id, name)
        return hosts[0] if hosts and (hosts[0], name) in self._living else ""

    def gateways_of(self, router_id: str) -> list[str]:
        """The ports of the router's gateways."""
        return list(self._gateways.get(router_id, ()))

    def routers_by(self, host: str) -> list[str]:
        """The routers that a host is an exit of; all routers are looked at."""
        return sorted(router_id for router_id in self._exits if host in self.of(router_id))

    def change(self, before: Record | None, after: Record | None) -> list[Move]:
        """A record is another now, has come or has gone; what that moves, and nothing else."""
        match before or after:
            case PortRecord():
                return list(self._change_gateway(before, after))
            case NetworkRecord(id=network_id):
                names = _physical_network(before), _physical_network(after)
                return list(self._change_network(network_id, *names))
            case NodeRecord(id=host):
                is_moved = self._set_zone(host, after)
                return list(self._change_node(before, after, is_moved=is_moved))
            case RouterRecord(id=router_id):
                return list(self._change_router(router_id, after))
        return []

    def _change_gateway(self, before: Record | None, after: Record | None) -> Iterator[Move]:
        was, now = _gateway(before), _gateway(after)
        if was is not None:
            gateways = self._gateways[was.device_id]
            del gateways[was.id]
            if not gateways:
                del self._gateways[was.device_id]
            self._routers_by_network.remove(was.network_id, was.device_id)
        if now is not None:
            self._gateways.setdefault(now.device_id, {})[now.id] = now.network_id
            self._routers_by_network.add(now.network_id, now.device_id)
        for router_id in dict.fromkeys(each.device_id for each in (was, now) if each is not None):
            yield from self._choose(router_id)

    def _change_network(self, network_id: str, was: str, now: str) -> Iterator[Move]:
        if was == now:
            return
        if was:
            del self._name_by_network[network_id]
            self._networks_by_name.remove(was, network_id)
        if now:
            self._name_by_network[network_id] = now
            self._networks_by_name.add(now, network_id)
        for router_id in self._routers_by_network.of(network_id):
            yield from self._choose(router_id)

    def _change_router(self, router_id: str, after: Record | None) -> Iterator[Move]:
        zones = (
            frozenset(after.availability_zones)
            if isinstance(after, RouterRecord)
            else frozenset[str]()
        )
        if zones == self._zones.get(router_id, _NOBODY):
            return
        self._zones[router_id] = zones
        if not zones:
            del self._zones[router_id]
        yield from self._choose(router_id)

    def _set_zone(self, host: str, after: Record | None) -> bool:
        """Whether the host is in another zone now."""
        before = self._zone_by_host.pop(host, None)
        if isinstance(after, NodeRecord):
            self._zone_by_host[host] = after.availability_zone
        return before is not None and before != self._zone_by_host.get(host, before)

    def _change_node(
        self, before: Record | None, after: Record | None, *, is_moved: bool
    ) -> Iterator[Move]:
        was, now = _uplinks(before), _uplinks(after)
        lived = self._living & was
        self._living = self._living - was | (now if _is_alive(after) else frozenset())
        for host, name in was - now:
            hosts = self._hosts_by_name[name]
            hosts.discard(host)
            if not hosts:
                del self._hosts_by_name[name]
            yield from self._choose_without(host, name)
        for host, name in lived & now - self._living:
            yield from self._choose_without(host, name)
        for host, name in (now - was) | (self._living & now - lived):
            self._hosts_by_name.setdefault(name, set()).add(host)
            for router_id in self._routers_out_by(name):
                # It can only take the place of one of those that were chosen among all others.
                among = {*self._chosen(router_id, name), host}
                yield from self._save(router_id, {name: self._first(router_id, name, among)})
        for _, name in now if is_moved else ():
            for router_id in self._routers_out_by(name):
                if router_id in self._zones:
                    yield from self._choose(router_id)

    def _choose_without(self, host: str, name: str) -> Iterator[Move]:
        """What goes by a host that lives no more needs another one."""
        for router_id in self._routers_out_by(name):
            if host in self._chosen(router_id, name):
                yield from self._choose(router_id)

    def _chosen(self, router_id: str, name: str) -> list[str]:
        return self._exits.get(router_id, {}).get(name, [])

    def _names_of(self, router_id: str) -> set[str]:
        """The physical networks that its packets leave by: of each of its gateways one."""
        networks = self._gateways.get(router_id, {}).values()
        return {self._name_by_network[each] for each in networks if each in self._name_by_network}

    def _routers_out_by(self, name: str) -> Iterator[str]:
        found = (self._routers_by_network.of(each) for each in self._networks_by_name.of(name))
        yield from dict.fromkeys(router_id for routers in found for router_id in routers)

    def _choose(self, router_id: str) -> Iterator[Move]:
        """Anew, by each of the physical networks."""
        names = self._names_of(router_id)
        gone: dict[str, list[str]] = {name: [] for name in self._exits.get(router_id, {})}
        hosts = {name: self._hosts_by_name.get(name, _NOBODY) for name in names}
        return self._save(
            router_id, gone | {name: self._first(router_id, name, hosts[name]) for name in names}
        )

    def _first(self, router_id: str, name: str, among: Set[str]) -> list[str]:
        """Those that hosts choose, of the living ones; and those that they will choose."""
        living = [host for host in among if (host, name) in self._living]
        zones = self._zones.get(router_id, _NOBODY)
        near = {host for host in among if self._zone_by_host.get(host) in zones}
        chosen = first_of(router_id, living, exits_per_router, near)
        return [*dict.fromkeys([*chosen, *first_of(router_id, among, exits_per_router, near)])]

    def _save(self, router_id: str, chosen: Mapping[str, list[str]]) -> Iterator[Move]:
        before = self.of(router_id)
        exits = {**self._exits.pop(router_id, {}), **chosen}
        kept = {name: hosts for name, hosts in exits.items() if hosts}
        if kept:
            self._exits[router_id] = kept
        after = self.of(router_id)
        for host in sorted(after - before):
            yield Move(host, router_id, True)
        for host in sorted(before - after):
            yield Move(host, router_id, False)


def _is_alive(record: Record | None) -> bool:
    return isinstance(record, NodeRecord) and record.alive


def _gateway(record: Record | None) -> PortRecord | None:
    return record if isinstance(record, PortRecord) and is_gateway(record) else None


def _physical_network(record: Record | None) -> str:
    return record.physical_network if isinstance(record, NetworkRecord) else ""


def _uplinks(record: Record | None) -> Set[tuple[str, str]]:
    """The host with the name of each physical network that it has an uplink to, while it lives, or
    is about to."""
    if isinstance(record, NodeRecord) and (record.alive or record.returning):
        return {(record.id, name) for name in record.physical_networks}
    return frozenset()
