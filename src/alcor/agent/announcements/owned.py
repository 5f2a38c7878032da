"""What this host answers for on physical networks: machines there, routers, floating IPs. Pure."""

from collections.abc import Iterator

from alcor.agent.announcements.herald import Owned
from alcor.agent.model.model import HostModel


def owned_outside(model: HostModel) -> set[Owned]:
    """Addresses with the networks outside that they are of, and their MACs."""
    return {*_of_routers(model), *_of_ports(model)}


def _of_routers(model: HostModel) -> Iterator[Owned]:
    for router_id in model.routing.ids():
        view = model.router(router_id)
        if view is None:
            continue
        for exit_ in view.exits:
            for address in (*exit_.addresses(4), *exit_.addresses(6), *exit_.proxied):
                if exit_.is_here:
                    yield Owned(exit_.network.id, address, exit_.mac)
        for each in model.exits.outside.floating.get(router_id, {}).values():
            way = view.exit_to(each.network_id)
            if way is not None and model.exits.is_home(each, way):
                yield Owned(each.network_id, each.address, each.mac)


def _of_ports(model: HostModel) -> Iterator[Owned]:
    for network in model.networks.values():
        if model.exits.uplink_of(network) is None:
            continue
        for wired in map(model.wired, model.ports_by_network.get(network.id, ())):
            if wired is not None:
                for fixed in wired.port.fixed_ips:
                    yield Owned(network.id, fixed.address, wired.port.mac)
