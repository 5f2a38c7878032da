"""Intent as a trace reads it: records, found by what is asked about them.

It follows intent as that changes, so a question costs as much as its answer, whatever the region
has.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from alcor.intent.records import (
    TYPE_BY_KIND,
    AddressGroupRecord,
    FloatingIpRecord,
    GroupRecord,
    NetworkAclRecord,
    NetworkAclRuleRecord,
    NetworkRecord,
    NodeRecord,
    PortForwardingRecord,
    PortRecord,
    Record,
    RouterRecord,
    RuleRecord,
    SubnetPoolRecord,
    SubnetRecord,
    key,
)
from alcor.values.addresses import Address, Prefix, address, prefix

R = TypeVar("R", bound=Record)

_GATEWAYS = ("network:router_gateway",)
_INTERFACES = ("network:router_interface", "network:router_interface_distributed")
_KIND_BY_TYPE = {type_: kind for kind, type_ in TYPE_BY_KIND.items()}


class Leg(NamedTuple):
    """Where a router meets a network; the port is one that the router holds."""

    router: RouterRecord
    port: PortRecord
    network: NetworkRecord
    prefixes: tuple[Prefix, ...]
    scope_by_version: Mapping[int, str]  # the address scope of each family that it has subnets of

    def addresses(self, version: int) -> list[Address]:
        """The router's addresses there, of a family."""
        return addresses_of(self.port, version)

    def covers(self, hop: Address) -> bool:
        """Whether the address is of a subnet there."""
        return any(each.covers(hop) for each in self.prefixes)


class _Grouped(Generic[R]):
    """Records by the id of what they belong to."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, R]] = {}

    def add(self, of: str, record: R) -> None:
        self._groups.setdefault(of, {})[record.id] = record

    def remove(self, of: str, record: R) -> None:
        group = self._groups.get(of, {})
        group.pop(record.id, None)  # a record may name twice what it belongs to
        if not group:
            self._groups.pop(of, None)

    def of(self, id_: str) -> list[R]:
        """In order of their ids."""
        group = self._groups.get(id_)
        return [group[each] for each in sorted(group)] if group else []

    def any(self, id_: str) -> Iterator[R]:
        """In no order."""
        return iter(self._groups.get(id_, {}).values())


class _Addresses:
    """Which port has an address on which network: of an address that one network has, and no other,
    the port alone, since a region may have millions."""

    def __init__(self, port: Callable[[str], PortRecord | None]) -> None:
        self._port = port
        self._holders: dict[str, str | dict[str, str]] = {}  # ids: a port's, or by network

    def add(self, port: PortRecord) -> None:
        for fixed in port.fixed_ips:
            held = self._holders.setdefault(fixed.ip_address, port.id)
            if isinstance(held, dict):
                held[port.network_id] = port.id
            elif held != port.id:
                other = self._port(held)
                self._holders[fixed.ip_address] = (
                    port.id
                    if other is None or other.network_id == port.network_id
                    else {other.network_id: other.id, port.network_id: port.id}
                )

    def remove(self, port: PortRecord) -> None:
        for fixed in port.fixed_ips:
            held = self._holders.get(fixed.ip_address)
            if isinstance(held, dict):
                if held.get(port.network_id) == port.id:
                    del held[port.network_id]
                if not held:
                    del self._holders[fixed.ip_address]
            elif held == port.id:
                del self._holders[fixed.ip_address]

    def on(self, network_id: str, wanted: Address) -> PortRecord | None:
        """The port that has the address on the network."""
        held = self._holders.get(str(wanted))
        port = self._port(held.get(network_id, "") if isinstance(held, dict) else held or "")
        return port if port is not None and port.network_id == network_id else None

    def anywhere(self, wanted: Address) -> Iterator[PortRecord]:
        """The ports that have it, whatever their networks."""
        held = self._holders.get(str(wanted), "")
        every = map(self._port, held.values() if isinstance(held, dict) else (held,))
        return (port for port in every if port is not None)


class Region:
    """The records of a region, as they are now."""

    def __init__(self, get: Callable[[str], Record | None]) -> None:
        """`get` finds a held record by its key. Its holder `put`s each one here, and `drop`s it."""
        self._get = get
        self._addresses = _Addresses(lambda id_: self.one(PortRecord, id_))
        self._interfaces = _Grouped[PortRecord]()  # by router
        self._interfaces_on = _Grouped[PortRecord]()  # by network
        self._gateways = _Grouped[PortRecord]()
        self._gateways_on = _Grouped[PortRecord]()
        self._paired = _Grouped[PortRecord]()  # those with address pairs, by security group
        self._subnets = _Grouped[SubnetRecord]()
        self._rules = _Grouped[RuleRecord]()
        self._acls = _Grouped[NetworkAclRecord]()  # by subnet
        self._acl_rules = _Grouped[NetworkAclRuleRecord]()
        self._floating = _Grouped[FloatingIpRecord]()  # by router
        self._floating_on = _Grouped[FloatingIpRecord]()  # by external network and address
        self._forwardings = _Grouped[PortForwardingRecord]()
        self._uplinked = _Grouped[NodeRecord]()  # by physical network

    def put(self, record: Record) -> None:
        """A record has come; `get` may not know it yet."""
        if isinstance(record, PortRecord):
            self._addresses.add(record)
        for grouped, of in self._groups(record):
            grouped.add(of, record)

    def drop(self, record: Record) -> None:
        """A record that came has gone, or is another now: then that one comes."""
        if isinstance(record, PortRecord):
            self._addresses.remove(record)
        for grouped, of in self._groups(record):
            grouped.remove(of, record)

    def one(self, kind: type[R], id_: str) -> R | None:
        """The record of a kind with this id."""
        record = self._get(key(_KIND_BY_TYPE[kind], id_))
        return record if isinstance(record, kind) else None

    def _groups(self, record: Record) -> Iterator[tuple[_Grouped[Any], str]]:
        """Where a record is found, and by what: the same whenever it is asked."""
        match record:
            case PortRecord():
                yield from self._groups_of_port(record)
            case SubnetRecord():
                yield self._subnets, record.network_id
            case RuleRecord():
                yield self._rules, record.group_id
            case NetworkAclRecord():
                yield from ((self._acls, id_) for id_ in record.subnet_ids)
            case NetworkAclRuleRecord():
                yield self._acl_rules, record.acl_id
            case FloatingIpRecord():
                yield self._floating, record.router_id
                at = _at(record.floating_network_id, record.floating_ip_address)
                yield self._floating_on, at
            case PortForwardingRecord():
                yield self._forwardings, record.floating_ip_id
            case NodeRecord():
                yield from ((self._uplinked, name) for name in record.physical_networks)

    def _groups_of_port(self, port: PortRecord) -> Iterator[tuple[_Grouped[PortRecord], str]]:
        if port.device_id and port.device_owner in _INTERFACES:
            yield self._interfaces, port.device_id
            yield self._interfaces_on, port.network_id
        if port.device_id and port.device_owner in _GATEWAYS:
            yield self._gateways, port.device_id
            yield self._gateways_on, port.network_id
        if port.allowed_address_pairs:
            yield from ((self._paired, id_) for id_ in port.security_groups)

    # Networks

    def subnets_on(self, network_id: str) -> list[SubnetRecord]:
        """The subnets of a network."""
        return self._subnets.of(network_id)

    def prefix_of(self, subnet_id: str) -> Prefix | None:
        """The prefix of a subnet; None when it is not known."""
        subnet = self.one(SubnetRecord, subnet_id)
        return prefix(subnet.cidr) if subnet is not None else None

    def is_bound(self, port: PortRecord) -> bool:
        """Whether the port is on a host whose tunnel end is known."""
        return bool(port.host) and self.one(NodeRecord, port.host) is not None

    def holder(self, network_id: str, wanted: Address) -> PortRecord | None:
        """The bound port that has an address as its own."""
        port = self._addresses.on(network_id, wanted)
        return port if port is not None and self.is_bound(port) else None

    def bound_port(self, port_id: str) -> PortRecord | None:
        """The port of this id, if it is on a known host."""
        port = self.one(PortRecord, port_id)
        return port if port is not None and self.is_bound(port) else None

    def uplinked(self, network: NetworkRecord) -> list[NodeRecord]:
        """The living hosts by which packets of the network may leave."""
        name = network.physical_network
        return [node for node in self._uplinked.any(name) if node.alive] if name else []

    def has_uplink(self, host: str, network: NetworkRecord) -> bool:
        """Whether packets of the network may leave by the host, which lives."""
        node = self.one(NodeRecord, host)
        name = network.physical_network
        return node is not None and node.alive and bool(name) and name in node.physical_networks

    # Routers

    def interfaces_of(self, router_id: str) -> list[PortRecord]:
        """The interfaces of a router, whether they work or not."""
        return self._interfaces.of(router_id)

    def legs_of(self, router: RouterRecord) -> list[Leg]:
        """The interfaces of a router that work, in order of their ports."""
        if not router.admin_state_up:
            return []
        ports = self._interfaces.of(router.id)
        legs = (self._leg(router, port) for port in ports if port.admin_state_up)
        return [leg for leg in legs if leg is not None and leg.network.admin_state_up]

    def joins_scopes(self, router: RouterRecord) -> bool:
        """Whether a router is on subnets of several address scopes of a family."""
        sides = [*self.legs_of(router), *self.gateways_of(router)]
        return any(
            len({leg.scope_by_version[v] for leg in sides if v in leg.scope_by_version}) > 1
            for v in (4, 6)
        )

    def leg_at(self, network_id: str, wanted: Address) -> Leg | None:
        """The working interface of a router that has the address on the network."""
        port = self._addresses.on(network_id, wanted)
        return self._among(port, self.legs_of)

    def gateway_at(self, network_id: str, wanted: Address) -> Leg | None:
        """The gateway of an active router that has the address on the external network."""
        port = self._addresses.on(network_id, wanted)
        return self._among(port, self.gateways_of)

    def _among(
        self, port: PortRecord | None, legs_of: Callable[[RouterRecord], list[Leg]]
    ) -> Leg | None:
        """What a port is to its router, if that counts it among these."""
        router = None if port is None else self.one(RouterRecord, port.device_id)
        legs = [] if router is None else legs_of(router)
        return next((leg for leg in legs if port is not None and leg.port.id == port.id), None)

    def floating_at(self, network_id: str, wanted: Address) -> tuple[Leg, FloatingIpRecord] | None:
        """The floating IP of this address, and the gateway of the router that translates it."""
        for floating in self._floating_on.of(_at(network_id, str(wanted))):
            router = self.one(RouterRecord, floating.router_id)
            for gateway in [] if router is None else self.gateways_of(router):
                if gateway.network.id == network_id:
                    return gateway, floating
        return None

    def is_routed(self, network_id: str) -> bool:
        """Whether a router has an interface on the network."""
        return any(True for _ in self._interfaces_on.any(network_id))

    def leads_out(self, network_id: str) -> bool:
        """Whether an active router has a gateway on the network."""
        return any(
            self._among(port, self.gateways_of) is not None
            for port in self._gateways_on.any(network_id)
        )

    def gateways_of(self, router: RouterRecord) -> list[Leg]:
        """Where an active router meets external networks, in order; each once, but for those that
        its record has several gateways to."""
        if not router.admin_state_up:
            return []
        every = [each.network_id for each in router.gateways]
        several = {each.port_id for each in router.gateways if every.count(each.network_id) > 1}
        places = {each.network_id: number for number, each in enumerate(router.gateways)}
        places |= {each.port_id: number for number, each in enumerate(router.gateways)}

        def named(port: PortRecord) -> str:
            return port.id if port.id in several else port.network_id

        ports = self._gateways.of(router.id)
        ports.sort(key=lambda port: places.get(named(port), len(places)))
        by_name = {named(port): port for port in reversed(ports)}
        legs = (self._leg(router, port) for port in ports if by_name[named(port)] is port)
        return [leg for leg in legs if leg is not None]

    def floating_of(self, router_id: str) -> list[FloatingIpRecord]:
        """The floating IPs that a router translates, in order of their ids."""
        return self._floating.of(router_id)

    def forwardings_of(self, floating: FloatingIpRecord) -> list[PortForwardingRecord]:
        """The ports that a floating IP forwards; none while it is a port's own."""
        return [] if floating.port_id else self._forwardings.of(floating.id)

    def _leg(self, router: RouterRecord, port: PortRecord) -> Leg | None:
        network = self.one(NetworkRecord, port.network_id)
        if network is None:
            return None
        known = (self.prefix_of(fixed.subnet_id) for fixed in port.fixed_ips)
        prefixes = tuple(dict.fromkeys(each for each in known if each is not None))
        return Leg(router, port, network, prefixes, self._scopes_of(port))

    def _scopes_of(self, port: PortRecord) -> Mapping[int, str]:
        """The address scopes of a port's subnets: those of the pools that they are of."""
        scopes: dict[int, str] = {}
        for fixed in port.fixed_ips:
            subnet = self.one(SubnetRecord, fixed.subnet_id)
            if subnet is not None:
                pool = self.one(SubnetPoolRecord, subnet.subnetpool_id)
                scope_id = "" if pool is None else pool.address_scope_id
                scopes.setdefault(subnet.ip_version, scope_id)
        return scopes

    # Filters

    def acl_of(self, subnet_id: str) -> NetworkAclRecord | None:
        """The ACL that filters a subnet; of several, while it changes, the least id."""
        return next(iter(self._acls.of(subnet_id)), None)

    def acl_rules(self, acl_id: str) -> list[NetworkAclRuleRecord]:
        """Of an ACL, in the order in which they decide."""
        rules = self._acl_rules.any(acl_id)
        return sorted(rules, key=lambda rule: (rule.number, rule.allow, rule.id))

    def rules_of(self, group_id: str) -> list[RuleRecord]:
        """Of a security group, in order of their ids."""
        return self._rules.of(group_id)

    def is_member(self, group_id: str, wanted: Address) -> bool:
        """Whether a port of the group has the address, or may use it."""
        if any(group_id in port.security_groups for port in self._addresses.anywhere(wanted)):
            return True
        pairs = (
            prefix(pair.ip_address)
            for port in self._paired.any(group_id)
            for pair in port.allowed_address_pairs
        )
        return any(each.length and each.covers(wanted) for each in pairs)  # everybody is no member

    def is_of_group(self, address_group_id: str, wanted: Address) -> bool:
        """Whether an address group holds the address."""
        group = self.one(AddressGroupRecord, address_group_id)
        return group is not None and any(prefix(each).covers(wanted) for each in group.addresses)

    def is_stateless(self, port: PortRecord) -> bool:
        """Whether no connections of the port are tracked: it has groups, all of them stateless."""
        groups = [self.one(GroupRecord, each) for each in port.security_groups]
        return bool(groups) and all(each is not None and not each.stateful for each in groups)


def addresses_of(port: PortRecord, version: int) -> list[Address]:
    """The port's own addresses of a family."""
    every = [address(fixed.ip_address) for fixed in port.fixed_ips]
    return [each for each in every if each.version == version]


def whole(of: Address) -> Prefix:
    """The prefix of one address."""
    return Prefix(of.version, of.number, 32 if of.version == 4 else 128)


def _at(network_id: str, address_: str) -> str:
    return f"{network_id}/{address_}"
