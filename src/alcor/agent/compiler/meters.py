"""Which meters the flows of a unit name. Pure."""

from collections.abc import Iterator

from alcor.agent.features.answers import configuration, nd, seeking, services, shared_addresses
from alcor.agent.features.filters import acl, decision_log
from alcor.agent.features.networks import multicast, physical
from alcor.agent.features.ports import qos
from alcor.agent.features.routers import routing
from alcor.agent.model.model import HostModel
from alcor.agent.model.ports.meter import Meter, of_bfd, of_outside, of_stale
from alcor.agent.model.ports.qos import Limits
from alcor.agent.model.unit import Unit, UnitKind


def unit_meters(model: HostModel, unit: Unit) -> Iterator[Meter]:
    """The meters that a unit's flows name."""
    match unit.kind:
        case UnitKind.PORT:
            yield from _of_port(model, unit.id)
        case UnitKind.NETWORK:
            yield from _of_network(model, unit.id)
        case UnitKind.SHARED:
            shared = model.shared
            is_asked = bool(shared.prefixes(unit.id)) or shared.asks_last(unit.id)
            if unit.id in model.networks and is_asked and model.tunnel is not None:
                yield of_outside(model.tunnel.ofport)
        case UnitKind.ACL:
            found = model.filter_of(unit)
            if found is not None:
                yield from acl.meters(*found, model.monitoring.limit)
        case UnitKind.ROUTER | UnitKind.FLOATING:
            held = limits_at(model, unit)
            if held is not None:
                yield from held.meters()


def limits_at(model: HostModel, unit: Unit) -> Limits | None:
    """What is to be kept here at a router's gateway: under its own address, or a floating IP."""
    if unit.kind is UnitKind.FLOATING:
        found = model.home(unit)
        return found[1].limits if found is not None and found[1].is_here else None
    view = model.router(unit.id)
    return view.exit.limits if view is not None and view.exit and view.exit.is_here else None


def _of_port(model: HostModel, port_id: str) -> Iterator[Meter]:
    wired = model.wired(port_id)
    if wired is None:
        return
    subnets = model.subnets_of(wired.port)
    yield from configuration.meters(wired, subnets)
    yield from services.meters(wired)
    if not model.nd_by_flows:
        yield from nd.unfinished_meters(wired)
    yield from routing.meters(wired, model.routing.is_routed(wired.network.id))
    policy = model.qos.policy_of(wired.port, wired.network)
    if policy is not None:
        yield from qos.meters(policy, model.qos.slot(wired.port.id))
    wanted = model.monitoring.wanted_of(wired.port)
    yield from decision_log.meters(wired, wanted, model.monitoring.limit)
    yield from shared_addresses.meters(wired, model.shared.prefixes(wired.network.id))
    if model.lazy:
        yield from seeking.meters_of_port(wired)


def _of_network(model: HostModel, network_id: str) -> Iterator[Meter]:
    network = model.networks.get(network_id)
    if network is None or not network.admin_state_up:
        return
    uplink = model.exits.uplink_of(network)
    if uplink is not None:
        yield of_outside(uplink)
        if any(model.exits.outside.routers_to(network_id)):
            yield of_stale(uplink)
            yield of_bfd(uplink)
    if network.lazy:
        yield from seeking.meters(model.tunnel)
    if model.has_wired_port(network_id):
        yield from multicast.meters(network)
        if network.physical_network and model.tunnel is not None:
            yield from physical.told_meters(model.tunnel)
