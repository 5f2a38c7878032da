"""Which networks are joined by routers: whose packets may come to a network without a port there.

Who has a port on one network of several that routers join needs all of them, however many routers
lie between.
"""

from collections.abc import Iterator, Mapping

from alcor.intent.records import PortRecord, Record
from alcor.planner.group_index import Pairs
from alcor.planner.nodes.router import is_interface


class RouterIndex:
    """Follows the interfaces of routers."""

    def __init__(self) -> None:
        self._networks_by_router = Pairs()
        self._routers_by_network = Pairs()
        self._joined: dict[str, frozenset[str]] = {}  # of networks asked for since a change

    def put(self, record: Record) -> None:
        """A record has come."""
        if isinstance(record, PortRecord) and is_interface(record):
            self._networks_by_router.add(record.device_id, record.network_id)
            self._routers_by_network.add(record.network_id, record.device_id)
            self._joined.clear()

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        if isinstance(record, PortRecord) and is_interface(record):
            self._networks_by_router.remove(record.device_id, record.network_id)
            self._routers_by_network.remove(record.network_id, record.device_id)
            self._joined.clear()

    def networks_joined_with(self, network_id: str) -> frozenset[str]:
        """The network itself, and every one that routers lead to it from."""
        joined = self._joined.get(network_id)
        if joined is None:
            joined = frozenset(self._reached_from(network_id))
            self._joined.update(dict.fromkeys(joined, joined))
        return joined

    def networks_at(self, router_id: str) -> frozenset[str]:
        """Every network from which packets may reach the router."""
        for network_id in self._networks_by_router.of(router_id):
            return self.networks_joined_with(network_id)  # they are all joined with each other
        return frozenset()

    def _reached_from(self, network_id: str) -> Iterator[str]:
        seen, waiting = {network_id}, [network_id]
        while waiting:
            at = waiting.pop()
            yield at
            for router_id in self._routers_by_network.of(at):
                networks: Mapping[str, int] = self._networks_by_router.of(router_id)
                waiting += networks.keys() - seen
                seen |= networks.keys()
