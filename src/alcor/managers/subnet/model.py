"""Subnets as clients see them, and what a body means: gateway and pools chosen or checked. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from alcor.contracts.subnetpools import PrefixGrant, PrefixWish
from alcor.intent.records import AddressRange, HostRoute
from alcor.managers.subnet.modes import check_dhcp, check_modes, is_automatic
from alcor.managers.subnet.plan import check_cidr, checked_gateway, checked_pools
from alcor.resource.revisions import revised
from alcor.values.addresses import Address, Prefix, address, prefix
from alcor.values.errors import BadRequest, Conflict, InvalidInput


class SubnetInUse(Conflict):
    """Ports have addresses of the subnet."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Unable to complete operation on subnet {id_}: "
            "One or more ports have an IP allocation from this subnet."
        )


class GatewayIpInUse(Conflict):
    """A router has the gateway's address."""

    def __init__(self, address: str, port_id: str) -> None:
        super().__init__(
            f"Current gateway ip {address} already in use by port {port_id}. Unable to update."
        )


class SubnetIdInUse(Conflict):
    """The id that the client chose is taken."""


class SubnetsExhausted(Conflict):
    """The network has as many subnets as it may have."""


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet as clients see it (Neutron API reference, "Subnets")."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    network_id: str
    ip_version: int
    subnetpool_id: str | None = None
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    allocation_pools: tuple[AddressRange, ...]
    dns_nameservers: tuple[str, ...]
    host_routes: tuple[HostRoute, ...]
    ipv6_ra_mode: str | None = None
    ipv6_address_mode: str | None = None
    service_types: tuple[str, ...] = ()
    dns_publish_fixed_ip: bool = False
    segment_id: str | None = None
    physical_network: str | msgspec.UnsetType = msgspec.field(  # of a segment that has one
        name="alcor:physical_network", default=msgspec.UNSET
    )
    external: bool = msgspec.field(name="router:external", default=False)
    description: str
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str

    @property
    def prefix(self) -> Prefix:
        return prefix(self.cidr)

    @property
    def automatic(self) -> bool:
        """Whether machines make their addresses themselves."""
        return is_automatic(self.ipv6_ra_mode, self.ipv6_address_mode)


class NetworkSubnetPoolAffinityError(BadRequest):
    """Subnets of one family and network are of one pool, or of none."""

    def __init__(self) -> None:
        super().__init__(
            "Subnets hosted on the same network must be allocated from the same subnet pool."
        )


class InvalidSubnetServiceType(InvalidInput):
    """No port has such a device owner."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"Subnet service type {text[:255]} does not correspond to a valid device owner."
        )


def prefix_wish(values: Mapping[str, Any], id_: str) -> PrefixWish | None:
    """What a checked body asks of a pool; None when it names its own CIDR."""
    pool_id, default = values.get("subnetpool_id"), values["use_default_subnetpool"]
    cidr, length = values.get("cidr"), values.get("prefixlen")
    if pool_id and default:
        raise _bad("subnetpool_id and use_default_subnetpool cannot both be specified")
    if cidr is not None and length is not None:
        raise _bad("cidr and prefixlen must not be supplied together")
    if not pool_id and not default:
        if cidr is None:
            raise _bad("a subnetpool must be specified in the absence of a cidr")
        return None
    if cidr is None and values.get("allocation_pools") is not None:
        raise _bad("allocation_pools allowed only for specific subnet requests")
    return PrefixWish(
        subnet_id=id_,
        project_id=values["project_id"],
        pool_id=pool_id or "",
        ip_version=values["ip_version"],
        cidr=cidr or "",
        prefixlen=length,
    )


def granted(values: Mapping[str, Any], grant: PrefixGrant | None) -> Mapping[str, Any]:
    """The body with the prefix that a pool gave."""
    if grant is None:
        return values
    return {**values, "cidr": grant.cidr, "subnetpool_id": grant.pool_id}


def _bad(reason: str) -> BadRequest:
    return BadRequest(f"Bad subnets request: {reason}.")


def subnet(values: Mapping[str, Any], id_: str, now: str) -> Subnet:
    """The subnet that a checked body asks for."""
    whole = _cidr(values)
    check_modes(values, whole)
    named = values.get("allocation_pools")  # none, or an empty list: all but the gateway's
    pools = _ranges(named) if named else None
    gateway = checked_gateway(whole, _gateway(values, whole), pools)
    return Subnet(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        network_id=values["network_id"],
        subnetpool_id=values.get("subnetpool_id"),
        ip_version=whole.version,
        cidr=str(whole),
        gateway_ip=None if gateway is None else str(gateway),
        enable_dhcp=values["enable_dhcp"],
        allocation_pools=_texts(whole.version, checked_pools(whole, gateway, pools)),
        dns_nameservers=_nameservers(values["dns_nameservers"], whole),
        host_routes=_routes(values["host_routes"], whole),
        ipv6_ra_mode=values["ipv6_ra_mode"],
        ipv6_address_mode=values["ipv6_address_mode"],
        service_types=_service_types(values["service_types"]),
        dns_publish_fixed_ip=values.get("dns_publish_fixed_ip", False),
        segment_id=values.get("segment_id"),
        description=values["description"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


def on_network(old: Subnet, external: bool) -> Subnet:
    """The subnet, shown as one of a network that is external or not; no change of its own."""
    return old if old.external == external else msgspec.structs.replace(old, external=external)


def of_pool(old: Subnet, pool_id: str | None, now: str) -> Subnet:
    """The subnet as one of a pool; the very same value when it is already."""
    return revised(old, {"subnetpool_id": pool_id}, now)


def changed(old: Subnet, changes: Mapping[str, Any], now: str) -> Subnet:
    """The subnet after a checked PUT; the very same value when nothing is different."""
    wanted = {name: changes[name] for name in _PLAIN if name in changes}
    if "dns_nameservers" in changes:
        wanted["dns_nameservers"] = _nameservers(changes["dns_nameservers"], old.prefix)
    if "host_routes" in changes:
        wanted["host_routes"] = _routes(changes["host_routes"], old.prefix)
    if "service_types" in changes:
        wanted["service_types"] = _service_types(changes["service_types"])
    if "tags" in changes:
        wanted["tags"] = tuple(changes["tags"])
    if "gateway_ip" in changes or "allocation_pools" in changes:
        wanted |= _addressing(old, changes)
    new = revised(old, wanted, now)
    if new is not old:
        check_dhcp(new.ipv6_ra_mode, new.ipv6_address_mode, new.enable_dhcp)
    return new


_PLAIN = ("name", "description", "enable_dhcp", "dns_publish_fixed_ip")


def check_overlap(new: Subnet, others: Iterable[Subnet]) -> None:
    """No two subnets of a network share an address; those of a family are of one pool."""
    for other in others:
        if (
            new.ip_version == other.ip_version
            and new.network_id == other.network_id
            and new.subnetpool_id != other.subnetpool_id
        ):
            raise NetworkSubnetPoolAffinityError
        if new.prefix.overlaps(other.prefix):
            raise InvalidInput(
                f"Invalid input for operation: Requested subnet with cidr: {new.cidr} for "
                f"network: {new.network_id} overlaps with another subnet."
            )


def _addressing(old: Subnet, changes: Mapping[str, Any]) -> dict[str, Any]:
    whole = old.prefix
    given = "allocation_pools" in changes
    pools = _ranges(changes["allocation_pools"] if given else _plain(old.allocation_pools))
    wanted = changes.get("gateway_ip", old.gateway_ip)
    gateway = checked_gateway(whole, None if wanted is None else address(wanted), pools)
    return {
        "gateway_ip": None if gateway is None else str(gateway),
        "allocation_pools": _texts(whole.version, checked_pools(whole, gateway, pools)),
    }


def _cidr(values: Mapping[str, Any]) -> Prefix:
    text: str = values["cidr"]
    whole = prefix(text)
    if whole.version != values["ip_version"]:
        raise InvalidInput(
            f"Invalid input for operation: cidr {text} does not match the ip_version "
            f"'{values['ip_version']}'."
        )
    check_cidr(whole)
    return whole


def _gateway(values: Mapping[str, Any], whole: Prefix) -> Address | None:
    """What the body says; without a word the first address that a machine may have."""
    if "gateway_ip" in values:
        return None if values["gateway_ip"] is None else address(values["gateway_ip"])
    if whole.length == whole.width:
        return None  # The one address is the machine's.
    first = whole.first if whole.length == whole.width - 1 else whole.first + 1
    return Address(whole.version, first)


def _service_types(texts: Sequence[str]) -> tuple[str, ...]:
    """Device owners whose ports the subnet is for."""
    for text in texts:
        if not _DEVICE_OWNER.fullmatch(text):
            raise InvalidSubnetServiceType(text)
    return tuple(texts)


_DEVICE_OWNER = re.compile(r"[a-z][a-z0-9_]*:.*")  # network:dhcp, compute:nova, ...


def _nameservers(texts: Sequence[str], whole: Prefix) -> tuple[str, ...]:
    for text in texts:
        if address(text).version != whole.version:
            raise InvalidInput(
                f"Invalid input for operation: Nameserver '{text}' does not match the ip_version "
                f"'{whole.version}'."
            )
    return tuple(texts)


def _routes(routes: Sequence[Mapping[str, str]], whole: Prefix) -> tuple[HostRoute, ...]:
    for route in routes:
        versions = {prefix(route["destination"]).version, address(route["nexthop"]).version}
        if versions != {whole.version}:
            raise InvalidInput(
                f"Invalid input for operation: host route to {route['destination']} does not "
                f"match the ip_version '{whole.version}'."
            )
    return tuple(HostRoute(route["destination"], route["nexthop"]) for route in routes)


def _ranges(pools: Iterable[Mapping[str, str]]) -> list[tuple[Address, Address]]:
    return [(address(pool["start"]), address(pool["end"])) for pool in pools]


def _plain(pools: Iterable[AddressRange]) -> list[Mapping[str, str]]:
    return [{"start": pool.start, "end": pool.end} for pool in pools]


def _texts(version: int, ranges: Iterable[tuple[int, int]]) -> tuple[AddressRange, ...]:
    return tuple(
        AddressRange(str(Address(version, first)), str(Address(version, last)))
        for first, last in ranges
    )
