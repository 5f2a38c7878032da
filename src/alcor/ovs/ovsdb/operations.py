"""Operations of a transaction (RFC 7047, 5.2), and those that Open vSwitch's tables need.

Each function returns what `Ovsdb.transact` takes. Where a port goes must exist: the transaction is
refused otherwise, for a row that nothing refers to would be gone without a word.
Source: ovs-vswitchd.conf.db(5).
"""

from collections.abc import Mapping, Sequence
from typing import Any

Operation = dict[str, Any]
_ROOT = "Open_vSwitch"


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


def add_port(bridge: str, name: str, interface: Mapping[str, Any]) -> list[Operation]:
    """A port of one interface on a bridge; `interface` holds its columns, as on the wire.

    Several may go into one transaction.
    """
    own = name.encode().hex()  # a row is called by letters, digits and _ only
    return [
        must_exist("Bridge", bridge),
        insert("Interface", {**interface, "name": name}, f"interface_{own}"),
        insert(
            "Port", {"name": name, "interfaces": ["named-uuid", f"interface_{own}"]}, f"p_{own}"
        ),
        add_to_set("Bridge", by_name(bridge), "ports", f"p_{own}"),
    ]


def delete_port(bridge: str, port_uuid: str) -> list[Operation]:
    """Take a port off its bridge; its rows then go by themselves."""
    mutation = ["ports", "delete", ["uuid", port_uuid]]
    mutate = {"op": "mutate", "table": "Bridge", "where": by_name(bridge), "mutations": [mutation]}
    return [must_exist("Bridge", bridge), mutate]


NEXT_CONFIGURATION: Sequence[Operation] = (
    {"op": "mutate", "table": _ROOT, "where": [], "mutations": [["next_cfg", "+=", 1]]},
    {"op": "select", "table": _ROOT, "where": [], "columns": ["next_cfg"]},
)


def wait_for_configuration(number: int, timeout_s: float) -> Operation:
    """Wait until the switch says that it has done configuration `number` or a later one."""
    return {
        "op": "wait",
        "timeout": int(timeout_s * 1000),
        "table": _ROOT,
        "where": [["cur_cfg", ">=", number]],
        "columns": ["cur_cfg"],
        "until": "!=",
        "rows": [],
    }
