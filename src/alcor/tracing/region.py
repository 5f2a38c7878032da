"""Intent as a trace reads it: records, found by what is asked about them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeVar

from alcor.intent.records import (
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
)
from alcor.values.addresses import Address, Prefix, address, prefix

R = TypeVar("R", bound=Record)

_GATEWAYS = ("network:router_gateway",)
_INTERFACES = ("network:router_interface", "network:router_interface_distributed")


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


class Region:
    """All records of a region, as they were at one moment."""

    def __init__(self) -> None:
        self._by_type: dict[type[Record], dict[str, Record]] = {}
        self._ports_by_network: dict[str, list[PortRecord]] = {}
        self._holders: dict[str, dict[str, PortRecord]] = {}

    def put(self, record: Record) -> None:
        """Take a record; each is put once."""
        self._by_type.setdefault(type(record), {})[record.id] = record
        if isinstance(record, PortRecord):
            self._ports_by_network.setdefault(record.network_id, []).append(record)

    def every(self, kind: type[R]) -> Iterable[R]:
        """The records of a kind."""
        return self._of(kind).values()

    def one(self, kind: type[R], id_: str) -> R | None:
        """The record of a kind with this id."""
        return self._of(kind).get(id_)

    def _of(self, kind: type[R]) -> Mapping[str, R]:
        found: dict[str, R] = self._by_type.get(kind, {})  # type: ignore[assignment]
        return found

    # Networks

    def subnets_on(self, network_id: str) -> list[SubnetRecord]:
        """The subnets of a network."""
        return self._subnets_by_network.get(network_id, [])

    def prefix_of(self, subnet_id: str) -> Prefix | None:
        """The prefix of a subnet; None when it is not known."""
        subnet = self.one(SubnetRecord, subnet_id)
        return prefix(subnet.cidr) if subnet is not None else None

    def is_bound(self, port: PortRecord) -> bool:
        """Whether the port is on a host whose tunnel end is known."""
        return bool(port.host) and self.one(NodeRecord, port.host) is not None

    def holder(self, network_id: str, wanted: Address) -> PortRecord | None:
        """The bound port that has an address as its own."""
        held = self._holders.get(network_id)
        if held is None:
            held = self._holders[network_id] = {
                fixed.ip_address: port
                for port in self._ports_by_network.get(network_id, ())
                if self.is_bound(port)
                for fixed in port.fixed_ips
            }
        return held.get(str(wanted))

    def bound_port(self, port_id: str) -> PortRecord | None:
        """The port of this id, if it is on a known host."""
        port = self.one(PortRecord, port_id)
        return port if port is not None and self.is_bound(port) else None

    def has_uplink(self, host: str, network: NetworkRecord) -> bool:
        """Whether packets of the network may leave by the host, which lives."""
        node = self.one(NodeRecord, host)
        name = network.physical_network
        return node is not None and node.alive and bool(name) and name in node.physical_networks

    # Routers

    def interfaces_of(self, router_id: str) -> list[PortRecord]:
        """The interfaces of a router, whether they work or not."""
        return self._interfaces.get(router_id, [])

    def legs_of(self, router: RouterRecord) -> list[Leg]:
        """The interfaces of a router that work, in order of their ports."""
        if not router.admin_state_up:
            return []
        ports = sorted(self._interfaces.get(router.id, ()), key=lambda port: port.id)
        legs = (self._leg(router, port) for port in ports if port.admin_state_up)
        return [leg for leg in legs if leg is not None and leg.network.admin_state_up]

    def joins_scopes(self, router: RouterRecord) -> bool:
        """Whether a router is on subnets of several address scopes of a family."""
        sides = [*self.legs_of(router), *self.gateways_of(router)]
        return any(
            len({leg.scope_by_version[v] for leg in sides if v in leg.scope_by_version}) > 1
            for v in (4, 6)
        )

    def legs_on(self, network_id: str) -> Iterator[Leg]:
        """The working interfaces of all routers on a network."""
        for router_id in self._routers_on.get(network_id, ()):
            router = self.one(RouterRecord, router_id)
            if router is not None:
                yield from (leg for leg in self.legs_of(router) if leg.network.id == network_id)

    def is_routed(self, network_id: str) -> bool:
        """Whether a router has an interface on the network."""
        return network_id in self._routers_on

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

        ports = sorted(self._gateways.get(router.id, ()), key=lambda port: port.id)
        ports.sort(key=lambda port: places.get(named(port), len(places)))
        by_name = {named(port): port for port in reversed(ports)}
        legs = (self._leg(router, port) for port in ports if by_name[named(port)] is port)
        return [leg for leg in legs if leg is not None]

    def gateways_on(self, network_id: str) -> Iterator[Leg]:
        """The gateways of active routers on an external network."""
        for router in self.every(RouterRecord):
            for gateway in self.gateways_of(router):
                if gateway.network.id == network_id:
                    yield gateway

    def floating_of(self, router_id: str) -> list[FloatingIpRecord]:
        """The floating IPs that a router translates."""
        return [each for each in self.every(FloatingIpRecord) if each.router_id == router_id]

    def forwardings_of(self, floating: FloatingIpRecord) -> list[PortForwardingRecord]:
        """The ports that a floating IP forwards; none while it is a port's own."""
        if floating.port_id:
            return []
        every = self.every(PortForwardingRecord)
        found = [each for each in every if each.floating_ip_id == floating.id]
        return sorted(found, key=lambda each: each.id)

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
        claims = [each for each in self.every(NetworkAclRecord) if subnet_id in each.subnet_ids]
        return min(claims, key=lambda acl: acl.id, default=None)

    def acl_rules(self, acl_id: str) -> list[NetworkAclRuleRecord]:
        """Of an ACL, in the order in which they decide."""
        rules = [each for each in self.every(NetworkAclRuleRecord) if each.acl_id == acl_id]
        return sorted(rules, key=lambda rule: (rule.number, rule.allow, rule.id))

    def rules_of(self, group_id: str) -> list[RuleRecord]:
        """Of a security group, in order of their ids."""
        return self._rules_by_group.get(group_id, [])

    def is_member(self, group_id: str, wanted: Address) -> bool:
        """Whether a port of the group has the address, or may use it."""
        return any(each.covers(wanted) for each in self._prefixes_of_members(group_id))

    def is_of_group(self, address_group_id: str, wanted: Address) -> bool:
        """Whether an address group holds the address."""
        group = self.one(AddressGroupRecord, address_group_id)
        return group is not None and any(prefix(each).covers(wanted) for each in group.addresses)

    def is_stateless(self, port: PortRecord) -> bool:
        """Whether no connections of the port are tracked: it has groups, all of them stateless."""
        groups = [self.one(GroupRecord, each) for each in port.security_groups]
        return bool(groups) and all(each is not None and not each.stateful for each in groups)

    def _prefixes_of_members(self, group_id: str) -> Iterator[Prefix]:
        for port in self.every(PortRecord):
            if group_id in port.security_groups:
                yield from map(whole, map(address, (each.ip_address for each in port.fixed_ips)))
                pairs = (prefix(each.ip_address) for each in port.allowed_address_pairs)
                yield from (each for each in pairs if each.length)  # everybody is no member

    # Made at the first question

    @cached_property
    def _subnets_by_network(self) -> Mapping[str, list[SubnetRecord]]:
        return _grouped(self.every(SubnetRecord), "network_id")

    @cached_property
    def _rules_by_group(self) -> Mapping[str, list[RuleRecord]]:
        rules = sorted(self.every(RuleRecord), key=lambda rule: rule.id)
        return _grouped(rules, "group_id")

    @cached_property
    def _interfaces(self) -> Mapping[str, list[PortRecord]]:
        ports = self.every(PortRecord)
        return _grouped((p for p in ports if _is_one_of(p, _INTERFACES)), "device_id")

    @cached_property
    def _gateways(self) -> Mapping[str, list[PortRecord]]:
        ports = self.every(PortRecord)
        return _grouped((p for p in ports if _is_one_of(p, _GATEWAYS)), "device_id")

    @cached_property
    def _routers_on(self) -> Mapping[str, dict[str, None]]:
        routers: dict[str, dict[str, None]] = {}
        for router_id, ports in self._interfaces.items():
            for port in ports:
                routers.setdefault(port.network_id, {})[router_id] = None
        return routers


def addresses_of(port: PortRecord, version: int) -> list[Address]:
    """The port's own addresses of a family."""
    every = [address(fixed.ip_address) for fixed in port.fixed_ips]
    return [each for each in every if each.version == version]


def whole(of: Address) -> Prefix:
    """The prefix of one address."""
    return Prefix(of.version, of.number, 32 if of.version == 4 else 128)


def _is_one_of(port: PortRecord, owners: tuple[str, ...]) -> bool:
    return port.device_owner in owners and bool(port.device_id)


def _grouped(records: Iterable[R], by: str) -> dict[str, list[R]]:
    groups: dict[str, list[R]] = {}
    for record in records:
        groups.setdefault(getattr(record, by), []).append(record)
    return groups
