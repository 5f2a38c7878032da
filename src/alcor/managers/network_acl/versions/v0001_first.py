"""Network ACLs, the subnets they are associated with, and their rules.

A subnet has one ACL, a direction of an ACL has a number once.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE network_acl (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "network_id TEXT NOT NULL, name TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX network_acl_project ON network_acl (project_id, id)",
    "CREATE INDEX network_acl_network ON network_acl (network_id, id)",
    "CREATE TABLE acl_subnet (subnet_id TEXT PRIMARY KEY, acl_id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX acl_subnet_acl ON acl_subnet (acl_id)",
    "CREATE TABLE network_acl_rule (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "network_acl_id TEXT NOT NULL, direction TEXT NOT NULL, number INTEGER NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX network_acl_rule_project ON network_acl_rule (project_id, id)",
    "CREATE UNIQUE INDEX network_acl_rule_number "
    "ON network_acl_rule (network_acl_id, direction, number)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
