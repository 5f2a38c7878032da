"""The network ACL manager's store in SQLite: rows and outbox change in one transaction."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.intent.outbox import Told
from alcor.intent.store import ToldTransaction, living_of, told_rows
from alcor.managers.network_acl import intent
from alcor.managers.network_acl.model.acl import (
    NetworkAcl,
    NetworkAclIdInUse,
    NetworkAclNotFound,
    SubnetHasNetworkAcl,
)
from alcor.managers.network_acl.model.rule import (
    AclRule,
    NetworkAclRuleIdInUse,
    NetworkAclRuleNotFound,
    NetworkAclRuleNumberInUse,
    default_number,
)
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken

T = TypeVar("T")

ACLS = ResourceTable(
    "network_acl",
    "NetworkAcl",
    ("project_id", "network_id", "name"),
    conditions={"subnet_id": "id IN (SELECT acl_id FROM acl_subnet WHERE subnet_id IN ({}))"},
)
RULES = ResourceTable(
    "network_acl_rule", "NetworkAclRule", ("project_id", "network_acl_id", "direction", "number")
)

_encode = msgspec.json.Encoder().encode
_decode_acl = msgspec.json.Decoder(NetworkAcl).decode
_decode_rule = msgspec.json.Decoder(AclRule).decode


class SqlTransaction(ToldTransaction):
    """Keeps `needs.Transaction`."""

    def acl(self, id_: str, project: str | None) -> NetworkAcl:
        row = ACLS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise NetworkAclNotFound(id_)
        return _decode_acl(row.doc)

    def insert_acls(self, acls: Sequence[NetworkAcl]) -> list[Raw]:
        first = self._tell([intent.told_acl(acl) for acl in acls])
        rows = [_acl_row(acl, first + i) for i, acl in enumerate(acls)]
        try:
            ACLS.insert(self._connection, rows)
        except Taken:
            raise NetworkAclIdInUse from None
        for acl in acls:
            self._associate(acl)
        return [Raw(row.doc) for row in rows]

    def save_acl(self, acl: NetworkAcl) -> Raw:
        row = _acl_row(acl, self._tell([intent.told_acl(acl)]))
        ACLS.replace(self._connection, [row])
        self._associate(acl)
        return Raw(row.doc)

    def show_acl(self, acl: NetworkAcl) -> None:
        self._connection.execute(
            "UPDATE network_acl SET doc = ? WHERE id = ?", (_encode(acl).decode(), acl.id)
        )

    def remove_acl(self, id_: str) -> None:
        rules = RULES.where(self._connection, "network_acl_id = ?", (id_,))
        told = [_gone(rule) for row in rules if not (rule := _decode_rule(row.doc)).is_default]
        RULES.delete(self._connection, [row.id for row in rules])
        self._connection.execute("DELETE FROM acl_subnet WHERE acl_id = ?", (id_,))
        ACLS.delete(self._connection, [id_])
        self._tell([*told, intent.told_gone(intent.acl_kind, id_)])

    def acl_page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return ACLS.page(self._connection, query, project)

    def acls_of_network(self, network_id: str) -> list[NetworkAcl]:
        rows = ACLS.where(self._connection, "network_id = ?", (network_id,))
        return [_decode_acl(row.doc) for row in rows]

    def acl_of_subnet(self, subnet_id: str) -> NetworkAcl | None:
        condition = "id = (SELECT acl_id FROM acl_subnet WHERE subnet_id = ?)"
        rows = ACLS.where(self._connection, condition, (subnet_id,))
        return _decode_acl(rows[0].doc) if rows else None

    def network_ids(self) -> set[str]:
        rows = self._connection.execute("SELECT DISTINCT network_id FROM network_acl")
        return {id_ for (id_,) in rows}

    def rule(self, id_: str, project: str | None) -> AclRule:
        row = RULES.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise NetworkAclRuleNotFound(id_)
        return _decode_rule(row.doc)

    def rule_count(self, acl_id: str) -> int:
        (count,) = self._connection.execute(
            "SELECT count(*) FROM network_acl_rule WHERE network_acl_id = ? AND number <> ?",
            (acl_id, default_number),
        ).fetchone()
        return int(count)

    def insert_rules(self, rules: Sequence[AclRule]) -> list[Raw]:
        told = [intent.told_rule(rule) for rule in rules if not rule.is_default]
        first = self._tell(told)  # a default rule is no record of its own: the ACL's says it
        rows = [_rule_row(rule, first + i) for i, rule in enumerate(rules)]
        for rule, row in zip(rules, rows, strict=True):
            self._numbered(rule, partial(RULES.insert, self._connection, [row]))
        return [Raw(row.doc) for row in rows]

    def save_rule(self, rule: AclRule) -> Raw:
        row = _rule_row(rule, self._tell([intent.told_rule(rule)]))
        self._numbered(rule, partial(RULES.replace, self._connection, [row]))
        return Raw(row.doc)

    def remove_rule(self, id_: str) -> None:
        RULES.delete(self._connection, [id_])
        self._tell([intent.told_gone(intent.rule_kind, id_)])

    def rule_page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return RULES.page(self._connection, query, project)

    def _associate(self, acl: NetworkAcl) -> None:
        self._connection.execute("DELETE FROM acl_subnet WHERE acl_id = ?", (acl.id,))
        for subnet_id in acl.subnet_ids:
            other = self.acl_of_subnet(subnet_id)
            if other is not None:
                raise SubnetHasNetworkAcl(subnet_id, other.id)
            self._connection.execute("INSERT INTO acl_subnet VALUES (?, ?)", (subnet_id, acl.id))

    def _numbered(self, rule: AclRule, save: Callable[[], None]) -> None:
        try:
            save()
        except Taken as taken:
            if taken.columns == ("id",):
                raise NetworkAclRuleIdInUse from None
            raise NetworkAclRuleNumberInUse(rule.number, rule.direction) from None


def _ruled(connection: sqlite3.Connection, after: str, limit: int) -> list[Row]:
    """The rules that the log is told of: not those that every ACL ends with."""
    condition = "id > ? AND number <> ? ORDER BY id LIMIT ?"
    return RULES.where(connection, condition, (after, default_number, limit))


living = living_of(
    told_rows(ACLS.living, lambda row: intent.told_acl(_decode_acl(row.doc))),
    told_rows(_ruled, lambda row: intent.told_rule(_decode_rule(row.doc))),
)


def _acl_row(acl: NetworkAcl, sequence: int) -> Row:
    return Row(acl.id, (acl.project_id, acl.network_id, acl.name), sequence, _encode(acl))


def _rule_row(rule: AclRule, sequence: int) -> Row:
    columns = (rule.project_id, rule.network_acl_id, rule.direction, rule.number)
    return Row(rule.id, columns, sequence, _encode(rule))


def _gone(rule: AclRule) -> Told:
    return intent.told_gone(intent.rule_kind, rule.id)
