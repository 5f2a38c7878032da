"""The QoS manager's store: policies with their rules, and which policy has which rule."""

import sqlite3
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.sharing import AS_SHARED
from alcor.intent.store import ToldTransaction, told_rows
from alcor.managers.qos import intent
from alcor.managers.qos.model.policy import QosPolicy
from alcor.managers.qos.model.refusals import QoSPolicyDefaultAlreadyExists, QosPolicyIdInUse
from alcor.runtime.tables import sharing
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken
from alcor.runtime.tables.sharing import Viewer
from alcor.values.qos import QosPolicyNotFound

POLICIES = ResourceTable(
    "qos_policy", "QosPolicy", ("project_id", "name", "is_default"), tagged=True
)
VISIBLE_BY = (AS_SHARED,)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(QosPolicy).decode


class SqlTransaction(ToldTransaction):
    """Keeps `needs.Transaction`."""

    def policy(self, id_: str, project: str | None) -> QosPolicy:
        row = POLICIES.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise QosPolicyNotFound(id_)
        return _decode(row.doc)

    def usable(self, ids: Sequence[str], project: str | None) -> list[QosPolicy]:
        rows = POLICIES.rows(self._connection, ids)
        found = [_decode(row.doc) for row in rows.values()]
        return [
            each
            for each in found
            if self._is_usable(each, project) and self.work_on(each.id) != "delete"
        ]

    def default_of(self, project: str) -> QosPolicy | None:
        condition = "project_id = ? AND is_default <> 0"
        rows = POLICIES.where(self._connection, condition, (project,))
        return _decode(rows[0].doc) if rows else None

    def policy_of_rule(self, rule_id: str) -> str:
        statement = "SELECT policy_id FROM qos_rule WHERE id = ?"
        row = self._connection.execute(statement, (rule_id,)).fetchone()
        return "" if row is None else str(row[0])

    def visible(self, viewer: Viewer) -> list[QosPolicy]:
        return [_decode(bytes(each)) for each in self.page(ListQuery(), viewer)]

    def insert(self, policies: Sequence[QosPolicy]) -> list[Raw]:
        first = self._tell([intent.told_policy(each) for each in policies])
        rows = [_row(each, first + i) for i, each in enumerate(policies)]
        for row in rows:
            self._put(row, POLICIES.insert)
        return [Raw(row.doc) for row in rows]

    def save(self, policy: QosPolicy) -> Raw:
        row = _row(policy, self._tell([intent.told_policy(policy)]))
        self._put(row, POLICIES.replace)
        self._drop_rules(policy.id)
        self._connection.executemany(
            "INSERT INTO qos_rule VALUES (?, ?)", [(each.id, policy.id) for each in policy.rules]
        )
        return Raw(row.doc)

    def remove(self, id_: str) -> None:
        POLICIES.delete(self._connection, [id_])
        self._drop_rules(id_)
        sharing.drop_object(self._connection, id_)
        self._tell([intent.told_gone(id_)])

    def work_on(self, id_: str) -> str:
        statement = "SELECT work FROM qos_policy WHERE id = ?"
        row = self._connection.execute(statement, (id_,)).fetchone()
        return str(row[0]) if row else ""

    def set_work(self, id_: str, work: str) -> None:
        self._connection.execute("UPDATE qos_policy SET work = ? WHERE id = ?", (work, id_))

    def works(self) -> list[tuple[str, str]]:
        return list(self._connection.execute("SELECT id, work FROM qos_policy WHERE work != ''"))

    def page(self, query: ListQuery, viewer: Viewer) -> list[Raw]:
        return sharing.objects_page(self._connection, POLICIES, VISIBLE_BY, query, viewer)

    def share(self, id_: str, new_id: str) -> None:
        sharing.toggle(self._connection, POLICIES, id_, AS_SHARED, new_id)

    def _is_usable(self, policy: QosPolicy, project: str | None) -> bool:
        return project in (None, policy.project_id) or sharing.is_visible(
            self._connection, policy.id, VISIBLE_BY, str(project)
        )

    def _put(self, row: Row, put: Callable[[sqlite3.Connection, Sequence[Row]], None]) -> None:
        try:
            put(self._connection, [row])
        except Taken as taken:
            if taken.columns == ("id",):
                raise QosPolicyIdInUse from None
            raise QoSPolicyDefaultAlreadyExists(str(row.columns[0])) from None

    def _drop_rules(self, policy_id: str) -> None:
        self._connection.execute("DELETE FROM qos_rule WHERE policy_id = ?", (policy_id,))


living = told_rows(POLICIES.living, lambda row: intent.told_policy(_decode(row.doc)))


def _row(policy: QosPolicy, sequence: int) -> Row:
    columns = (policy.project_id, policy.name, int(policy.is_default))
    return Row(policy.id, columns, sequence, _encode(policy))
