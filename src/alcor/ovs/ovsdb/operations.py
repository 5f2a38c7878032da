"""Operations of a transaction (RFC 7047, 5.2), and those that Open vSwitch's tables need.

Each function returns what `Ovsdb.transact` takes. Where a port goes must exist: the transaction is
refused otherwise, for a row that nothing refers to would be gone without a word.
Source: ovs-vswitchd.conf.db(5).
"""

from collections.abc import Mapping
from typing import Any

Operation = dict[str, Any]


def insert(table: str, row: Mapping[str, Any], name: str) -> Operation:
    """A new row, which the rest of the transaction may call `["named-uuid", name]`."""
    return {"op": "insert", "table": table, "row": dict(row), "uuid-name": name}


def by_name(name: str) -> list[Any]:
    """The condition that a row has this name."""
    return [["name", "==", name]]


def must_exist(table: str, name: str) -> Operation:
    """Refuse the transaction when there is no row of this name."""
    return {
        "op": "wait",
        "timeout": 0,
        "table": table,
        "where": by_name(name),
        "columns": ["name"],
        "until": "==",
        "rows": [{"name": name}],
    }


def add_to_set(table: str, where: list[Any], column: str, named: str) -> Operation:
    """Let a column refer to a row that this transaction inserts."""
    mutation = [column, "insert", ["set", [["named-uuid", named]]]]
    return {"op": "mutate", "table": table, "where": where, "mutations": [mutation]}


def delete_port(bridge: str, port_uuid: str) -> list[Operation]:
    """Take a port off its bridge; its rows then go by themselves."""
    mutation = ["ports", "delete", ["uuid", port_uuid]]
    mutate = {"op": "mutate", "table": "Bridge", "where": by_name(bridge), "mutations": [mutation]}
    return [must_exist("Bridge", bridge), mutate]
