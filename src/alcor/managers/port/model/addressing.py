"""Which addresses a port wants: from `fixed_ips` to what the IP manager is asked. Pure.

Absent: one address of the network's first IPv4 subnet with room and one of its first IPv6 subnet
with room, as Neutron does. An empty list: none. Otherwise each item names a subnet, an address,
or both. Whatever is wished for, a port that is no router's has an address made of its MAC in every
subnet whose machines make their addresses themselves. Where subnets are of segments, all this is of
the subnets of one.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from alcor.contracts.peers import Wanted
from alcor.intent.records import SubnetRecord
from alcor.managers.port.model.segments import (
    HostNotConnectedToAnySegment,
    OnSegment,
    Reach,
    check_host,
    of_host,
    one_of,
)
from alcor.values.addresses import Address, Prefix, address, eui64, mac, prefix
from alcor.values.errors import Conflict, InvalidInput, Refusal

# Device owners of a router's interfaces: their addresses are the router's to choose.
ROUTER_OWNERS = frozenset(
    {
        "network:router_interface",
        "network:router_interface_distributed",
        "network:ha_router_replicated_interface",
        "network:router_centralized_snat",
    }
)
_SERVICES = "network:"  # what device owners of services begin with
_AUTOMATIC = frozenset({"slaac", "dhcpv6-stateless"})


class InvalidIpForNetwork(Refusal):
    """The address is on no subnet of the network."""


class InvalidIpForSubnet(Refusal):
    """The address is not one of the named subnet's."""


class SubnetElsewhere(InvalidInput):
    """The subnet is none of the network's."""

    def __init__(self, network_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Invalid input for operation: Failed to create port on network {network_id}, "
            f"because fixed_ips included invalid subnet {subnet_id}.",
            type="InvalidInput",
        )
        self.subnet_id = subnet_id


class AllocationOnAutoAddressSubnet(InvalidInput):
    """Machines make their addresses of this subnet themselves."""

    def __init__(self, ip: Address, subnet_id: str) -> None:
        super().__init__(
            f"IPv6 address {ip} cannot be directly assigned to a port on subnet {subnet_id} as the "
            "subnet is configured for automatic addresses"
        )


class IpAddressGenerationFailureNoMatchingSubnet(Conflict):
    """All subnets of the network are for other kinds of ports."""

    def __init__(self, network_id: str, device_owner: str) -> None:
        super().__init__(
            "No valid service subnet for the given device owner, network "
            f"{network_id}, service type {device_owner}."
        )


class SubnetView(NamedTuple):
    """As much of a subnet as choosing needs."""

    id: str
    network_id: str
    prefix: Prefix
    automatic: bool = False  # machines make their addresses themselves
    service_types: tuple[str, ...] = ()  # only for ports of these device owners; none: for all
    segment: OnSegment | None = None  # None: of the network as a whole

    def is_for(self, device_owner: str) -> bool:
        """Whether a port of this owner may have its addresses."""
        return not self.service_types or device_owner in self.service_types


class Subnets(NamedTuple):
    """The subnets of one network, in order of age; `for_all` has the choice of most ports."""

    views: tuple[SubnetView, ...] = ()
    for_all: tuple[SubnetView, ...] = ()  # those of no service type
    families: tuple[tuple[str, ...], ...] = ()  # ids of these by IP version, 4 first
    plain: bool = True  # whatever a port is, it is given an address of each family and no other
    ids: tuple[str, ...] = ()  # of all views
    segmented: bool = False  # of segments, so that a port has addresses of one of these only


class Wish(NamedTuple):
    """One item of `fixed_ips`: at least one of the two is given."""

    subnet_id: str
    address: Address | None


class Interface(NamedTuple):
    """As much of a port as its addresses depend on."""

    mac_address: str = ""
    device_owner: str = ""
    held: frozenset[Address] = frozenset()  # that it has already
    host: str = ""  # where it is, or is to be; empty: nowhere
    reach: Reach = frozenset()  # of the host


def view(record: SubnetRecord) -> SubnetView:
    """Of a subnet's record."""
    automatic = {record.ipv6_ra_mode, record.ipv6_address_mode} & _AUTOMATIC
    whole = prefix(record.cidr)
    segment = OnSegment(record.segment_id, record.physical_network) if record.segment_id else None
    return SubnetView(
        record.id, record.network_id, whole, bool(automatic), record.service_types, segment
    )


def subnets(views: Iterable[SubnetView]) -> Subnets:
    """Of a network's, or of a segment's; ids made by us sort by age."""
    ordered = tuple(sorted(views, key=attrgetter("id")))
    for_all = tuple(view for view in ordered if not view.service_types)
    segmented = any(view.segment for view in ordered)
    odd = segmented or any(view.automatic for view in ordered)
    plain = len(for_all) == len(ordered) and not odd
    ids = tuple(view.id for view in ordered)
    return Subnets(ordered, for_all, _families(for_all), plain, ids, segmented)


def _families(views: Sequence[SubnetView]) -> tuple[tuple[str, ...], ...]:
    chosen = [view for view in views if not view.automatic]
    each = [tuple(s.id for s in chosen if s.prefix.version == version) for version in (4, 6)]
    return tuple(ids for ids in each if ids)


def wishes(fixed_ips: Sequence[Mapping[str, Any]] | None, count_max: int) -> list[Wish] | None:
    """The items of a checked `fixed_ips`; None when it is absent. `InvalidInput` otherwise."""
    if fixed_ips is None:
        return None
    if len(fixed_ips) > count_max:
        raise _invalid("Exceeded maximum amount of fixed ips per port.")
    found = [_wish(item) for item in fixed_ips]
    for i, wish in enumerate(found):
        if wish.address is not None and any(wish.address == w.address for w in found[:i]):
            raise _invalid(f"Duplicate IP address '{wish.address}'.")
    return found


def _wish(item: Mapping[str, Any]) -> Wish:
    text = item.get("ip_address")
    wish = Wish(item.get("subnet_id") or "", address(text) if text else None)
    if not wish.subnet_id and wish.address is None:
        raise _invalid("IP allocation requires subnet_id or ip_address.")
    return wish


def segment_of(
    port_id: str,
    network_id: str,
    wishes: Sequence[Wish] | None,
    subnets: Subnets,
    interface: Interface,
) -> OnSegment | None:
    """The segment that a port is on; None: of a network as a whole, or not known yet.

    A `Refusal` when its host is not there, or it wishes for addresses of several.
    """
    if not subnets.segmented:
        return None
    if wishes:
        found = one_of(_subnet_of(network_id, wish, subnets).segment for wish in wishes)
        if interface.host:
            check_host(found, interface.host, interface.reach, port_id)
        return found
    usable = [view for view in subnets.views if view.is_for(interface.device_owner)]
    if not interface.host:
        # What a service has without a host is everywhere: a router's gateway.
        everywhere = interface.device_owner.startswith(_SERVICES)
        return usable[0].segment if usable and everywhere else None
    found = of_host([view.segment for view in usable], interface.reach)
    if found is None and wishes is None:
        raise HostNotConnectedToAnySegment(interface.host, network_id)
    return found


def on_segment(every: Subnets, segment: OnSegment | None) -> Subnets:
    """The subnets that a port on this segment has the choice of."""
    if not every.segmented:
        return every
    return subnets(view for view in every.views if view.segment == segment)


def wanted(
    owner: str,
    network_id: str,
    wishes: Sequence[Wish] | None,
    subnets: Subnets,
    interface: Interface,
) -> list[Wanted]:
    """What to ask the IP manager for, in order.

    A `Refusal` when a wish can't be had on these subnets.
    """
    subnets = on_segment(subnets, segment_of(owner, network_id, wishes, subnets, interface))
    views, families = subnets.views, subnets.families
    if wishes is not None:
        asked = [
            wish
            for item in wishes
            if (wish := _named(owner, network_id, item, subnets, interface)) is not None
        ]
    else:
        if len(subnets.for_all) != len(views):
            views, families = _of_service(network_id, subnets, interface.device_owner)
        asked = [Wanted(owners=(owner,), subnet_ids=ids) for ids in families]
    return asked + _automatic(owner, views, interface)


def _of_service(
    network_id: str, subnets: Subnets, device_owner: str
) -> tuple[tuple[SubnetView, ...], tuple[tuple[str, ...], ...]]:
    """The subnets for this kind of port: those for it alone come first."""
    own = tuple(view for view in subnets.views if device_owner in view.service_types)
    views = own + subnets.for_all
    if not views:
        raise IpAddressGenerationFailureNoMatchingSubnet(network_id, device_owner)
    return views, _families(views)


def _automatic(owner: str, views: Sequence[SubnetView], interface: Interface) -> list[Wanted]:
    """The addresses that the port's machine makes itself."""
    if interface.device_owner in ROUTER_OWNERS:
        return []
    return [
        Wanted(owners=(owner,), subnet_ids=(view.id,), address=str(made(view, interface)))
        for view in views
        if view.automatic
    ]


def made(view: SubnetView, interface: Interface) -> Address:
    """The address that a machine makes of its MAC."""
    return eui64(mac(interface.mac_address), view.prefix)


def _named(
    owner: str, network_id: str, wish: Wish, subnets: Subnets, interface: Interface
) -> Wanted | None:
    """What a wish asks for; None when the port has it anyway, by itself."""
    subnet = _subnet_of(network_id, wish, subnets)
    if wish.address is not None and not subnet.prefix.covers(wish.address):
        raise InvalidIpForSubnet(
            f"IP address {wish.address} is not a valid IP for the specified subnet."
        )
    if subnet.automatic and interface.device_owner not in ROUTER_OWNERS:
        known = interface.held | {made(subnet, interface)}
        if wish.address is not None and wish.address not in known:
            raise AllocationOnAutoAddressSubnet(wish.address, subnet.id)
        return None
    text = "" if wish.address is None else str(wish.address)
    return Wanted(owners=(owner,), subnet_ids=(subnet.id,), address=text)


def _subnet_of(network_id: str, wish: Wish, subnets: Subnets) -> SubnetView:
    for subnet in subnets.views:
        if wish.subnet_id == subnet.id:
            return subnet
        if not wish.subnet_id and wish.address is not None and subnet.prefix.covers(wish.address):
            return subnet
    if wish.subnet_id:
        raise SubnetElsewhere(network_id, wish.subnet_id)
    raise InvalidIpForNetwork(
        f"IP address {wish.address} is not a valid IP for any of the subnets "
        "on the specified network."
    )


def _invalid(message: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {message}")
