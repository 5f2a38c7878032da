"""Availability zones as Neutron's clients see them: available while a host of theirs is alive."""

from collections.abc import Sequence

from alcor.contracts.resources import Caller
from alcor.managers.node.heartbeats import Heartbeats
from alcor.managers.node.needs import Store
from alcor.resource.selection import Item
from alcor.runtime.listed import ListedService
from alcor.values.zones import ZONE, AvailabilityZoneNotFound

_KINDS = ("network", "router")  # what every host serves


class ZoneService(ListedService):
    """Keeps the contract ResourceManager, for reading only."""

    def __init__(self, store: Store, heartbeats: Heartbeats) -> None:
        super().__init__(self._zones, AvailabilityZoneNotFound, shows_id=False)
        self._store = store
        self._heartbeats = heartbeats

    async def _zones(self, caller: Caller) -> Sequence[Item]:
        nodes = await self._store.all()
        alive = any(self._heartbeats.life(each.id).alive for each in nodes)
        state = "available" if alive else "unavailable"
        return [
            {"id": f"{ZONE}/{kind}", "name": ZONE, "resource": kind, "state": state}
            for kind in _KINDS
            if nodes
        ]
