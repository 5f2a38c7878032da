"""The router manager's store in SQLite."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.routing import Path, PathRequest
from alcor.intent.store import ToldTransaction
from alcor.keyed_log.log import Change
from alcor.managers.router import intent
from alcor.managers.router.confining import check_may_leave
from alcor.managers.router.model.attachments import Attachment, Place
from alcor.managers.router.model.conntrack_helper import ConntrackHelper, HeldHelper
from alcor.managers.router.model.refusals import (
    ConntrackHelperIdInUse,
    ConntrackHelperNotFound,
    FlavorNotFound,
    RouterIdInUse,
)
from alcor.managers.router.model.router import Router
from alcor.managers.router.needs import Note, Undo
from alcor.runtime.sql.database import each_of
from alcor.runtime.tables import usage
from alcor.runtime.tables.fences import fence, fenced, lift, may_refer
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken
from alcor.values.missing import RouterNotFound
from alcor.values.qos import QosPolicyNotFound

T = TypeVar("T")

TABLE = ResourceTable(
    "router",
    "Router",
    ("project_id", "name", "qos_policy_id"),
    nullable=frozenset({"qos_policy_id"}),
    counted=True,
    tagged=True,
)

HELPERS = ResourceTable("conntrack_helper", "ConntrackHelper", ("project_id", "router_id"))

_decode_helper = msgspec.json.Decoder(ConntrackHelper).decode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Router).decode

_PATHS = (
    "SELECT DISTINCT face.router_id, face.port_id, gate.port_id, place.address = ? FROM place "
    "JOIN attachment AS face ON face.port_id = place.port_id AND face.is_gateway = 0 "
    "JOIN attachment AS gate ON gate.router_id = face.router_id AND gate.is_gateway > 0 "
    "AND gate.network_id = ? WHERE place.subnet_id = ? ORDER BY 4 DESC, 1, 3"
)
_ATTACHMENTS = (
    "SELECT port_id, router_id, network_id, is_gateway FROM json_each(?) "
    "CROSS JOIN attachment ON router_id = value ORDER BY port_id"
)
_PLACES = (
    "SELECT place.port_id, place.subnet_id, place.cidr, place.address FROM json_each(?) "
    "CROSS JOIN attachment ON router_id = value "
    "CROSS JOIN place ON place.port_id = attachment.port_id ORDER BY place.port_id, place.number"
)
_BY_NAME = (
    "SELECT port_id FROM attachment WHERE router_id = ? AND network_id = ? AND is_gateway > 0 "
    "ORDER BY 1"
)


class SqlTransaction(ToldTransaction):
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, trace: str, quota: usage.Limit) -> None:
        super().__init__(connection, trace)
        self._quota = quota

    def page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return TABLE.page(self._connection, query, project)

    def router(self, id_: str, project: str | None) -> Router:
        row = TABLE.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise RouterNotFound(id_)
        return _decode(row.doc)

    def attachments(self, router_id: str) -> list[Attachment]:
        return _attachments(self._connection, [router_id])[router_id]

    def routers_to(self, network_id: str) -> list[str]:
        rows = self._connection.execute(
            "SELECT DISTINCT router_id FROM attachment "
            "WHERE network_id = ? AND is_gateway > 0 ORDER BY 1",
            (network_id,),
        )
        return [router_id for (router_id,) in rows]

    def networks_of_bare_gateways(self) -> set[str]:
        rows = self._connection.execute(
            "SELECT network_id FROM attachment WHERE is_gateway > 0 "
            "AND port_id NOT IN (SELECT port_id FROM place)"
        )
        return {network_id for (network_id,) in rows}

    def attach(self, attachment: Attachment) -> None:
        self.detach(attachment.port_id)
        port_id, router_id, network_id, is_gateway, places = attachment
        row = TABLE.row(self._connection, router_id) if is_gateway else None
        if row is not None:  # else it is checked when the router is inserted
            check_may_leave(self._connection, network_id, str(row.columns[0]))
        self._connection.execute(
            "INSERT INTO attachment VALUES (?, ?, ?, ?)",
            (port_id, router_id, network_id, self._rank(router_id) if is_gateway else 0),
        )
        self._connection.executemany(
            "INSERT INTO place VALUES (?, ?, ?, ?, ?)",
            [(port_id, number, *place) for number, place in enumerate(places)],
        )

    def detach(self, port_id: str) -> None:
        self._connection.execute("DELETE FROM attachment WHERE port_id = ?", (port_id,))
        self._connection.execute("DELETE FROM place WHERE port_id = ?", (port_id,))

    def insert(self, routers: Sequence[Router]) -> list[Raw]:
        for gone in fenced(self._connection, [r.flavor_id for r in routers if r.flavor_id]):
            raise FlavorNotFound(gone)
        first = self._tell([intent.told(each, self.attachments(each.id)) for each in routers])
        rows = [_row(router, first + i) for i, router in enumerate(routers)]
        try:
            TABLE.insert(self._connection, rows)
        except Taken:
            raise RouterIdInUse("Unable to create the router. Its id is in use.") from None
        for each in routers:
            for gate in (a for a in self.attachments(each.id) if a.is_gateway):
                check_may_leave(self._connection, gate.network_id, each.project_id)
        projects = {each.project_id for each in routers}
        usage.check(self._connection, TABLE.name, projects, self._quota)
        return [Raw(row.doc) for row in rows]

    def save(self, router: Router) -> Raw:
        first = self._tell([intent.told(router, self.attachments(router.id))])
        row = _row(router, first)
        TABLE.replace(self._connection, [row])
        return Raw(row.doc)

    def check_policy(self, id_: str | None, project: str | None) -> None:
        if id_ and not may_refer(self._connection, id_, project):
            raise QosPolicyNotFound(id_)

    def document(self, router: Router) -> Raw:
        return Raw(_document(router))

    def remove(self, router_id: str) -> None:
        for each in self.attachments(router_id):
            self.detach(each.port_id)
        self._connection.execute("DELETE FROM conntrack_helper WHERE router_id = ?", (router_id,))
        TABLE.delete(self._connection, [router_id])
        self._tell([intent.told_gone(router_id)])

    def note(self, notes: Iterable[Note]) -> None:
        self._connection.executemany(
            "INSERT INTO unsettled VALUES (?, ?, ?) ON CONFLICT (port_id) "
            "DO UPDATE SET router_id = excluded.router_id, undo = excluded.undo",
            [tuple(note) for note in notes],
        )

    def settled(self, port_ids: Iterable[str]) -> None:
        self._connection.executemany(
            "DELETE FROM unsettled WHERE port_id = ?", [(id_,) for id_ in port_ids]
        )

    def standing(self, notes: Sequence[Note]) -> list[Note]:
        statement = "SELECT 1 FROM unsettled WHERE port_id = ? AND router_id = ? AND undo = ?"
        return [note for note in notes if self._connection.execute(statement, note).fetchone()]

    def notes(self, after: str, limit: int) -> list[Note]:
        rows = self._connection.execute(
            "SELECT port_id, router_id, undo FROM unsettled WHERE port_id > ? "
            "ORDER BY port_id LIMIT ?",
            (after, limit),
        )
        return [Note(port_id, router_id, Undo(undo)) for port_id, router_id, undo in rows]

    def paths(self, request: PathRequest) -> list[Path]:
        rows = self._connection.execute(
            _PATHS, (request.preferred_address, request.external_network_id, request.subnet_id)
        )
        found = [
            Path(router_id=router, interface_port_id=inner, gateway_port_id=gate)
            for router, inner, gate, _ in rows
        ]
        named = request.router_id
        if not named:
            return found
        gates = self._connection.execute(_BY_NAME, (named, request.external_network_id))
        return [path for path in found if path.router_id == named] or [
            Path(router_id=named, interface_port_id="", gateway_port_id=gate) for (gate,) in gates
        ]

    def find(self, ids: Sequence[str]) -> list[Router]:
        return [_decode(row.doc) for row in TABLE.rows(self._connection, ids).values()]

    def helper_page(self, query: ListQuery) -> list[Raw]:
        return HELPERS.page(self._connection, query)

    def helper(self, id_: str, project: str | None) -> HeldHelper:
        row = HELPERS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise ConntrackHelperNotFound(id_)
        return HeldHelper(_decode_helper(row.doc), str(row.columns[1]), str(row.columns[0]))

    def helpers_of(self, router_id: str) -> list[ConntrackHelper]:
        rows = HELPERS.where(self._connection, "router_id = ? ORDER BY id", (router_id,))
        return [_decode_helper(row.doc) for row in rows]

    def insert_helper(self, held: HeldHelper) -> Raw:
        row = self._helper_row(held)
        try:
            HELPERS.insert(self._connection, [row])
        except Taken:
            raise ConntrackHelperIdInUse(
                "Unable to create the conntrack helper. Its id is in use."
            ) from None
        return Raw(row.doc)

    def save_helper(self, held: HeldHelper) -> Raw:
        row = self._helper_row(held)
        HELPERS.replace(self._connection, [row])
        return Raw(row.doc)

    def remove_helper(self, id_: str) -> None:
        HELPERS.delete(self._connection, [id_])

    def _helper_row(self, held: HeldHelper) -> Row:
        columns = held.project_id, held.router_id
        return Row(held.helper.id, columns, self.sequence(), _encode(held.helper))

    def fence_flavors(self, flavor_ids: Sequence[str]) -> list[str]:
        marks = ", ".join("?" * len(flavor_ids))
        condition = f"{TABLE.expression('flavor_id')} IN ({marks})"
        rows = TABLE.where(self._connection, condition, tuple(flavor_ids))
        in_use = {str(_decode(row.doc).flavor_id) for row in rows}
        fence(self._connection, [id_ for id_ in flavor_ids if id_ not in in_use])
        return sorted(in_use)

    def lift_flavors(self, flavor_ids: Sequence[str]) -> None:
        lift(self._connection, flavor_ids)

    def _rank(self, router_id: str) -> int:
        """Of one gateway more: 1 of the first that comes, as no two may have that; 2 of others."""
        statement = "SELECT 1 FROM attachment WHERE router_id = ? AND is_gateway = 1"
        return 2 if self._connection.execute(statement, (router_id,)).fetchone() else 1


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The routers after an id, as the intent log knows them."""
    rows = TABLE.living(connection, after, limit)
    held = _attachments(connection, [row.id for row in rows])
    return [
        (row.id, Change(*intent.told(_decode(row.doc), held[row.id]), row.sequence)) for row in rows
    ]


def _attachments(
    connection: sqlite3.Connection, router_ids: Sequence[str]
) -> dict[str, list[Attachment]]:
    """What each of these routers is attached to, in order of port."""
    places: dict[str, list[Place]] = {}
    for port_id, *place in connection.execute(_PLACES, (each_of(router_ids),)):
        places.setdefault(port_id, []).append(Place(*place))
    found: dict[str, list[Attachment]] = {router_id: [] for router_id in router_ids}
    for port_id, router_id, network_id, is_gateway in connection.execute(
        _ATTACHMENTS, (each_of(router_ids),)
    ):
        on = tuple(places.get(port_id, ()))
        new = Attachment(port_id, router_id, network_id, bool(is_gateway), on)
        found[router_id].append(new)
    return found


def _row(router: Router, sequence: int) -> Row:
    columns = (router.project_id, router.name, router.qos_policy_id)
    return Row(router.id, columns, sequence, _document(router))


def _document(router: Router) -> bytes:
    """With all its gateways: of a row that older code saved only the first was shown."""
    return _encode(msgspec.structs.replace(router, external_gateways=router.gateways))
