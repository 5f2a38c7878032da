"""The segments of networks: each has one, of its own id, made and deleted with it.

What is kept of a segment beside its network is what operators say of it. The rest is the network's.
Source: Neutron API reference v2, "Segments".
"""

import sqlite3
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListReply,
    ListRequest,
    Sort,
    UpdateRequest,
    Written,
)
from alcor.managers.network.model.network import Network
from alcor.managers.network.tables.segment_notes import (
    SegmentNote,
    note_of,
    of_networks,
    said,
    save,
)
from alcor.resource.revisions import check_revision, revised
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.writes import Makers
from alcor.runtime.tables.resource_table import ResourceTable, missing
from alcor.values.errors import BadRequest, Conflict

_FIELD_BY_NAME = {
    "network_id": "id",
    "network_type": "provider:network_type",
    "physical_network": "provider:physical_network",
    "segmentation_id": "provider:segmentation_id",
}
_SAID = ("name", "description")
_NOBODY = ("",)  # the id of no network
_network = msgspec.json.Decoder(Network).decode


class SegmentInUse(Conflict):
    """A network goes nowhere without its segment."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Segment '{id_}' cannot be deleted: a network has one, which goes with it."
        )


class Segment(NamedTuple):
    """A network, and what is said of its segment."""

    network: Network
    note: SegmentNote

    def shown(self) -> Raw:
        """As clients see it."""
        network, note = self
        document: dict[str, Any] = {
            "id": network.id,
            "network_id": network.id,
            "network_type": network.network_type,
            "physical_network": network.physical_network,
            "segmentation_id": network.segmentation_id,
            "name": note.name,
            "description": note.description,
            "revision_number": note.revision_number,
            "created_at": network.created_at,
            "updated_at": note.updated_at or network.created_at,
        }
        return Raw(msgspec.json.encode(document))


class SegmentService:
    """Keeps the contract ResourceManager; operators' alone, who see all networks."""

    def __init__(self, store: KeptStore, networks: ResourceTable, makers: Makers) -> None:
        self._store = store
        self._networks = networks
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        def work(tx: KeptTransaction) -> list[Raw]:
            query = _of_networks(request.query, tx.connection)
            found = list(map(_network, self._networks.page(tx.connection, query)))
            notes = of_networks(tx.connection, [network.id for network in found])
            return [Segment(n, notes.get(n.id, SegmentNote(id=n.id))).shown() for n in found]

        return ListReply(await self._store.read(work))

    async def create(self, request: CreateRequest) -> Written:
        raise BadRequest("Bad segment request: a network has one segment, which is made with it.")

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: KeptTransaction) -> Written:
            row = self._networks.row(tx.connection, request.id)
            if row is None:
                raise missing("Segment", request.id)
            old = note_of(tx.connection, request.id)
            check_revision(request.if_revision, old.revision_number)
            new = revised(old, request.changes, now)
            save(tx.connection, new)
            return tx.written([Segment(_network(row.doc), new).shown()])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: KeptTransaction) -> bool:
            return self._networks.row(tx.connection, request.id) is not None

        if await self._store.read(work):
            raise SegmentInUse(request.id)
        raise missing("Segment", request.id)


def _of_networks(query: ListQuery, connection: sqlite3.Connection) -> ListQuery:
    """The same question, asked of networks: of those about whom something is said, by their ids."""
    return msgspec.structs.replace(
        query,
        filters=tuple(
            Filter("id", said(connection, f.field, f.values) or _NOBODY)
            if f.field in _SAID
            else Filter(_name(f.field), f.values)
            for f in query.filters
        ),
        sorts=tuple(Sort(_name(s.field), s.descending) for s in query.sorts),
    )


def _name(field: str) -> str:
    return _FIELD_BY_NAME.get(field, field)
