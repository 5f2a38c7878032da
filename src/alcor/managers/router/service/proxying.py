"""Whether a router may answer on its external network for addresses inside (`enable_ndp_proxy`).

Source: neutron.services.ndp_proxy.plugin.
"""

from collections.abc import Mapping
from typing import Any

from alcor.managers.router.model.gateway import WantedGateway
from alcor.managers.router.model.refusals import RouterGatewayNotValid
from alcor.managers.router.model.router import Router
from alcor.managers.router.needs import Peers
from alcor.runtime.managing.network_scopes import ipv6_scope

_FLAG = "enable_ndp_proxy"


async def check_new(router: Router, wanted: WantedGateway | None, peers: Peers) -> None:
    """That a new router may, if it is to; `RouterGatewayNotValid`."""
    if not router.enable_ndp_proxy:
        return
    if wanted is None:
        reason = "The request body not contain external gateway information"
        raise RouterGatewayNotValid(router.id, reason)
    await _check_network(router.id, wanted.network_id, peers)


async def check_changed(
    held: Router, changes: Mapping[str, Any], wanted: WantedGateway | None, peers: Peers
) -> None:
    """That a router may with the gateway that it will have; `RouterGatewayNotValid`."""
    asked = changes.get(_FLAG)
    if asked and wanted is None:
        reason = (
            "The router's external gateway will be unset"
            if held.external_gateway_info is not None
            else "The router has no external gateway"
        )
        raise RouterGatewayNotValid(held.id, reason)
    stays = held.enable_ndp_proxy if asked is None else asked
    if stays and wanted is not None and (asked or "external_gateway_info" in changes):
        await _check_network(held.id, wanted.network_id, peers)


async def _check_network(router_id: str, network_id: str, peers: Peers) -> None:
    if not await ipv6_scope(network_id, peers.subnets, peers.pools):
        raise RouterGatewayNotValid(
            router_id,
            f"The external network {network_id} don't support IPv6 ndp proxy, the network has no "
            "IPv6 subnets or has no IPv6 address scope",
        )
