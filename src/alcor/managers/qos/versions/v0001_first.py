"""Policies, which policy has which rule, and who may use policies of others.

A project has one default policy. `work` names what was begun with a policy (`delete`, `rules`) and
must be finished, or taken back, by whoever finds it.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import sharing, usage

SCHEMA = (
    "CREATE TABLE qos_policy (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "is_default INTEGER NOT NULL, work TEXT NOT NULL DEFAULT '', sequence INTEGER NOT NULL, "
    "doc TEXT NOT NULL)",
    "CREATE INDEX qos_policy_project ON qos_policy (project_id, id)",
    "CREATE INDEX qos_policy_name ON qos_policy (name, id)",
    "CREATE UNIQUE INDEX qos_policy_default ON qos_policy (project_id) WHERE is_default <> 0",
    "CREATE INDEX qos_policy_work ON qos_policy (id) WHERE work != ''",
    "CREATE TABLE qos_rule (id TEXT PRIMARY KEY, policy_id TEXT NOT NULL)",
    "CREATE INDEX qos_rule_policy ON qos_rule (policy_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA, *sharing.SCHEMA, *usage.schema_of("rbac_policy")):
        database.execute(statement)
