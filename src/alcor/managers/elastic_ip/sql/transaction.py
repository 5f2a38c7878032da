"""One transaction of this manager's database."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.intent.store import ToldTransaction
from alcor.managers.elastic_ip import intent
from alcor.managers.elastic_ip.model.floating_ip import Held
from alcor.managers.elastic_ip.model.ndp_proxy import NdpProxy
from alcor.managers.elastic_ip.model.port_forwarding import Forwarding
from alcor.managers.elastic_ip.model.refusals import (
    FloatingIpIdInUse,
    FloatingIPNotFound,
    FloatingIPPortAlreadyAssociated,
    PortForwardingIdInUse,
    PortForwardingNotFound,
)
from alcor.managers.elastic_ip.needs import Note
from alcor.managers.elastic_ip.sql.ndp_proxies import NDP_PROXIES
from alcor.managers.elastic_ip.sql.tables import (
    FLOATING_IPS,
    FORWARDINGS,
    floating_ip_row,
    forwarding_of,
    forwarding_row,
    held_of,
)
from alcor.runtime.sql.database import each_of
from alcor.runtime.tables import fences, usage
from alcor.runtime.tables.resource_table import Row, Taken
from alcor.values.qos import QosPolicyNotFound

_HOPS = (
    "SELECT value FROM json_each(?) WHERE EXISTS "
    "(SELECT 1 FROM {table} WHERE interface_port_id = value OR gateway_port_id = value)"
)
_INTERNAL = (
    "SELECT port_id FROM floatingip WHERE port_id IS NOT NULL "
    "UNION SELECT internal_port_id FROM port_forwarding UNION SELECT port_id FROM ndp_proxy"
)


class SqlTransaction(ToldTransaction):
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, trace: str, quota: usage.Limit) -> None:
        super().__init__(connection, trace)
        self._quota = quota

    def page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return FLOATING_IPS.page(self._connection, query, project)

    def floating_ip(self, id_: str, project: str | None) -> Held:
        row = FLOATING_IPS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise FloatingIPNotFound(id_)
        return held_of(row)

    def insert(self, held: Sequence[Held]) -> None:
        self._put(held, FLOATING_IPS.insert)
        projects = {each.ip.project_id for each in held}
        usage.check(self._connection, FLOATING_IPS.name, projects, self._quota)

    def save(self, held: Held) -> None:
        self._put([held], FLOATING_IPS.replace)

    def _put(
        self, held: Sequence[Held], put: Callable[[sqlite3.Connection, Sequence[Row]], None]
    ) -> None:
        first = self._tell([intent.told_floating_ip(each) for each in held])
        try:
            put(self._connection, [floating_ip_row(each, first + i) for i, each in enumerate(held)])
        except Taken as taken:
            raise _refusal(taken, held[0]) from None

    def check_policy(self, id_: str | None, project: str | None) -> None:
        if id_ and not fences.may_refer(self._connection, id_, project):
            raise QosPolicyNotFound(id_)

    def remove(self, id_: str) -> None:
        FLOATING_IPS.delete(self._connection, [id_])
        self._tell([intent.told_gone(intent.floating_ip_kind, id_)])

    def documents(self, ids: Sequence[str]) -> list[Raw]:
        rows = FLOATING_IPS.rows(self._connection, ids)
        return [Raw(rows[id_].doc) for id_ in ids]

    def unused_on(self, network_ids: Sequence[str]) -> list[Held]:
        condition = (
            "floating_network_id IN (SELECT value FROM json_each(?)) AND router_id IS NULL "
            "ORDER BY id"
        )
        rows = FLOATING_IPS.where(self._connection, condition, (each_of(network_ids),))
        return [held_of(row) for row in rows]

    def given_to(self, port_ids: Sequence[str]) -> list[Held]:
        condition = "port_id IN (SELECT value FROM json_each(?)) ORDER BY id"
        rows = FLOATING_IPS.where(self._connection, condition, (each_of(port_ids),))
        return [held_of(row) for row in rows]

    def forwarding_page(self, query: ListQuery) -> list[Raw]:
        return FORWARDINGS.page(self._connection, query)

    def forwarding(self, id_: str, project: str | None) -> Forwarding:
        row = FORWARDINGS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise PortForwardingNotFound(id_)
        return forwarding_of(row)

    def forwardings_of(self, floatingip_ids: Sequence[str]) -> list[Forwarding]:
        return self._forwardings("floatingip_id", floatingip_ids)

    def forwardings_to(self, port_ids: Sequence[str]) -> list[Forwarding]:
        return self._forwardings("internal_port_id", port_ids)

    def _forwardings(self, column: str, ids: Sequence[str]) -> list[Forwarding]:
        condition = f"{column} IN (SELECT value FROM json_each(?)) ORDER BY id"
        rows = FORWARDINGS.where(self._connection, condition, (each_of(ids),))
        return [forwarding_of(row) for row in rows]

    def insert_forwarding(self, forwarding: Forwarding) -> Raw:
        try:
            return self._put_forwarding(forwarding, FORWARDINGS.insert)
        except Taken:
            raise PortForwardingIdInUse from None

    def save_forwarding(self, forwarding: Forwarding) -> Raw:
        return self._put_forwarding(forwarding, FORWARDINGS.replace)

    def _put_forwarding(
        self, forwarding: Forwarding, put: Callable[[sqlite3.Connection, Sequence[Row]], None]
    ) -> Raw:
        row = forwarding_row(forwarding, self._tell([intent.told_port_forwarding(forwarding)]))
        put(self._connection, [row])
        return Raw(row.doc)

    def remove_forwarding(self, id_: str) -> None:
        FORWARDINGS.delete(self._connection, [id_])
        self._tell([intent.told_gone(intent.port_forwarding_kind, id_)])

    def internal_ports(self) -> set[str]:
        return {port_id for (port_id,) in self._connection.execute(_INTERNAL)}

    def hops_used(self, ids: Sequence[str]) -> set[str]:
        used: set[str] = set()
        for table in (FLOATING_IPS.name, FORWARDINGS.name):
            rows = self._connection.execute(_HOPS.format(table=table), (each_of(ids),))
            used |= {value for (value,) in rows}
        return used | self.hops_proxied(ids)

    def hops_proxied(self, ids: Sequence[str]) -> set[str]:
        statement = _HOPS.format(table=NDP_PROXIES.table.name)
        return {value for (value,) in self._connection.execute(statement, (each_of(ids),))}

    def proxies_to(self, port_ids: Sequence[str]) -> list[NdpProxy]:
        condition = "port_id IN (SELECT value FROM json_each(?)) ORDER BY id"
        rows = NDP_PROXIES.table.where(self._connection, condition, (each_of(port_ids),))
        return [NDP_PROXIES.decode(row.doc) for row in rows]

    def remove_proxy(self, id_: str) -> None:
        NDP_PROXIES.table.delete(self._connection, [id_])
        self._tell([NDP_PROXIES.gone(id_)])

    def fenced(self, ids: Sequence[str]) -> set[str]:
        return fences.fenced(self._connection, ids)

    def fence(self, ids: Iterable[str]) -> None:
        fences.fence(self._connection, ids)

    def lift(self, ids: Iterable[str]) -> None:
        fences.lift(self._connection, ids)

    def note(self, notes: Iterable[Note]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO unsettled VALUES (?, ?)", [tuple(note) for note in notes]
        )

    def settled(self, port_ids: Iterable[str]) -> None:
        self._each("DELETE FROM unsettled WHERE port_id = ?", port_ids)

    def standing(self, notes: Sequence[Note]) -> list[Note]:
        statement = "SELECT 1 FROM unsettled WHERE port_id = ? AND floatingip_id = ?"
        return [note for note in notes if self._connection.execute(statement, note).fetchone()]

    def notes(self, after: str, limit: int) -> list[Note]:
        rows = self._connection.execute(
            "SELECT port_id, floatingip_id FROM unsettled WHERE port_id > ? "
            "ORDER BY port_id LIMIT ?",
            (after, limit),
        )
        return [Note(*row) for row in rows]

    def _each(self, statement: str, ids: Iterable[str]) -> None:
        self._connection.executemany(statement, [(id_,) for id_ in ids])


def _refusal(taken: Taken, held: Held) -> Exception:
    if taken.columns == ("id",):
        return FloatingIpIdInUse("Unable to create the floating IP. Its id is in use.")
    ip = held.ip
    return FloatingIPPortAlreadyAssociated(
        ip.floating_ip_address,
        ip.id,
        ip.port_id or "",
        ip.fixed_ip_address or "",
        ip.floating_network_id,
    )
