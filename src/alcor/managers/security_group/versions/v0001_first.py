"""Groups, rules, templates and address groups; the built-in templates are Neutron's.

A project has one default group, a group has a rule once. `owner` is the project of a rule's
group. `work` names what was begun with a group (`delete`, `stateful`) and must be finished, or
taken back, by whoever finds it.
"""

import json

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE security_group (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "name TEXT NOT NULL, is_default INTEGER NOT NULL, work TEXT NOT NULL DEFAULT '', "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX security_group_project ON security_group (project_id, id)",
    "CREATE INDEX security_group_name ON security_group (name, id)",
    "CREATE UNIQUE INDEX security_group_default ON security_group (project_id) "
    "WHERE is_default <> 0",
    "CREATE INDEX security_group_work ON security_group (id) WHERE work != ''",
    "CREATE TABLE security_group_rule (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "security_group_id TEXT NOT NULL, owner TEXT NOT NULL, remote_group_id TEXT, "
    "remote_address_group_id TEXT, traffic_key TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX security_group_rule_owner ON security_group_rule (owner, id)",
    "CREATE INDEX security_group_rule_group ON security_group_rule (security_group_id, id)",
    "CREATE UNIQUE INDEX security_group_rule_key "
    "ON security_group_rule (security_group_id, traffic_key)",
    "CREATE INDEX security_group_rule_remote ON security_group_rule (remote_group_id)",
    "CREATE INDEX security_group_rule_addresses ON security_group_rule (remote_address_group_id)",
    "CREATE TABLE default_security_group_rule (id TEXT PRIMARY KEY, remote_group_id TEXT, "
    "remote_address_group_id TEXT, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE TABLE address_group (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "name TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX address_group_project ON address_group (project_id, id)",
)


def _templates() -> list[tuple[str, str | None, str]]:
    """Egress to all from every group; ingress to a default group from its own members."""
    rows: list[tuple[str, str | None, str]] = []
    for direction in ("egress", "ingress"):
        for ethertype in ("IPv4", "IPv6"):
            id_ = f"00000000-0000-4000-8000-00000000000{len(rows) + 1}"
            remote = "PARENT" if direction == "ingress" else None
            document = {
                "id": id_,
                "description": f"Legacy default SG rule for {direction} traffic",
                "direction": direction,
                "ethertype": ethertype,
                "protocol": None,
                "port_range_min": None,
                "port_range_max": None,
                "remote_ip_prefix": None,
                "remote_group_id": remote,
                "remote_address_group_id": None,
                "used_in_default_sg": True,
                "used_in_non_default_sg": direction == "egress",
            }
            rows.append((id_, remote, json.dumps(document)))
    return rows


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
    for row in _templates():
        database.execute("INSERT INTO default_security_group_rule VALUES (?, ?, NULL, 0, ?)", row)
