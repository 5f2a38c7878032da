"""Availability zones as Neutron's clients see them: available while a host of theirs is alive."""

from collections.abc import Sequence

from alcor.contracts.resources import Caller
from alcor.managers.node.heartbeats import Heartbeats
from alcor.managers.node.needs import Store
from alcor.resource.selection import Item
from alcor.runtime.managing.listed import ListedService
from alcor.values.zones import AvailabilityZoneNotFound

_KINDS = ("network", "router")  # what every host serves


class ZoneService(ListedService):
    """Keeps the contract ResourceManager, for reading only."""

    def __init__(self, store: Store, heartbeats: Heartbeats) -> None:
        super().__init__(self._zones, AvailabilityZoneNotFound, shows_id=False)
        self._store = store
        self._heartbeats = heartbeats

    async def _zones(self, caller: Caller) -> Sequence[Item]:
        alive: dict[str, bool] = {}  # whether any host of it is
        for host, zone in (await self._store.zones()).items():
            alive[zone] = alive.get(zone, False) or self._heartbeats.is_alive(host)
        return [
            {
                "id": f"{zone}/{kind}",
                "name": zone,
                "resource": kind,
                "state": "available" if alive[zone] else "unavailable",
            }
            for zone in sorted(alive)
            for kind in _KINDS
        ]
