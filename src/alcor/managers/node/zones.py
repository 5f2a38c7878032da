"""Availability zones as Neutron's clients see them: available while a host of theirs is alive."""

import msgspec

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.node.heartbeats import Heartbeats
from alcor.managers.node.needs import Store
from alcor.managers.node.selection import select
from alcor.values.errors import Refusal
from alcor.values.zones import ZONE, AvailabilityZoneNotFound

_KINDS = ("network", "router")  # what every host serves
_READ_ONLY = Refusal("Availability zones are read only.")  # the door lets nobody ask


class ZoneService:
    """Keeps the contract ResourceManager, for reading only."""

    def __init__(self, store: Store, heartbeats: Heartbeats) -> None:
        self._store = store
        self._heartbeats = heartbeats

    async def list_page(self, request: ListRequest) -> ListReply:
        nodes = await self._store.all()
        alive = any(self._heartbeats.life(each.id).alive for each in nodes)
        state = "available" if alive else "unavailable"
        zones = [
            {"id": f"{ZONE}/{kind}", "name": ZONE, "resource": kind, "state": state}
            for kind in _KINDS
            if nodes
        ]
        shown = select(zones, request.query, AvailabilityZoneNotFound)
        return ListReply(
            [
                msgspec.Raw(msgspec.json.encode({k: v for k, v in zone.items() if k != "id"}))
                for zone in shown
            ]
        )

    async def create(self, request: CreateRequest) -> Written:
        raise _READ_ONLY

    async def update(self, request: UpdateRequest) -> Written:
        raise _READ_ONLY

    async def delete(self, request: DeleteRequest) -> Written:
        raise _READ_ONLY
