"""Which networks are joined by routers: whose packets may come to a network without a port there.

A host with a port on one network needs all networks that routers join to it, however many routers
lie between. Gateways lead only outward: hosts of an external network need nothing of those inside.
But from there further routers may lead on, by interfaces on the external network.

The hosts by which a router leaves need all that it joins as well. For that, a router with a gateway
counts as joined to a further network with the router's own id, and these hosts as being on it
(`Index.hosts_on`).
"""

from collections.abc import Iterator, Mapping

from alcor.goal_state.slices import uplink_slice
from alcor.intent.records import FloatingIpRecord, NetworkRecord, PortRecord, Record
from alcor.planner.nodes.router import is_gateway, is_interface
from alcor.planner.pairs import Pairs


class RouterIndex:
    """Follows the interfaces and gateways of routers, and the networks that have uplinks."""

    def __init__(self) -> None:
        self._networks_by_router = Pairs()
        self._routers_by_network = Pairs()
        self._routers_by_outside = Pairs()  # of networks that they have gateways on
        self._networks_by_uplink = Pairs()
        self._routers_by_floating = Pairs()  # of those that have no port of their own
        # Of networks asked for since a router joined others: what it is joined with, and, of those
        # that routers lead to from outside, all that lead there.
        self._joined: dict[str, frozenset[str]] = {}
        self._leading: dict[str, frozenset[str]] = {}

    def put(self, record: Record) -> None:
        """A record has come."""
        for pairs, one, other in self._pairs(record):
            pairs.add(one, other)
            self._forget(record)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        for pairs, one, other in self._pairs(record):
            pairs.remove(one, other)
            self._forget(record)

    def _forget(self, record: Record) -> None:
        if isinstance(record, PortRecord):  # others join nothing
            self._joined.clear()
            self._leading.clear()

    def networks_to(self, network_id: str) -> frozenset[str]:
        """The network itself, and every one from which routers lead to it.

        An external network may have all routers of a region: it is gone through once a change.
        """
        leading = self._leading.get(network_id)
        if leading is not None:
            return leading
        joined = self._joined_with(network_id)
        if not any(map(self._routers_by_outside.of, joined)):
            return joined
        found, waiting = set(joined), [*joined]
        while waiting:
            for router_id in self._routers_by_outside.of(waiting.pop()):
                more = self._joined_at(router_id) - found
                found |= more
                waiting += more
        leading = self._leading[network_id] = frozenset(found)
        return leading

    def networks_at(self, router_id: str) -> frozenset[str]:
        """Every network from which packets may reach the router."""
        for network_id in self._networks_by_router.of(router_id):
            return self.networks_to(network_id)  # they are all joined with each other
        return frozenset()

    def _joined_at(self, router_id: str) -> frozenset[str]:
        for network_id in self._networks_by_router.of(router_id):
            return self._joined_with(network_id)
        return frozenset()

    def networks_to_uplink(self, uplink: str) -> frozenset[str]:
        """Every network from which packets may leave by the uplinks of this slice's name."""
        networks = self._networks_by_uplink.of(uplink)
        return frozenset().union(*map(self.networks_to, networks))

    def networks_to_floating(self, floating_ip_id: str) -> frozenset[str]:
        """Every network from which packets may reach the router that forwards its ports."""
        routers = self._routers_by_floating.of(floating_ip_id)
        return frozenset().union(*map(self.networks_at, routers))

    def _joined_with(self, network_id: str) -> frozenset[str]:
        joined = self._joined.get(network_id)
        if joined is None:
            joined = frozenset(self._reached_from(network_id))
            self._joined.update(dict.fromkeys(joined, joined))
        return joined

    def _reached_from(self, network_id: str) -> Iterator[str]:
        seen, waiting = {network_id}, [network_id]
        while waiting:
            at = waiting.pop()
            yield at
            for router_id in self._routers_by_network.of(at):
                networks: Mapping[str, int] = self._networks_by_router.of(router_id)
                waiting += networks.keys() - seen
                seen |= networks.keys()

    def _pairs(self, record: Record) -> Iterator[tuple[Pairs, str, str]]:
        match record:
            case PortRecord() if is_interface(record):
                yield self._networks_by_router, record.device_id, record.network_id
                yield self._routers_by_network, record.network_id, record.device_id
            case PortRecord() if is_gateway(record):
                yield self._routers_by_outside, record.network_id, record.device_id
                yield self._networks_by_router, record.device_id, record.device_id
                yield self._routers_by_network, record.device_id, record.device_id
            case FloatingIpRecord(router_id=router_id, port_id="") if router_id:
                yield self._routers_by_floating, record.id, router_id
            case NetworkRecord(physical_network=name) if name:
                yield self._networks_by_uplink, uplink_slice(name), record.id
