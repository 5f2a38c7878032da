"""What the agent knows of routers: who joins which networks, and by which routes.

Pure. A part of `HostModel`, which knows the networks and subnets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

from alcor.agent.model.routers.exits import Exit, scope_of
from alcor.agent.model.routers.metering import NOTHING, Taps
from alcor.goal_state.entries import (
    FixedIp,
    Helper,
    Network,
    Route,
    Router,
    RouterInterface,
    Subnet,
)
from alcor.values.addresses import Address, Mac, Prefix

_NONE: Mapping[str, RouterInterface] = {}


class Leg(NamedTuple):
    """An interface of a router, with all that its flows need."""

    interface: RouterInterface
    network: Network
    subnets: tuple[Subnet, ...]  # of its addresses, as far as they are known

    @property
    def mac(self) -> Mac:
        """The router's MAC in this network."""
        return self.interface.mac

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """What is on this side of the router."""
        return tuple(dict.fromkeys(subnet.prefix for subnet in self.subnets))

    def scope(self, version: int) -> str | None:
        """The address scope here, of a family; None: there are no addresses of it."""
        return scope_of(self.subnets, version)

    def addresses(self, version: int) -> list[Address]:
        """The router's addresses here, of a family."""
        fixed: tuple[FixedIp, ...] = self.interface.fixed_ips
        return [each.address for each in fixed if each.address.version == version]


@dataclass(frozen=True)
class RouterView:
    """A router with the legs that work; what all of them are asked for is found once."""

    key: int  # 64 bits
    legs: tuple[Leg, ...]
    routes: tuple[Route, ...]
    exits: tuple[Exit, ...] = ()  # in order
    taps: Taps = NOTHING
    ecmp: bool = False  # what no route leads to leaves by all of them
    bfd: bool = False  # but not by those whose next hops are down, while another's is not
    helpers: tuple[Helper, ...] = ()

    @property
    def exit(self) -> Exit | None:
        """The first way out."""
        return self.exits[0] if self.exits else None

    def exit_to(self, network_id: str) -> Exit | None:
        """The way out to an external network."""
        return next((each for each in self.exits if each.network.id == network_id), None)

    def leg_towards(self, hop: Address) -> Leg | None:
        """The leg on whose side the address is."""
        for leg in self.legs:
            if any(prefix.covers(hop) for prefix in leg.prefixes):
                return leg
        return None

    @cached_property
    def inner_mtu_max(self) -> int:
        """The largest MTU of the networks that its legs are on; 0: there are none."""
        return max((each.network.mtu for each in self.legs), default=0)

    @cached_property
    def mtu_max(self) -> int:
        """The largest MTU of all its networks, those outside too; 0: there are none."""
        outside = (each.network.mtu for each in self.exits)
        return max(self.inner_mtu_max, *outside, 0)

    @cached_property
    def joins_scopes(self) -> bool:
        """Whether it is on subnets of several address scopes of a family."""
        return any(len(scopes) > 1 for scopes in self._scopes.values())

    def scope_number(self, version: int, scope: str | None) -> int:
        """By what flows know a scope that the router is in; 0: it is in none of the family."""
        return 0 if scope is None else 1 + self._scopes[version].index(scope)

    @cached_property
    def _scopes(self) -> Mapping[int, list[str]]:
        """The address scopes that it is on, in order, by family."""
        sides: list[Leg | Exit] = [*self.legs, *self.exits]
        found = {version: {each.scope(version) for each in sides} for version in (4, 6)}
        return {
            version: sorted(scope for scope in scopes if scope is not None)
            for version, scopes in found.items()
        }


class Routing:
    """Routers by id, their interfaces by router and by network."""

    def __init__(self) -> None:
        self.routers: dict[str, Router] = {}
        self.interfaces_by_router: dict[str, dict[str, RouterInterface]] = {}
        self._by_network: dict[str, dict[str, RouterInterface]] = {}
        self._router_by_key: dict[int, str] = {}

    def put_router(self, router_id: str, router: Router | None) -> None:
        """Hold a router in place of what was held; None: there is none."""
        if router is None:
            self.routers.pop(router_id, None)
            self._router_by_key.pop(router_key(router_id), None)
        else:
            self.routers[router_id] = router
            self._router_by_key[router_key(router_id)] = router_id

    def put_interface(self, interface: RouterInterface) -> RouterInterface | None:
        """Hold an interface; returns what was held."""
        before = self.take_interface(interface)
        self.interfaces_by_router.setdefault(interface.router_id, {})[interface.port_id] = interface
        self._by_network.setdefault(interface.network_id, {})[interface.port_id] = interface
        return before

    def take_interface(self, interface: RouterInterface) -> RouterInterface | None:
        """Hold the interface of this key no more; returns what was held."""
        before = self.interfaces_by_router.get(interface.router_id, {}).pop(interface.port_id, None)
        if before is not None:
            if not self.interfaces_by_router[before.router_id]:
                del self.interfaces_by_router[before.router_id]
            del self._by_network[before.network_id][before.port_id]
            if not self._by_network[before.network_id]:
                del self._by_network[before.network_id]
        return before

    def is_routed(self, network_id: str) -> bool:
        """Whether a router has an interface on the network."""
        return network_id in self._by_network

    def routers_on(self, network_id: str) -> set[str]:
        """The routers that have an interface on the network."""
        return {each.router_id for each in self._by_network.get(network_id, _NONE).values()}

    def interfaces_of(self, router_id: str) -> Iterator[RouterInterface]:
        """Of a router, in a fixed order."""
        held = self.interfaces_by_router.get(router_id, _NONE)
        return (held[port_id] for port_id in sorted(held))

    def router_of(self, key: int) -> str:
        """The id of the router whose key this is; empty when it is not known."""
        return self._router_by_key.get(key, "")

    def ids(self) -> set[str]:
        """Every router that something is known of."""
        return self.routers.keys() | self.interfaces_by_router.keys()


def router_key(router_id: str) -> int:
    """64 bits by which flows know a router: the same on every start."""
    return int.from_bytes(blake2b(router_id.encode(), digest_size=8).digest(), "big")
