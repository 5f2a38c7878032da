"""What routers and floating IPs must know of each other.

A floating IP is translated by one router, which has a gateway on the external network and a port
on the internal subnet: its two hops. A router that was asked for by name may have the first alone:
others lead from there to the subnet. Hops are named by their ports' ids, which are never used again
for other hops; so a fence on one binds nobody else.
"""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Done, Ids, InUse


class PathRequest(msgspec.Struct, frozen=True, kw_only=True):
    """From a subnet to an external network; a router whose interface has this address first.

    With a router's id by that one alone, whether it is on the subnet or not.
    """

    subnet_id: str
    external_network_id: str
    preferred_address: str = ""
    router_id: str = ""


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A router between the two, and the ports by which it is on them."""

    router_id: str
    interface_port_id: str  # empty: the router is not on the subnet
    gateway_port_id: str


class Paths(msgspec.Struct, frozen=True):
    paths: list[Path]


class ProxyingRouter(msgspec.Struct, frozen=True, kw_only=True):
    """A router as NDP proxies must know it."""

    id: str
    project_id: str
    external_network_id: str = ""  # empty: it has no gateway
    ndp_proxy: bool = False  # whether it answers for addresses inside


class ProxyingRouters(msgspec.Struct, frozen=True):
    routers: list[ProxyingRouter]


class RouterPeer(Protocol):
    """The router manager."""

    async def proxying(self, request: Ids) -> ProxyingRouters:
        """Those of the routers that exist."""
        ...

    async def paths(self, request: PathRequest) -> Paths:
        """All routers that join the two, the one to take first; or the one that is named."""
        ...

    async def fence_flavors(self, request: Ids) -> InUse:
        """No router has these flavors, nor gets them from now on, save those answered."""
        ...

    async def lift_flavors(self, request: Ids) -> Done:
        """Routers may have these flavors again."""
        ...


class FixedAddress(msgspec.Struct, frozen=True):
    """An address of a port."""

    port_id: str
    address: str


class FixedAddresses(msgspec.Struct, frozen=True):
    addresses: list[FixedAddress]


class FloatingIpPeer(Protocol):
    """The elastic IP manager."""

    async def translated_to(self, request: Ids) -> FixedAddresses:
        """The addresses of these ports that floating IPs are translated to."""
        ...

    async def fence_hops(self, request: Ids) -> InUse:
        """No floating IP and no port forwarding by these hops now, and none from now on."""
        ...

    async def proxied_by(self, request: Ids) -> Ids:
        """Those of the hops that NDP proxies go by."""
        ...

    async def lift_hops(self, request: Ids) -> Done:
        """Take back the fences on these hops."""
        ...

    async def drop_unused(self, request: Ids) -> Done:
        """Delete the floating IPs of these external networks that are given to nobody."""
        ...
