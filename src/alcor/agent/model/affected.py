"""Which units are made of what a host holds. Pure.

A part of `model.py`'s HostModel, which names the units that a change affects.
"""

from collections.abc import Iterable, Iterator, Set

from alcor.agent.model.filters.acls import SubnetKey
from alcor.agent.model.filters.firewall import Touched
from alcor.agent.model.filters.grants import ANYTHING
from alcor.agent.model.holding import remember
from alcor.agent.model.ports.qos import policy_id
from alcor.agent.model.unit import HOST_UNIT, Unit, UnitKind, prefix_id
from alcor.agent.model.view import HostView
from alcor.goal_state.entries import MeteringRule, Port
from alcor.goal_state.slices import EVERYBODY
from alcor.values.addresses import Prefix

_NEIGHBOUR = UnitKind.NEIGHBOUR  # looked up by name it takes its time, and there are thousands


class HostUnits(HostView):
    """The units of what is held: all of them, or those that one thing is about."""

    def units(self) -> Iterator[Unit]:
        """Every unit that there is."""
        yield HOST_UNIT
        for port_id in self.ports:
            yield Unit(UnitKind.PORT, port_id)
        for network_id in self.networks:
            yield Unit(UnitKind.NETWORK, network_id)
        for network_id in self.subnets:
            yield from self._subnet_units(network_id)
        for network_id in self.neighbours:
            yield from self._neighbour_units(network_id)
        for router_id in self.routing.ids():
            yield from self.exits.units_of_router(router_id)
        for network_id in self.exits.outside.resolved:
            yield from self.exits.units_resolved(network_id)
        for network_id in self.shared.networks():
            yield from self.shared.units_of(network_id)
        yield from self._units_touched(self.firewall.everything())
        yield from acl_units(self.acls.subnets())
        yield from self.metering.units()

    def _units_metered(self, rules: list[MeteringRule]) -> set[Unit]:
        """The labels of rules, and the routers that they are about with their floating IPs."""
        units = {Unit(UnitKind.METERING, rule.label_id) for rule in rules}
        owners = {rule.owner for rule in rules}
        for router_id, router in self.routing.routers.items():
            if owners & {router.project_id, EVERYBODY}:
                units |= self.exits.units_of_router(router_id)
        return units

    def _units_touched(self, touched: Touched) -> set[Unit]:
        """The units of what has changed of security groups."""
        ports = (port for group in touched.groups for port in self.ports_by_group.get(group, ()))
        units = {Unit(UnitKind.PORT, port) for port in ports}
        for grant in touched.grants:
            held = self.firewall.holds(grant)
            id_ = remember(self.grants, str(grant), grant if held else None)
            units.add(Unit(UnitKind.GRANT, id_))
        for way, service in touched.services:
            if service == ANYTHING:  # the same match as that of all addresses
                touched.prefixes.add(Prefix(way.version, 0, 0))
                continue
            offered = bool(self.firewall.grants_of_service(way, service))
            thing = (way, service) if offered else None
            units.add(Unit(UnitKind.SERVICE, remember(self.services, f"{way}/{service}", thing)))
        units.update(Unit(UnitKind.REMOTE, prefix_id(each)) for each in touched.prefixes)
        return units

    def _units_of_policy(self, id_: str) -> set[Unit]:
        """The ports, routers and floating IPs that have a QoS policy; ports by networks as well."""
        ports = {
            Unit(UnitKind.PORT, port.id)
            for port in self.ports.values()
            if policy_id(port, self.networks.get(port.network_id)) == id_
        }
        routers = self.routing.routers.values()
        at_gateways = {Unit(UnitKind.ROUTER, r.id) for r in routers if r.qos_policy_id == id_}
        return ports | at_gateways | self.exits.units_of_policy(id_)

    def _router_units(self, network_id: str) -> Set[Unit]:
        return {Unit(UnitKind.ROUTER, each) for each in self.routing.routers_on(network_id)}

    def _units_of_port(self, port: Port) -> set[Unit]:
        units = {
            Unit(UnitKind.PORT, port.id),
            Unit(UnitKind.NETWORK, port.network_id),
            Unit(UnitKind.NEIGHBOUR, port.id, port.network_id),
        }
        units |= self.tapping.units_to(port.id)
        return units | self.shared.units_of(port.network_id)

    def _subnet_units(self, network_id: str) -> Set[Unit]:
        return {
            Unit(kind, each, network_id)
            for each in self.subnets.get(network_id, ())
            for kind in (UnitKind.SUBNET, UnitKind.ACL)
        }

    def _neighbour_units(self, network_id: str) -> Set[Unit]:
        return {Unit(_NEIGHBOUR, each, network_id) for each in self.neighbours.get(network_id, ())}


def acl_units(subnets: Iterable[SubnetKey]) -> set[Unit]:
    """The units of subnets that have an ACL."""
    return {Unit(UnitKind.ACL, subnet_id, network_id) for network_id, subnet_id in subnets}
