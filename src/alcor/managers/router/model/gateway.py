"""A router's way out: what `external_gateway_info` asks for, against what there is. Pure.

Source: neutron.db.l3_db (_update_router_gw_info), l3_gwmode_db.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from alcor.contracts.held_ports import AddressWish
from alcor.intent.records import FixedIp, PortRecord, SubnetRecord
from alcor.managers.router.model.refusals import BadRouterRequest

gateways_max = 8  # of a router


class GatewayInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway as clients see it."""

    network_id: str
    enable_snat: bool = True
    external_fixed_ips: tuple[FixedIp, ...] = ()
    qos_policy_id: str | None = None

    def with_addresses(self, fixed_ips: tuple[FixedIp, ...]) -> "GatewayInfo":
        """The same way out under other addresses."""
        return msgspec.structs.replace(self, external_fixed_ips=fixed_ips)


class WantedGateway(NamedTuple):
    """What a body asks for; `fixed_ips` is None when it says nothing about addresses."""

    network_id: str
    enable_snat: bool
    fixed_ips: tuple[AddressWish, ...] | None
    qos_policy_id: str | None = None


def wanted_gateway(
    info: Mapping[str, Any] | None, held: GatewayInfo | None = None
) -> WantedGateway | None:
    """Of a checked body; None asks for no gateway. Of a QoS policy nothing said keeps the held."""
    if not info:
        return None
    fixed_ips = info.get("external_fixed_ips")
    wishes = None if not fixed_ips else tuple(_wish(item) for item in fixed_ips)
    policy_id = info.get("qos_policy_id", held.qos_policy_id if held is not None else None)
    return WantedGateway(info["network_id"], info.get("enable_snat", True), wishes, policy_id)


def check_several(count: int) -> None:
    """That a router may have so many gateways; `BadRouterRequest`."""
    if count > gateways_max:
        raise BadRouterRequest(f"Router can have {gateways_max} external gateways at most")


def gateway_info(wanted: WantedGateway, port: PortRecord) -> GatewayInfo:
    """The gateway that a port is."""
    return GatewayInfo(
        network_id=port.network_id,
        enable_snat=wanted.enable_snat,
        external_fixed_ips=port.fixed_ips,
        qos_policy_id=wanted.qos_policy_id,
    )


def gateway_kept(info: GatewayInfo, wanted: WantedGateway) -> GatewayInfo:
    """The gateway with its addresses, and all else as wanted."""
    return GatewayInfo(
        network_id=info.network_id,
        enable_snat=wanted.enable_snat,
        external_fixed_ips=info.external_fixed_ips,
        qos_policy_id=wanted.qos_policy_id,
    )


def check_gateway(wanted: WantedGateway, subnets: Sequence[SubnetRecord]) -> None:
    """That a port can be had on the external network's subnets as wanted.

    On a network without subnets it has no address, and gets one when there is a subnet.
    """
    for wish in wanted.fixed_ips or ():
        for subnet in subnets:
            if wish.ip_address and wish.ip_address == subnet.gateway_ip:
                raise BadRouterRequest(
                    f"External IP {wish.ip_address} is the same as the gateway IP"
                )


def matched(
    gateways: Sequence[GatewayInfo], items: Iterable[Mapping[str, Any]], *, loosely: bool
) -> list[int]:
    """Which of the gateways each item of a checked body names, by its place; -1: none.

    No two name one. Of a network's gateways that which has the addresses comes first, then one that
    has some of them, then any; where addresses are said only `loosely`.
    """
    wanted = [each for item in items if (each := wanted_gateway(item)) is not None]
    found, free = [-1] * len(wanted), list(range(len(gateways)))
    for fits in (_has_all, _has_some, _has_any):
        for number, each in enumerate(wanted):
            if fits is _has_any and each.fixed_ips is not None and not loosely:
                continue
            places = (p for p in free if found[number] < 0 and fits(gateways[p], each))
            place = next(places, -1)
            if place >= 0:
                found[number] = place
                free.remove(place)
    return found


def _has_any(info: GatewayInfo, wanted: WantedGateway) -> bool:
    return info.network_id == wanted.network_id


def _has_some(info: GatewayInfo, wanted: WantedGateway) -> bool:
    fits = (_fits(wish, ip) for wish in wanted.fixed_ips or () for ip in info.external_fixed_ips)
    return _has_any(info, wanted) and any(fits)


def _has_all(info: GatewayInfo, wanted: WantedGateway) -> bool:
    is_said = wanted.fixed_ips is not None
    return is_said and _has_any(info, wanted) and same_addresses(info, wanted)


def same_addresses(info: GatewayInfo, wanted: WantedGateway) -> bool:
    """Whether the gateway has what is wanted of addresses."""
    if wanted.fixed_ips is None:
        return True
    held = list(info.external_fixed_ips)
    for wish in wanted.fixed_ips:
        fitting = [ip for ip in held if _fits(wish, ip)]
        if not fitting:
            return False
        held.remove(fitting[0])
    return not held


def _fits(wish: AddressWish, ip: FixedIp) -> bool:
    return wish.subnet_id in ("", ip.subnet_id) and wish.ip_address in ("", ip.ip_address)


def _wish(item: Mapping[str, Any]) -> AddressWish:
    return AddressWish(
        subnet_id=item.get("subnet_id") or "", ip_address=item.get("ip_address") or ""
    )
