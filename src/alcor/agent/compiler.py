"""From the model to flows, incrementally: units that changed are made again, nothing else.

Pure. Law: after any sequence of changes the flows equal those made from nothing. When two units
make one key (table, priority, match), the first of them in the order of units wins, whatever came
first in time.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from alcor.agent import pipeline as p
from alcor.agent.cookies import cookie_of
from alcor.agent.features import (
    acl,
    anti_spoof,
    arp,
    classify,
    decision_log,
    dhcp4,
    dhcp6,
    firewall,
    guards,
    l2,
    limits,
    local_ips,
    metering,
    multicast,
    nd,
    outside,
    physical,
    qos,
    ra,
    routing,
    scopes,
    security_rules,
    seeking,
    services,
    shared_addresses,
)
from alcor.agent.meter import Meter
from alcor.agent.meters import limits_at, unit_meters
from alcor.agent.model import HostModel, Unit, UnitKind
from alcor.agent.moves import endpoints_of
from alcor.agent.shapes import AnyFlow, encoded
from alcor.agent.unit import prefix_of
from alcor.goal_state.entries import Neighbour
from alcor.ovs.flow import DROP, Flow, apply, match
from alcor.ovs.openflow.flows import FlowBody, FlowKey
from alcor.values.addresses import Address, address

piece_units_max = 400  # while these are made nothing else is done


class UnitChange(NamedTuple):
    """What a unit's change means for the switch: flows to put, flows to take away."""

    unit: Unit
    puts: tuple[tuple[FlowKey, FlowBody], ...]
    takes: tuple[FlowKey, ...]


class Change(NamedTuple):
    """The difference of one pass; meters are put before flows and taken away after them.

    A zone is the number of a port, its owner the cookie of the port's flows.
    """

    units: tuple[UnitChange, ...]
    meters_put: tuple[Meter, ...]
    meters_taken: tuple[int, ...]
    zones_put: Mapping[int, int]  # owner by zone
    zones_taken: frozenset[int]

    @property
    def takes(self) -> bool:
        """Whether it takes a flow away."""
        return any(each.takes for each in self.units)

    @property
    def flows(self) -> int:
        """How many flows it puts and takes away."""
        return sum(len(each.puts) + len(each.takes) for each in self.units)


_Owned = tuple[Unit, FlowBody]
_NEIGHBOUR = UnitKind.NEIGHBOUR  # looked up by name it takes its time, and there are thousands
_OF_ROUTERS = frozenset((UnitKind.ROUTER, UnitKind.FLOATING, UnitKind.OUTSIDE))
_WITH_METERS = frozenset(  # the first also with zones
    (UnitKind.PORT, UnitKind.NETWORK, UnitKind.SHARED, UnitKind.ROUTER, UnitKind.FLOATING)
)
_NOTHING: Mapping[FlowKey, FlowBody] = MappingProxyType({})


class Compiler:
    """Holds the flows of every unit as bytes, and who owns each key."""

    def __init__(self, model: HostModel, piece_units: int = piece_units_max) -> None:
        self._model, self._piece_units = model, piece_units
        self._flows_by_unit: dict[Unit, dict[FlowKey, FlowBody]] = {}
        self._owner: dict[FlowKey, Unit] = {}  # whose flow counts
        self._rivals: dict[FlowKey, list[Unit]] = {}  # all who make a key, in order, if several do
        self._meters: dict[int, Meter] = {}
        self._meter_by_unit: dict[Unit, tuple[Meter, ...]] = {}
        self._zone_by_port: dict[Unit, int] = {}
        self._port_by_zone: dict[int, Unit] = {}

    def update(self, units: Set[Unit]) -> Change:
        """Make the flows of these units again; what comes out is only what differs."""
        return self._update(sorted(units))

    def _update(self, ordered: Sequence[Unit]) -> Change:
        before: dict[FlowKey, _Owned | None] = {}
        fresh: dict[Unit, None] = {}  # had no flows, and makes what nobody makes; in order
        for unit in ordered:
            self._replace(unit, before, fresh)
        ports = [unit for unit in ordered if unit.kind in _WITH_METERS]
        meters_put, meters_taken = self._update_meters(ports)
        zones = self._update_zones(ports)
        return Change(self._difference(before, fresh), meters_put, meters_taken, *zones)

    def pieces(self, units: Set[Unit]) -> Iterator[Change]:
        """`update` in pieces, each made when it is asked for, if many neighbours are new.

        These come after what ports need, and before the routers that lead to them.
        """
        new: list[Unit] = []
        others: list[Unit] = []
        for unit in sorted(units):
            is_new = unit.kind is _NEIGHBOUR and unit not in self._flows_by_unit
            (new if is_new else others).append(unit)
        if len(new) <= self._piece_units:
            yield self.update(units)
            return
        yield self._update([unit for unit in others if unit.kind not in _OF_ROUTERS])
        for at in range(0, len(new), self._piece_units):
            yield self._update(new[at : at + self._piece_units])
        yield self._update([unit for unit in others if unit.kind in _OF_ROUTERS])

    @property
    def meters(self) -> Mapping[int, Meter]:
        """Every meter that a flow may name."""
        return self._meters

    def flows(self) -> Iterator[tuple[Unit, FlowKey, FlowBody]]:
        """Every flow that counts, with the unit that owns it."""
        for key, unit in self._owner.items():
            yield unit, key, self._flows_by_unit[unit][key]

    def owner_of(self, key: FlowKey) -> Unit | None:
        """Whose flow counts under a key."""
        return self._owner.get(key)

    def _replace(
        self, unit: Unit, before: dict[FlowKey, _Owned | None], fresh: dict[Unit, None]
    ) -> None:
        """Make a unit's flows; what counted before the pass is noted, unless nothing did."""
        new = dict(map(encoded, unit_flows(self._model, unit)))
        old = self._flows_by_unit.pop(unit, _NOTHING)
        if new:
            self._flows_by_unit[unit] = new
        if not old and self._owner.keys().isdisjoint(new):
            if new:
                self._owner.update(dict.fromkeys(new, unit))
                fresh[unit] = None
            return
        for key, body in old.items():
            if new.get(key) != body:
                self._note(key, before, fresh, (unit, body))
                if key not in new:
                    self._disclaim(key, unit)
        for key in new.keys() - old.keys():
            if key in self._owner:
                self._note(key, before, fresh, None)
                self._join(key, unit)
            else:
                before.setdefault(key)
                self._owner[key] = unit

    def _note(
        self,
        key: FlowKey,
        before: dict[FlowKey, _Owned | None],
        fresh: dict[Unit, None],
        changing: _Owned | None,
    ) -> None:
        """What counted before the pass; `changing` is what the unit had that is being made."""
        if key in before:
            return
        owner = self._owner[key]
        if owner in fresh:
            before[key] = None
        elif changing is not None and changing[0] == owner:
            before[key] = changing
        else:
            before[key] = (owner, self._flows_by_unit[owner][key])

    def _join(self, key: FlowKey, unit: Unit) -> None:
        rivals = self._rivals.setdefault(key, [self._owner[key]])
        insort(rivals, unit)
        self._owner[key] = rivals[0]

    def _disclaim(self, key: FlowKey, unit: Unit) -> None:
        rivals = self._rivals.get(key)
        if rivals is None:
            del self._owner[key]
            return
        rivals.remove(unit)
        self._owner[key] = rivals[0]
        if len(rivals) == 1:
            del self._rivals[key]

    def _difference(
        self, before: Mapping[FlowKey, _Owned | None], fresh: Iterable[Unit]
    ) -> tuple[UnitChange, ...]:
        if not before:
            return tuple(self._all_of(unit) for unit in fresh)
        puts: dict[Unit, list[tuple[FlowKey, FlowBody]]] = {}
        takes: dict[Unit, list[FlowKey]] = {}
        for unit in fresh:
            flows = self._flows_by_unit[unit].items()
            puts[unit] = [put for put in flows if put[0] not in before]
        for key, was in before.items():
            owner = self._owner.get(key)
            if owner is not None:
                body = self._flows_by_unit[owner][key]
                if was is None or was[1] != body:
                    puts.setdefault(owner, []).append((key, body))
            elif was is not None:
                takes.setdefault(was[0], []).append(key)
        # What is put comes first: nothing is without its flow while it moves from unit to unit.
        order = sorted(puts) + sorted(takes.keys() - puts.keys())
        return tuple(
            UnitChange(unit, tuple(puts.get(unit, ())), tuple(takes.get(unit, ())))
            for unit in order
        )

    def _all_of(self, unit: Unit) -> UnitChange:
        return UnitChange(unit, tuple(self._flows_by_unit[unit].items()), ())

    def _update_meters(self, units: Iterable[Unit]) -> tuple[tuple[Meter, ...], tuple[int, ...]]:
        touched: set[int] = set()
        for unit in units:
            old = self._meter_by_unit.pop(unit, ())
            new = tuple(unit_meters(self._model, unit))
            if new:
                self._meter_by_unit[unit] = new
            touched.update(meter.id for meter in chain(old, new))
        if not touched:
            return (), ()
        held = {meter.id: meter for each in self._meter_by_unit.values() for meter in each}
        before, self._meters = self._meters, held
        put = tuple(held[i] for i in sorted(touched) if i in held and before.get(i) != held[i])
        return put, tuple(i for i in sorted(touched) if i in before and i not in held)

    def _update_zones(self, units: Iterable[Unit]) -> tuple[dict[int, int], frozenset[int]]:
        put: dict[int, int] = {}
        left: set[int] = set()
        for unit in units:
            if unit.kind is not UnitKind.PORT:
                continue
            wired = self._model.wired(unit.id)
            before, now = self._zone_by_port.pop(unit, None), wired.number if wired else None
            if before is not None and before != now and self._port_by_zone[before] == unit:
                del self._port_by_zone[before]
                left.add(before)
            if now is not None:
                self._zone_by_port[unit], self._port_by_zone[now] = now, unit
                put[now] = cookie_of(unit)
        return put, frozenset(left - put.keys())


def unit_flows(model: HostModel, unit: Unit) -> Iterable[AnyFlow]:
    """What one unit needs on the switch; nothing while its data is incomplete."""
    cookie = cookie_of(unit)
    match unit.kind:
        case UnitKind.NEIGHBOUR:  # first, for there are thousands
            return _neighbour_flows(model, unit, cookie)
        case UnitKind.HOST:
            return _host_flows(model, cookie)
        case UnitKind.PORT:
            return _port_flows(model, unit, cookie)
        case UnitKind.NETWORK:
            return _network_flows(model, unit, cookie)
        case UnitKind.SUBNET:
            return _subnet_flows(model, unit, cookie)
        case UnitKind.SHARED:
            return _shared_flows(model, unit, cookie)
        case UnitKind.HOLDER:
            return _holder_flows(model, unit, cookie)
        case UnitKind.ROUTER:
            return _router_flows(model, unit, cookie)
        case UnitKind.FLOATING:
            return _floating_flows(model, unit, cookie)
        case UnitKind.OUTSIDE:
            return _outside_flows(model, unit, cookie)
        case UnitKind.METERING:
            return metering.label(model.metering.rules_of(unit.id), cookie)
        case UnitKind.ACL:
            return _acl_flows(model, unit, cookie)
        case UnitKind.GRANT:
            grant = model.grants.get(unit.id)
            return security_rules.grant(model.firewall, grant, cookie) if grant else ()
        case UnitKind.REMOTE:
            return security_rules.prefix(model.firewall, prefix_of(unit), cookie)
        case UnitKind.SERVICE:
            offer = model.services.get(unit.id)
            return security_rules.service(model.firewall, *offer, cookie) if offer else ()


def _host_flows(model: HostModel, cookie: int) -> Iterator[Flow]:
    for stage in p.STAGES:
        miss = apply(goto=p.STAGE_BY_NAME[stage.miss].table) if stage.miss else DROP
        yield Flow(stage.table, p.PRIORITY_MISS, match(), miss, cookie)
    yield from classify.host(cookie)
    yield from anti_spoof.host(cookie)
    yield from guards.host(cookie)
    yield from arp.host(cookie)
    yield from nd.host(cookie)
    yield from acl.host(cookie)
    yield from firewall.host(cookie)
    yield from l2.host(model.tunnel, cookie)
    yield from routing.host(cookie)
    yield from outside.host(cookie)
    yield from scopes.host(cookie)
    yield from seeking.host(cookie)


def _port_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    wired = model.wired(unit.id)
    if wired is not None:
        subnets = model.subnets_of(wired.port)
        yield from anti_spoof.port(wired, cookie)
        yield from arp.port(wired, cookie)
        yield from nd.port(wired, cookie)
        yield from dhcp4.port(wired, subnets, cookie)
        yield from dhcp6.port(wired, subnets, cookie)
        yield from ra.port(wired, subnets, cookie)
        yield from services.port(wired, cookie)
        yield from firewall.port(wired, model.firewall, cookie)
        yield from security_rules.port(wired, model.firewall, cookie)
        yield from decision_log.port(wired, model.monitoring.wanted_of(wired.port), cookie)
        neighbour = model.neighbours.get(wired.network.id, {}).get(unit.id)
        yield from l2.port(wired, _hosts_of(model, neighbour), cookie)
        yield multicast.port(wired, cookie)
        yield from local_ips.port(wired, model.local_ips.zone_of(unit.id), cookie)
        for virtual in model.local_ips.answered(wired.port):
            yield from arp.local(wired, virtual, cookie)
        yield from physical.port(wired, cookie)
        prefixes = model.shared.prefixes(wired.network.id)
        yield from shared_addresses.port(wired, prefixes, cookie)
        yield from routing.port(wired, model.routing.is_routed(wired.network.id), cookie)
        if model.lazy:
            yield from seeking.port(wired, cookie)
        policy = model.qos.policy_of(wired.port, wired.network)
        if policy is not None:
            yield from qos.port(wired, policy, model.qos.slot(wired.port.id), cookie)
        yield from classify.port(wired, cookie)


def _network_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    network = model.networks.get(unit.id)
    if network is None or not network.admin_state_up:
        return
    uplink, numbers = model.exits.uplink_of(network), model.wired_numbers(unit.id)
    is_used = bool(numbers)
    if is_used:
        yield arp.network(network, cookie)
        yield nd.network(network, cookie)
        endpoints = model.remote_endpoints(unit.id)
        yield from multicast.network(network, numbers, endpoints, uplink is not None, cookie)
    if model.tunnel is not None and (uplink or is_used):
        yield from classify.network(network, model.tunnel, cookie)
    if network.lazy:
        yield from seeking.network(network, model.tunnel, cookie)
    if uplink is not None:
        yield from outside.network(network, uplink, cookie)
        yield from physical.network(network, uplink, cookie)
        if any(model.exits.outside.routers_to(unit.id)):
            yield from outside.wanted(network, uplink, cookie)


def _subnet_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    network = model.networks.get(unit.network_id)
    subnet = model.subnets.get(unit.network_id, {}).get(unit.id)
    if network is not None and subnet is not None:
        yield from arp.subnet(network, subnet, cookie)


def _acl_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    network = model.networks.get(unit.network_id)
    subnet = model.subnets.get(unit.network_id, {}).get(unit.id)
    rules = model.acls.rules_of((unit.network_id, unit.id))
    if network is not None and subnet is not None and rules is not None:
        yield from acl.subnet(network, subnet, rules, cookie)


def _hosts_of(model: HostModel, neighbour: Neighbour | None) -> tuple[Address, ...]:
    """The other hosts that get what this host sends to a port."""
    if neighbour is None:
        return ()
    return endpoints_of(neighbour, model.ports.get(neighbour.port_id), model.own_endpoint)


def _neighbour_flows(model: HostModel, unit: Unit, cookie: int) -> Iterable[AnyFlow]:
    network = model.networks.get(unit.network_id)
    neighbour = model.neighbours.get(unit.network_id, {}).get(unit.id)
    if network is None or neighbour is None:
        return ()
    flows: list[AnyFlow] = [*arp.neighbour(network, neighbour, cookie)]
    flows += nd.neighbour(network, neighbour, cookie)
    endpoints = _hosts_of(model, neighbour)
    if endpoints:
        by_uplink = len(endpoints) == 1 and model.exits.joins(network, endpoints[0])
        flows += l2.neighbour(network, neighbour, endpoints, cookie, by_uplink=by_uplink)
    elif unit.id in model.ports_by_network.get(unit.network_id, ()):
        flows += l2.held_back(network, neighbour, cookie)
    if model.routing.is_routed(unit.network_id):
        flows += routing.neighbour(network, neighbour, cookie)
    return flows


def _shared_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    network, tunnel = model.networks.get(unit.id), model.tunnel
    if network is not None and tunnel is not None:
        prefixes = model.shared.prefixes(unit.id)
        is_routed = model.routing.is_routed(unit.id)
        yield from shared_addresses.network(network, prefixes, tunnel, is_routed, cookie)


def _holder_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    """Who has a shared address is a neighbour with one address more, and perhaps another MAC."""
    network, wanted = model.networks.get(unit.network_id), address(unit.id)
    found = model.shared.holder(unit.network_id, wanted)
    if network is None or found is None:
        return
    neighbour, holder = found
    as_it_is = neighbour._replace(mac=holder.mac, addresses=(wanted,))
    yield from arp.neighbour(network, as_it_is, cookie)
    yield from nd.neighbour(network, as_it_is, cookie)
    if model.routing.is_routed(network.id):
        yield from routing.neighbour(network, as_it_is, cookie)
    is_here = neighbour.port_id in model.ports_by_network.get(network.id, ())
    if is_here and network.physical_network:
        yield from physical.asked(network, [wanted], holder.mac, cookie)
    if holder.mac == neighbour.mac:
        return
    endpoints, wired = _hosts_of(model, neighbour), model.wired(neighbour.port_id)
    yield from l2.neighbour(network, as_it_is, endpoints, cookie)
    if wired is not None:
        yield from l2.reached_by(wired, holder.mac, endpoints, cookie)


def _router_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    view = model.router(unit.id)
    if view is None:
        return
    for leg in view.legs:
        yield from arp.router(leg, cookie)
        yield from nd.router(leg, cookie)
        yield from physical.leg(leg, cookie)
    yield from routing.router(view, cookie)
    yield from outside.router(view, cookie)
    yield from scopes.router(view, cookie)
    yield from metering.router(view, cookie)
    yield from limits.flows(limits_at(model, unit), cookie)
    for exit_ in (each for each in view.exits if each.is_here):
        network, mac = exit_.network, exit_.mac
        yield from arp.outside(network, exit_.addresses(4), mac, cookie)
        own6 = [*exit_.addresses(6), *exit_.proxied]
        yield from nd.outside(network, own6, mac, cookie)
        yield from physical.asked(network, [*exit_.addresses(4), *own6], mac, cookie)


def _floating_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    found = model.home(unit)
    if found is None:
        return
    view, home = found
    yield from outside.floating(view, home, cookie)
    yield from limits.flows(limits_at(model, unit), cookie)
    if home.is_here:
        address, mac = home.floating.address, home.floating.mac
        yield from arp.outside(home.exit.network, [address], mac, cookie)
        yield from physical.asked(home.exit.network, [address], mac, cookie)


def _outside_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    network = model.networks.get(unit.network_id)
    found = address(unit.id)
    mac = model.exits.outside.resolved.get(unit.network_id, {}).get(found)
    if network is not None and mac is not None:
        yield outside.resolved(network, found, mac, cookie)
