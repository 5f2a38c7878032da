"""Who may see and use pools and scopes beside their owners: by policies, no longer by a column."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import sharing

# What was shared with all has such a policy from now on, under an id of its own: the object's.
_POLICIES = (
    "INSERT INTO rbac_policy SELECT id, project_id, '{table}', id, 'access_as_shared', '*', 0, "
    '\'{{"id":"\' || id || \'","object_type":"{table}","object_id":"\' || id || '
    '\'","action":"access_as_shared","target_tenant":"*","project_id":"\' || project_id || '
    '\'","tenant_id":"\' || project_id || \'"}}\' FROM {table} WHERE shared = 1'
)


def upgrade(database: Upgraded) -> None:
    for statement in sharing.SCHEMA:
        database.execute(statement)
    for table in ("subnetpool", "address_scope"):
        database.execute(_POLICIES.format(table=table))
        database.execute(f"ALTER TABLE {table} DROP COLUMN shared")
    database.execute(
        "INSERT INTO used SELECT 'rbac_policy', project_id, count(*) FROM rbac_policy "
        "GROUP BY project_id"
    )
