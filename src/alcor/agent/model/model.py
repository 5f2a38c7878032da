"""What the agent knows of its host: goal entries, interfaces on the switch, the tunnel.

Pure: no clock, no await, no I/O. Every change names the units whose flows must be made again; a
unit is the smallest thing that flows are made for.
"""

from alcor.agent.model.affected import HostUnits, acl_units
from alcor.agent.model.holding import discard, put_nested
from alcor.agent.model.moves import is_moved
from alcor.agent.model.networks.finds import WHOLE
from alcor.agent.model.ports.monitoring import NO_PORTS
from alcor.agent.model.ports.wired import Interface as Interface
from alcor.agent.model.ports.wired import Tunnel as Tunnel
from alcor.agent.model.ports.wired import Wired as Wired
from alcor.agent.model.unit import HOST_UNIT as HOST_UNIT  # who has the model has its units
from alcor.agent.model.unit import Unit as Unit
from alcor.agent.model.unit import UnitKind as UnitKind
from alcor.goal_state.entries import (
    AclLog,
    AclRule,
    Addresses,
    Attachment,
    FloatingIp,
    Forwarding,
    Found,
    FoundName,
    Gateway,
    GoalEntry,
    Group,
    GroupLog,
    Member,
    MeteringRule,
    Mirror,
    Name,
    NdpProxy,
    Neighbour,
    Network,
    Port,
    PortLog,
    Presence,
    QosPolicy,
    Router,
    RouterInterface,
    Rule,
    Subnet,
    SubnetAcl,
    Tap,
    TapFlow,
    UplinkNode,
    WayOut,
)

_NEIGHBOUR = UnitKind.NEIGHBOUR  # looked up by name it takes its time, and there are thousands


class HostModel(HostUnits):
    """A host's values, by key; every change of them answers the units that it affects."""

    def __init__(self) -> None:
        super().__init__()
        self._stamps = 0  # ever

    def put(self, entry: GoalEntry) -> set[Unit]:
        """Hold an entry in place of what its key held before."""
        return self._take(entry, True)

    def remove(self, entry: GoalEntry) -> set[Unit]:
        """Forget what the key of `entry` holds."""
        return self._take(entry, False)

    def _take(self, entry: GoalEntry, is_there: bool) -> set[Unit]:
        match entry:
            case Neighbour():  # first, for there are thousands
                return self._take_neighbour(WHOLE, entry, is_there)
            case Found(what, neighbour):
                return self._take_neighbour(what, neighbour, is_there)
            case Presence():
                return self.reach.tell(entry, is_there)
            case Port():
                return self._put_port(entry.id, entry if is_there else None)
            case Network():
                return self._put_network(entry.id, entry if is_there else None)
            case Subnet():
                return self._put_subnet(entry.network_id, entry.id, entry if is_there else None)
            case Name():
                return self._put_name(entry.port_id, entry, is_there)
            case FoundName(what, name):
                return self._put_name(f"{what}/{name.port_id}", name, is_there)
            case Router():
                return self._put_router(entry.id, entry if is_there else None)
            case RouterInterface():
                routing = self.routing
                take = routing.put_interface if is_there else routing.take_interface
                return self._units_of_interface(entry, take(entry))
            case Gateway() | FloatingIp() | NdpProxy() | Forwarding() | UplinkNode():
                return self.exits.put(entry, is_there) | self._displaced_by(entry)
            case Attachment() | WayOut():
                return set()  # it only leads to the router
            case Group() | Rule() | Member() | Addresses():
                firewall = self.firewall
                return self._units_touched((firewall.put if is_there else firewall.remove)(entry))
            case SubnetAcl() | AclRule():
                return acl_units((self.acls.put if is_there else self.acls.remove)(entry))
            case QosPolicy():
                self.qos.put(entry.id, entry if is_there else None)
                return self._units_of_policy(entry.id)
            case MeteringRule():
                metering = self.metering
                return self._units_metered((metering.put if is_there else metering.remove)(entry))
            case PortLog() | GroupLog() | Mirror():
                put = self.monitoring.put if is_there else self.monitoring.remove
                return put(entry, self.ports_by_group)
            case AclLog():
                self.monitoring.put_acl_log(entry, is_there=is_there)
                return acl_units(self.acls.subnets_of(entry.acl_id))
            case Tap() | TapFlow():
                return self.tapping.put(entry, is_there=is_there)

    def set_interface(self, port_id: str, interface: Interface | None) -> set[Unit]:
        """The interface that is this port on the switch; None: there is none."""
        before = self.interfaces.get(port_id)
        if before == interface:
            return set()
        heard, units = {port_id, *self.sub_ports.of(port_id)}, set[Unit]()
        if before is not None and self.port_by_ofport.get(before.ofport) == port_id:
            del self.port_by_ofport[before.ofport]
        if interface is None:
            del self.interfaces[port_id]
        else:
            self.interfaces[port_id] = interface
            if interface.ofport > 0:
                self.port_by_ofport[interface.ofport] = port_id
                heard.add(self.sub_ports.give_way(interface.ofport))
                heard.add(self.local_ips.give_way(interface.ofport))
                units |= self.exits.give_way(interface.ofport)
        self._assign_slot(port_id)
        ports = (self.ports[each] for each in heard if each in self.ports)
        return units.union(*map(self._units_of_port, ports))

    def set_tunnel(self, tunnel: Tunnel | None) -> set[Unit]:
        """This host's tunnel port; None: there is none (yet)."""
        before, self.tunnel = self.tunnel, tunnel
        if before == tunnel:
            return set()
        units = {HOST_UNIT} | {Unit(UnitKind.NETWORK, each) for each in self.networks}
        units |= self.monitoring.set_ports(tunnel.copies if tunnel else NO_PORTS)
        units |= self.tapping.units()
        units |= self.exits.set_here(self.own_endpoint)
        if self.own_endpoint != (before.endpoint if before else None):
            for network_id in self.neighbours:
                units |= self._neighbour_units(network_id)
            units |= {Unit(UnitKind.PORT, each.id) for each in self.ports.values() if each.waits}
        for network_id in self.shared.networks():
            units |= self.shared.units_of(network_id)
        return units

    def set_datapath_type(self, datapath_type: str) -> set[Unit]:
        """What the bridge's packets are carried by: `system` is the kernel."""
        before, self.nd_by_flows = self.nd_by_flows, datapath_type != "system"
        if before == self.nd_by_flows:
            return set()
        ports = {Unit(UnitKind.PORT, each) for each in self.ports}
        return {HOST_UNIT} | ports | {Unit(UnitKind.NETWORK, each) for each in self.networks}

    def _put_port(self, port_id: str, port: Port | None) -> set[Unit]:
        before = self.ports.pop(port_id, None)
        self.sub_ports.change(before, port)
        self.local_ips.change(before, port)
        units: set[Unit] = set()
        if before is not None:
            units |= self._units_of_port(before)
            self._leave(before)
        if port is not None:
            self.ports[port_id] = port
            self.ports_by_network.setdefault(port.network_id, set()).add(port_id)
            for group_id in port.security_groups:
                self.ports_by_group.setdefault(group_id, set()).add(port_id)
            units |= self._units_of_port(port)
        self._assign_slot(port_id)
        return units

    def _assign_slot(self, port_id: str) -> None:
        """Keep the meters of what has a number, and of nothing else."""
        port, interface = self.ports.get(port_id), self.interfaces.get(port_id)
        if port is not None and port.parent_id:
            self.qos.assign(port_id, self.sub_ports.number_of(port_id))
        else:
            plugged = interface is not None and interface.ofport > 0
            self.qos.assign(port_id, interface.ofport if interface and plugged else None)

    def _leave(self, port: Port) -> None:
        discard(self.ports_by_network, port.network_id, port.id)
        for group_id in set(port.security_groups):
            discard(self.ports_by_group, group_id, port.id)

    def _put_network(self, network_id: str, network: Network | None) -> set[Unit]:
        before = self.networks.get(network_id)
        if network is None:
            self.networks.pop(network_id, None)
        else:
            self.networks[network_id] = network
        self.exits.network_has_changed(network_id, before)
        was_any = bool(self.lazy)
        (self.lazy.add if network and network.lazy else self.lazy.discard)(network_id)
        every = self.ports if bool(self.lazy) != was_any else ()  # all look for neighbours now
        self._stamp(network_id)
        own = self.ports_by_network.get(network_id, ())
        ports = {Unit(UnitKind.PORT, each) for each in (*own, *every)}
        ports.update(*(self.tapping.units_to(each) for each in own))
        # Every flow of the network says its VNI.
        return (
            {Unit(UnitKind.NETWORK, network_id)}
            | ports
            | self._subnet_units(network_id)
            | self._neighbour_units(network_id)
            | self.shared.units_of(network_id)
            | self._router_units(network_id)
            | self.exits.units_of_network(network_id)
        )

    def _put_subnet(self, network_id: str, subnet_id: str, subnet: Subnet | None) -> set[Unit]:
        put_nested(self.subnets, network_id, subnet_id, subnet)
        self._stamp(network_id)
        ports = {
            Unit(UnitKind.PORT, port_id)
            for port_id in self.ports_by_network.get(network_id, ())
            if any(fixed.subnet_id == subnet_id for fixed in self.ports[port_id].fixed_ips)
        }
        routers = self._router_units(network_id) | self.exits.units_of_network(network_id)
        own = {Unit(kind, subnet_id, network_id) for kind in (UnitKind.SUBNET, UnitKind.ACL)}
        return own | ports | routers

    def _put_name(self, held_by: str, name: Name, is_there: bool) -> set[Unit]:
        """`held_by`: its port, after what it was found by, if it was looked for."""
        put_nested(self.names, name.network_id, held_by, name if is_there else None)
        self._stamp(name.network_id)
        return set()  # the agent answers for names; no flow is made of them

    def _stamp(self, network_id: str) -> None:
        self._stamps += 1
        if network_id in self.networks:
            self.stamp_by_network[network_id] = self._stamps
        else:
            self.stamp_by_network.pop(network_id, None)

    def _put_neighbour(
        self, network_id: str, port_id: str, neighbour: Neighbour | None
    ) -> set[Unit]:
        before = self.neighbours.get(network_id, {}).get(port_id)
        put_nested(self.neighbours, network_id, port_id, neighbour)
        self.shared.change(network_id)
        self._stamp(network_id)
        units = self.exits.units_of_port(port_id)
        units.add(Unit(_NEIGHBOUR, port_id, network_id))
        if self.reach.change(network_id, before, neighbour):
            units.add(Unit(UnitKind.NETWORK, network_id))
        if is_moved(self.ports.get(port_id), before, neighbour):
            units.add(Unit(UnitKind.PORT, port_id))
        if neighbour is not None:
            addresses, mac = neighbour.addresses, neighbour.mac
            units |= self.shared.displace(network_id, port_id, addresses, mac)
        had, has = (each.pairs if each is not None else () for each in (before, neighbour))
        if had or has:
            asked = self.shared.prefixes(network_id)
            units |= self.shared.note(network_id, port_id, had, has)
            if self.shared.prefixes(network_id) != asked:
                ports = self.ports_by_network.get(network_id, ())
                units.update(Unit(UnitKind.PORT, each) for each in ports)
        return units

    def _take_neighbour(self, known_by: str, found: Neighbour, is_there: bool) -> set[Unit]:
        network_id, port_id = found.network_id, found.port_id
        if is_there:
            is_held = port_id in self.neighbours.get(network_id, ())
            self.finds.put(port_id, known_by, is_held=is_held)
            return self._put_neighbour(network_id, port_id, found)
        if not self.finds.take(port_id, known_by):
            return set()
        return self._put_neighbour(network_id, port_id, None)

    def _put_router(self, router_id: str, router: Router | None) -> set[Unit]:
        self.routing.put_router(router_id, router)
        self.qos.assign_id(router_id, router is not None and bool(router.qos_policy_id))
        return self.exits.units_of_router(router_id)

    def _displaced_by(self, outside: GoalEntry) -> set[Unit]:
        """Who had what is a router's outside."""
        match outside:
            case Gateway():
                addresses = [each.address for each in outside.fixed_ips]
            case FloatingIp():
                addresses = [outside.address]
            case _:
                return set()
        return self.shared.displace(outside.network_id, "", addresses, outside.mac)

    def _units_of_interface(
        self, interface: RouterInterface, before: RouterInterface | None
    ) -> set[Unit]:
        """What changes with an interface that has been put or taken in place of `before`."""
        units = self.exits.units_of_router(interface.router_id)
        for network_id in {each.network_id for each in (interface, before) if each is not None}:
            ports = self.ports_by_network.get(network_id, ())
            units.update(Unit(UnitKind.PORT, each) for each in ports)
            own = (each.address for each in interface.fixed_ips)
            units |= self.shared.displace(network_id, "", own, interface.mac)
            units |= self.shared.units_of(network_id)
            self._stamp(network_id)  # it has the names of the router's floating IPs
            units |= self._neighbour_units(network_id)  # routed to only while there is a router
        return units
