"""Transactions of this manager's database, and what the relay publishes again after a start."""

import sqlite3
from collections.abc import Iterable

from alcor.intent.store import living_of, told_rows
from alcor.managers.security_group import intent
from alcor.managers.security_group.sql.groups import GroupTransaction
from alcor.managers.security_group.sql.others import (
    AddressGroupTransaction,
    TemplateTransaction,
)
from alcor.managers.security_group.sql.tables import (
    ADDRESS_GROUPS,
    GROUPS,
    RULES,
    decode_address_group,
    decode_group,
    decode_rule,
)
from alcor.runtime.tables import usage


class SqlTransaction(GroupTransaction, TemplateTransaction, AddressGroupTransaction):
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, trace: str, quota: usage.Limit) -> None:
        super().__init__(connection, trace)
        self._quota = quota

    def check_quota(self, kind: str, projects: Iterable[str]) -> None:
        usage.check(self._connection, kind, projects, self._quota)


living = living_of(
    told_rows(GROUPS.living, lambda row: intent.told_group(decode_group(row.doc))),
    told_rows(RULES.living, lambda row: intent.told_rule(decode_rule(row.doc))),
    told_rows(
        ADDRESS_GROUPS.living,
        lambda row: intent.told_address_group(decode_address_group(row.doc)),
    ),
)
