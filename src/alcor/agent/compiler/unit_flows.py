"""The flows of each kind of unit: what the features make of the model. Pure.

Here the features meet; `compiler.py` keeps what they make.
"""

from collections.abc import Iterable, Iterator

from alcor.agent.compiler.meters import limits_at
from alcor.agent.features.answers import arp, configuration, nd, seeking, services, shared_addresses
from alcor.agent.features.filters import acl, decision_log, firewall, security_rules
from alcor.agent.features.networks import l2, local_ips, multicast, physical
from alcor.agent.features.ports import anti_spoof, classify, guards, qos
from alcor.agent.features.routers import limits, metering, outside, routing, scopes
from alcor.agent.model.model import HostModel, Unit, UnitKind
from alcor.agent.model.moves import endpoints_of
from alcor.agent.model.ports.meter import of_faults, of_outside
from alcor.agent.model.unit import prefix_of
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import cookie_of
from alcor.agent.shapes.shape import AnyFlow
from alcor.goal_state.entries import Neighbour
from alcor.ovs.flow import DROP, Flow, apply, match
from alcor.values.addresses import Address, address


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
    yield from nd.host(cookie, finished_by_flows=model.nd_by_flows)
    yield from services.host(cookie)
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
        if not model.nd_by_flows:
            yield from nd.unfinished(wired, cookie)
        yield from configuration.port(wired, subnets, cookie)
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
            slot = model.qos.slot(wired.port.id)
            queue = model.qos.queue(wired.port.id, policy, wired.network)
            yield from qos.port(wired, policy, slot, queue, cookie)
        yield from classify.port(wired, cookie)
        yield from classify.tap(wired, model.tunnel, cookie)


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
        yield from physical.asking(network, cookie)
        if network.physical_network and model.tunnel is not None:
            yield from physical.told(network, model.tunnel, cookie)
    if model.tunnel is not None and (uplink or is_used):
        yield from classify.network(network, model.tunnel, cookie)
    if network.lazy:
        yield from seeking.network(network, model.tunnel, cookie)
    if uplink is not None:
        yield from outside.network(network, uplink, cookie)
        if not model.nd_by_flows:
            yield from nd.unfinished_outside(network, uplink, cookie)
        yield from physical.network(network, uplink, cookie)
        if any(model.exits.outside.routers_to(unit.id)):
            yield from outside.wanted(network, uplink, cookie)


def _subnet_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[AnyFlow]:
    network = model.networks.get(unit.network_id)
    subnet = model.subnets.get(unit.network_id, {}).get(unit.id)
    if network is not None and subnet is not None:
        yield from arp.subnet(network, subnet, cookie)


def _acl_flows(model: HostModel, unit: Unit, cookie: int) -> Iterator[Flow]:
    found = model.filter_of(unit)
    if found is not None:
        yield from acl.filtering(*found, cookie)


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
        if model.shared.asks_last(unit.id):
            yield from seeking.asked_last(network, tunnel, cookie)


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
    for each in sorted(model.ports_by_network.get(network.id, ())):
        speaker = model.wired(each)
        if speaker is not None:
            prefixes = model.shared.prefixes(network.id)
            yield from shared_addresses.holder(speaker, prefixes, wanted, cookie)
    is_here = neighbour.port_id in model.ports_by_network.get(network.id, ())
    wired, uplink = model.wired(neighbour.port_id), model.exits.uplink_of(network)
    if is_here and network.physical_network:
        yield from physical.asked(network, [wanted], holder.mac, cookie)
        yield from physical.answered(network, holder.mac, cookie)
    meter = of_faults(wired.number) if wired else of_outside(uplink) if uplink else None
    if network.physical_network and meter is not None:
        yield from physical.claimed(network, wanted, meter, cookie)
        is_paired = model.shared.has_pair(network.id, wanted, holder)
        if not is_paired and holder.mac != neighbour.mac:
            yield from physical.moved(network, holder.mac, meter, cookie)
    if holder.mac == neighbour.mac:
        return
    endpoints = _hosts_of(model, neighbour)
    by_uplink = len(endpoints) == 1 and model.exits.joins(network, endpoints[0])
    yield from l2.neighbour(network, as_it_is, endpoints, cookie, by_uplink=by_uplink)
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
        uplink = model.exits.uplink_of(network)
        if uplink is not None:
            yield from physical.announced(network, uplink, found, cookie)
