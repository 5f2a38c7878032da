"""Ports that another manager holds: those of routers, floating IPs and local IPs.

A held port has one of `HELD_OWNERS` as its device owner, and the id of its holder (a router, say)
as its device. Clients see it, but only its holder can delete it or let go of it.
"""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Done, Ids
from alcor.intent.records import PortRecord

ROUTER_INTERFACE = "network:router_interface"
ROUTER_GATEWAY = "network:router_gateway"
FLOATING_IP = "network:floatingip"
LOCAL_IP = "network:local_ip"
ADDRESSES_ONLY = (FLOATING_IP, LOCAL_IP)  # no interface of anybody
HELD_OWNERS = frozenset(
    {ROUTER_INTERFACE, "network:router_interface_distributed", ROUTER_GATEWAY, *ADDRESSES_ONLY}
)


class AddressWish(msgspec.Struct, frozen=True, kw_only=True):
    """This address, or any of this subnet; at least one is given."""

    subnet_id: str = ""
    ip_address: str = ""


class HeldPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port to be made for a holder, under an id that the holder has chosen and noted."""

    id: str
    network_id: str
    project_id: str = ""  # empty: no tenant sees it
    device_owner: str
    device_id: str
    fixed_ips: tuple[AddressWish, ...] | None = None  # None: whatever the network has
    trace: str = ""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A port that is there, and who takes it or lets go of it."""

    port_id: str
    device_owner: str = ""
    device_id: str  # the holder
    trace: str = ""


class Readdressing(msgspec.Struct, frozen=True, kw_only=True):
    """A held port shall have these addresses."""

    port_id: str
    device_id: str  # the holder
    fixed_ips: tuple[AddressWish, ...]
    trace: str = ""


class PortView(msgspec.Struct, frozen=True):
    port: PortRecord
    status: str


class PortViews(msgspec.Struct, frozen=True):
    ports: list[PortView]


class PortAddress(msgspec.Struct, frozen=True):
    subnet_id: str
    address: str


class HeldPortPeer(Protocol):
    """The port manager, to managers that hold ports. Every verb may be repeated."""

    async def make(self, request: HeldPort) -> PortView:
        """Make the port; one that is there already is answered as it is."""
        ...

    async def claim(self, request: Claim) -> PortView:
        """Take a port that nobody uses; `PortInUse` when somebody else does."""
        ...

    async def give_back(self, request: Claim) -> Done:
        """Let go of a claimed port; no error when it is not the holder's, or gone."""
        ...

    async def readdress(self, request: Readdressing) -> PortView:
        """Give the holder's port these addresses and no others; a refusal leaves it as it was."""
        ...

    async def drop(self, request: Claim) -> Done:
        """Delete the holder's port; when it is not there it will now never be."""
        ...

    async def views(self, request: Ids) -> PortViews:
        """Those of the ports that exist, in no order."""
        ...

    async def at(self, request: PortAddress) -> PortViews:
        """The port that has the address, if any."""
        ...
