"""From the model to flows, incrementally: units that changed are made again, nothing else.

Pure. Law: after any sequence of changes the flows equal those made from nothing. When two units
make one key (table, priority, match), the first of them in the order of units wins, whatever came
first in time.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from alcor.agent import pipeline as p
from alcor.agent.features import (
    acl,
    anti_spoof,
    arp,
    classify,
    dhcp4,
    dhcp6,
    firewall,
    guards,
    l2,
    nd,
    outside,
    ra,
    routing,
    security_rules,
    services,
)
from alcor.agent.meter import Meter, of_outside
from alcor.agent.model import HostModel, Unit, UnitKind
from alcor.ovs.flow import DROP, Flow, Match, apply, match
from alcor.values.addresses import address

OWNER = 0xA1  # the first byte of every cookie: a flow of ours
OWNER_COOKIE = OWNER << 56
OWNER_MASK = 0xFF << 56

FlowKey = tuple[int, int, Match]  # table, priority, match


class UnitChange(NamedTuple):
    """What a unit's change means for the switch: flows to put, flows to take away."""

    unit: Unit
    puts: tuple[Flow, ...]
    takes: tuple[Flow, ...]


class Change(NamedTuple):
    """The difference of one pass; meters are put before flows and taken away after them.

    A zone is the ofport of a port, its owner the cookie of the port's flows.
    """

    units: tuple[UnitChange, ...]
    meters_put: tuple[Meter, ...]
    meters_taken: tuple[int, ...]
    zones_put: Mapping[int, int]  # owner by zone
    zones_taken: frozenset[int]

    @property
    def flows(self) -> int:
        """How many flows it puts and takes away."""
        return sum(len(each.puts) + len(each.takes) for each in self.units)


class Compiler:
    """Holds the flows of every unit, and who owns each key."""

    def __init__(self, model: HostModel) -> None:
        self._model = model
        self._flows_by_unit: dict[Unit, dict[FlowKey, Flow]] = {}
        self._claims: dict[FlowKey, list[Unit]] = {}  # sorted; the first one's flow counts
        self._meters: dict[int, Meter] = {}
        self._meter_by_unit: dict[Unit, tuple[Meter, ...]] = {}
        self._zone_by_port: dict[Unit, int] = {}
        self._port_by_zone: dict[int, Unit] = {}

    def update(self, units: Iterable[Unit]) -> Change:
        """Make the flows of these units again; what comes out is only what differs."""
        before: dict[FlowKey, tuple[Unit, Flow] | None] = {}
        ordered = sorted(units)
        for unit in ordered:
            self._replace(unit, before)
        meters_put, meters_taken = self._update_meters(ordered)
        zones = self._update_zones(ordered)
        return Change(self._difference(before), meters_put, meters_taken, *zones)

    def recompute(self) -> Change:
        """Make everything again; changes nothing when the law above holds."""
        return self.update({*self._model.units(), *self._flows_by_unit})

    @property
    def meters(self) -> Mapping[int, Meter]:
        """Every meter that a flow may name."""
        return self._meters

    def flows(self) -> Iterator[tuple[Unit, Flow]]:
        """Every flow that counts, with the unit that owns it."""
        for key, claims in self._claims.items():
            yield claims[0], self._flows_by_unit[claims[0]][key]

    def flows_of(self, unit: Unit) -> tuple[Flow, ...]:
        """The flows that this unit owns."""
        held = self._flows_by_unit.get(unit, {})
        return tuple(flow for key, flow in held.items() if self._claims[key][0] == unit)

    def _replace(self, unit: Unit, before: dict[FlowKey, tuple[Unit, Flow] | None]) -> None:
        old = self._flows_by_unit.get(unit, {})
        new = {flow[:3]: flow for flow in unit_flows(self._model, unit)}
        for key, flow in old.items():
            if new.get(key) != flow:
                self._remember(key, before)
            if key not in new:
                self._disclaim(key, unit)
        for key in new:
            if key not in old:
                self._remember(key, before)
                self._claim(key, unit)
        if new:
            self._flows_by_unit[unit] = new
        else:
            self._flows_by_unit.pop(unit, None)

    def _remember(self, key: FlowKey, before: dict[FlowKey, tuple[Unit, Flow] | None]) -> None:
        if key not in before:
            claims = self._claims.get(key)
            before[key] = (claims[0], self._flows_by_unit[claims[0]][key]) if claims else None

    def _claim(self, key: FlowKey, unit: Unit) -> None:
        claims = self._claims.get(key)
        if claims is None:
            self._claims[key] = [unit]
        else:
            claims.append(unit)
            claims.sort()

    def _disclaim(self, key: FlowKey, unit: Unit) -> None:
        claims = self._claims[key]
        claims.remove(unit)
        if not claims:
            del self._claims[key]

    def _difference(
        self, before: Mapping[FlowKey, tuple[Unit, Flow] | None]
    ) -> tuple[UnitChange, ...]:
        puts: dict[Unit, list[Flow]] = {}
        takes: dict[Unit, list[Flow]] = {}
        for key, was in before.items():
            claims = self._claims.get(key)
            if claims:
                flow = self._flows_by_unit[claims[0]][key]
                if was is None or was[1] != flow:
                    puts.setdefault(claims[0], []).append(flow)
            elif was is not None:
                takes.setdefault(was[0], []).append(was[1])
        # What is put comes first: nothing is without its flow while it moves from unit to unit.
        order = sorted(puts) + sorted(takes.keys() - puts.keys())
        return tuple(
            UnitChange(unit, tuple(puts.get(unit, ())), tuple(takes.get(unit, ())))
            for unit in order
        )

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
            before, now = self._zone_by_port.pop(unit, None), wired.ofport if wired else None
            if before is not None and before != now and self._port_by_zone[before] == unit:
                del self._port_by_zone[before]
                left.add(before)
            if now is not None:
                self._zone_by_port[unit], self._port_by_zone[now] = now, unit
                put[now] = cookie_of(unit)
        return put, frozenset(left - put.keys())


def compile_all(model: HostModel) -> dict[FlowKey, Flow]:
    """The flows of a model, from nothing."""
    compiler = Compiler(model)
    compiler.update(set(model.units()))
    return {flow[:3]: flow for _, flow in compiler.flows()}


def cookie_of(unit: Unit) -> int:
    """The cookie of a unit's flows: owner, kind, and a hash that is the same on every start."""
    name = f"{unit.network_id}/{unit.id}".encode()
    digest = int.from_bytes(blake2b(name, digest_size=6).digest(), "big")
    return OWNER_COOKIE | unit.kind << 48 | digest


def unit_flows(model: HostModel, unit: Unit) -> Iterable[Flow]:
    """What one unit needs on the switch; nothing while its data is incomplete."""
    cookie = cookie_of(unit)
    match unit.kind:
        case UnitKind.HOST:
            return _host_flows(model, cookie)
        case UnitKind.PORT:
            return _port_flows(model, unit, cookie)
        case UnitKind.NETWORK:
            return _network_flows(model, unit, cookie)
        case UnitKind.SUBNET:
            return _subnet_flows(model, unit, cookie)
        case UnitKind.NEIGHBOUR:
            return _neighbour_flows(model, unit, cookie)
        case UnitKind.ROUTER:
            return _router_flows(model, unit, cookie)
        case UnitKind.FLOATING:
            return _floating_flows(model, unit, cookie)
        case UnitKind.OUTSIDE:
            return _outside_flows(model, unit, cookie)
        case UnitKind.ACL:
            return _acl_flows(model, unit, cookie)
        case UnitKind.GRANT:
            grant = model.grants.get(unit.id)
            return security_rules.grant(model.firewall, grant, cookie) if grant else ()
        case UnitKind.REMOTE:
            return security_rules.prefix(model.firewall, model.prefix_of(unit), cookie)
        case UnitKind.SERVICE:
            offer = model.services.get(unit.id)
            return security_rules.service(model.firewall, *offer, cookie) if offer else ()


def unit_meters(model: HostModel, unit: Unit) -> Iterator[Meter]:
    """The meters that a unit's flows name."""
    wired = model.wired(unit.id) if unit.kind is UnitKind.PORT else None
    if wired is not None:
        subnets = model.subnets_of(wired.port)
        yield from dhcp4.meters(wired, subnets)
        yield from dhcp6.meters(wired, subnets)
        yield from ra.meters(wired, subnets)
        yield from services.meters(wired)
        yield from routing.meters(wired, model.routing.is_routed(wired.network.id))
    network = model.networks.get(unit.id) if unit.kind is UnitKind.NETWORK else None
    is_up = network is not None and network.admin_state_up
    uplink = model.exits.uplink_of(network) if network is not None and is_up else None
    if uplink is not None:
        yield of_outside(uplink)


def _host_flows(model: HostModel, cookie: int) -> Iterator[Flow]:
    for stage in p.STAGES:
        miss = apply(goto=p.STAGE_BY_NAME[stage.miss].table) if stage.miss else DROP
        yield Flow(stage.table, p.PRIORITY_MISS, match(), miss, cookie)
    yield from anti_spoof.host(cookie)
    yield from guards.host(cookie)
    yield from arp.host(cookie)
    yield from nd.host(cookie)
    yield from acl.host(cookie)
    yield from firewall.host(cookie)
    yield from l2.host(model.tunnel, cookie)
    yield from routing.host(cookie)
    yield from outside.host(cookie)


def _port_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
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
        yield from l2.port(wired, cookie)
        yield from routing.port(wired, model.routing.is_routed(wired.network.id), cookie)
        yield from classify.port(wired, cookie)


def _network_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    network = model.networks.get(unit.id)
    if network is None or not network.admin_state_up:
        return
    uplink, is_used = model.exits.uplink_of(network), model.has_wired_port(unit.id)
    if is_used:
        yield from arp.network(network, cookie)
        yield from nd.network(network, cookie)
    if model.tunnel is not None and (uplink or is_used):
        yield from classify.network(network, model.tunnel, cookie)
    if uplink is not None:
        yield from outside.network(network, uplink, cookie)


def _subnet_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
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


def _neighbour_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    network = model.networks.get(unit.network_id)
    neighbour = model.neighbours.get(unit.network_id, {}).get(unit.id)
    if network is None or neighbour is None:
        return
    yield from arp.neighbour(network, neighbour, cookie)
    yield from nd.neighbour(network, neighbour, cookie)
    is_bound_here = unit.id in model.ports_by_network.get(unit.network_id, ())
    is_local = is_bound_here or neighbour.tunnel_endpoint == model.own_endpoint
    if not is_local:
        yield from l2.neighbour(network, neighbour, cookie)
    if model.routing.is_routed(network.id):
        yield from routing.neighbour(network, neighbour, cookie)


def _router_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    view = model.router(unit.id)
    if view is None:
        return
    for leg in view.legs:
        yield from arp.router(leg, cookie)
        yield from nd.router(leg, cookie)
    yield from routing.router(view, cookie)
    yield from outside.router(view, cookie)
    if view.exit is not None and view.exit.is_here:
        here = (view.exit.network, view.exit.mac)
        yield from arp.outside(here[0], view.exit.addresses(4), here[1], cookie)
        yield from nd.outside(here[0], view.exit.addresses(6), here[1], cookie)


def _floating_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    found = model.home(unit)
    if found is None:
        return
    view, home = found
    yield from outside.floating(view, home, cookie)
    if home.is_here:
        address, mac = home.floating.address, home.floating.mac
        yield from arp.outside(home.exit.network, [address], mac, cookie)


def _outside_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    network = model.networks.get(unit.network_id)
    found = address(unit.id)
    mac = model.exits.outside.resolved.get(unit.network_id, {}).get(found)
    if network is not None and mac is not None:
        yield from outside.resolved(network, found, mac, cookie)
