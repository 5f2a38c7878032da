"""An NDP proxy: a router answers on its external network for an IPv6 address inside. Pure.

So the address is reached from outside as it is, without a route to it there. Source: neutron_lib's
l3_ndp_proxy; neutron.services.ndp_proxy.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from alcor.contracts.routing import Path
from alcor.intent.records import FixedIp, PortRecord
from alcor.managers.elastic_ip.model.refusals import BadNdpProxyRequest, InvalidAddress
from alcor.values.addresses import address


class NdpProxy(msgspec.Struct, frozen=True, kw_only=True):
    """An NDP proxy; the last two fields are not shown: the hops by which the router reaches it."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    router_id: str
    port_id: str
    ip_address: str
    description: str
    interface_port_id: str
    gateway_port_id: str


def ndp_proxy(values: Mapping[str, Any], id_: str, ip_address: str, path: Path) -> NdpProxy:
    """The NDP proxy that a checked body asks for."""
    return NdpProxy(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        router_id=path.router_id,
        port_id=values["port_id"],
        ip_address=ip_address,
        description=values["description"],
        interface_port_id=path.interface_port_id,
        gateway_port_id=path.gateway_port_id,
    )


def candidates(port: PortRecord, wanted: str | None) -> Collection[FixedIp]:
    """The port's addresses that may be meant; `BadNdpProxyRequest`, `InvalidAddress`."""
    ipv6 = [ip for ip in port.fixed_ips if address(ip.ip_address).version == 6]
    if not ipv6:
        raise BadNdpProxyRequest(
            f"Requested port {port.id} must allocate one IPv6 address at least"
        )
    if wanted is None:
        return ipv6
    found = [ip for ip in ipv6 if ip.ip_address == wanted]
    if not found:
        raise InvalidAddress(wanted, f"This address not belong to the port {port.id}")
    return found
