"""Use cases of the ports that have a local IP."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.intent.records import PortRecord
from alcor.managers.local_ip.api import PARENT
from alcor.managers.local_ip.model import (
    Association,
    LocalIPAssociationExists,
    LocalIPAssociationNotFound,
    association,
)
from alcor.managers.local_ip.service.ports import Ports
from alcor.managers.local_ip.sql import ASSOCIATIONS, LOCAL_IPS
from alcor.resource.selection import select
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.writes import seen_by
from alcor.values.errors import BadRequest, HTTPBadRequest, NotFound


class _MarkerNotFound(NotFound):
    """The marker of a page names no port that has the local IP."""


class AssociationService:
    """Keeps the contract ResourceManager for the ports of one local IP."""

    def __init__(self, store: KeptStore, ports: Ports) -> None:
        self._store = store
        self._ports = ports

    async def list_page(self, request: ListRequest) -> ListReply:
        filters = request.query.filters
        (parent,) = next(each.values for each in filters if each.field == PARENT)
        held = await self._store.read(lambda tx: _of(tx, str(parent), request.caller))
        ports = await self._ports.held([each.fixed_port_id for each in held], None)
        items = [_item(each, ports) for each in held if each.fixed_port_id in ports]
        rest = tuple(each for each in filters if each.field != PARENT)
        query: ListQuery = msgspec.structs.replace(request.query, filters=rest)
        return ListReply(list(map(_shown, select(items, query, _MarkerNotFound))))

    async def create(self, request: CreateRequest) -> Written:
        """All, or none; all are of one local IP."""
        parent, caller = request.items[0][PARENT], request.caller
        wanted = {each["fixed_port_id"]: each["fixed_ip"] for each in request.items}
        await self._store.read(lambda tx: tx.get(LOCAL_IPS, parent, seen_by(caller)))
        ports = await self._ports.held(wanted, seen_by(caller))
        for port_id in wanted.keys() - ports.keys():
            raise BadRequest(f"Bad local_ip_port_association request: Port {port_id} not found.")

        def work(tx: KeptTransaction) -> Written:
            held = tx.get(LOCAL_IPS, parent, seen_by(caller))
            new = [association(held, ports[id_], address) for id_, address in wanted.items()]
            for each in new:
                if tx.find(ASSOCIATIONS, each.id) is not None:
                    raise LocalIPAssociationExists(parent, each.fixed_port_id)
            tx.insert(ASSOCIATIONS, new)
            return tx.written([_shown(_item(each, ports)) for each in new])

        return await self._store.write(work, caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        raise HTTPBadRequest("The port of a local IP has nothing to change.")

    async def delete(self, request: DeleteRequest) -> Written:
        parent, _, port_id = request.id.partition("/")

        def work(tx: KeptTransaction) -> Written:
            for each in _of(tx, parent, request.caller):
                if each.fixed_port_id == port_id:
                    tx.remove(ASSOCIATIONS, [each.id])
                    return tx.written([])
            raise LocalIPAssociationNotFound(parent, port_id)

        return await self._store.write(work, request.caller.request_id)


def _of(tx: KeptTransaction, local_ip_id: str, caller: Caller) -> list[Association]:
    held = tx.get(LOCAL_IPS, local_ip_id, seen_by(caller))
    return tx.where(ASSOCIATIONS, "local_ip_id = ?", held.id)


def _item(held: Association, ports: Mapping[str, PortRecord]) -> Mapping[str, Any]:
    """As clients see it, beside the id that it has under its local IP."""
    return {
        "id": held.fixed_port_id,
        "local_ip_id": held.local_ip_id,
        "local_ip_address": held.local_ip_address,
        "fixed_port_id": held.fixed_port_id,
        "fixed_ip": held.fixed_ip,
        "host": ports[held.fixed_port_id].host,
    }


def _shown(item: Mapping[str, Any]) -> Raw:
    return Raw(msgspec.json.encode({name: item[name] for name in item if name != "id"}))
