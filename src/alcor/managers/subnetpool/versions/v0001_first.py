"""Address scopes, subnet pools, and which subnet has which prefix of a pool."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage

SCHEMA = (
    "CREATE TABLE address_scope (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "name TEXT NOT NULL, shared INTEGER NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX address_scope_project ON address_scope (project_id, id)",
    "CREATE TABLE subnetpool (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "shared INTEGER NOT NULL, is_default INTEGER NOT NULL, ip_version INTEGER NOT NULL, "
    "address_scope_id TEXT, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX subnetpool_project ON subnetpool (project_id, id)",
    "CREATE INDEX subnetpool_scope ON subnetpool (address_scope_id)",
    "CREATE UNIQUE INDEX subnetpool_default ON subnetpool (ip_version) WHERE is_default = 1",
    "CREATE TABLE allocation (subnet_id TEXT PRIMARY KEY, pool_id TEXT NOT NULL, "
    "project_id TEXT NOT NULL, cidr TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX allocation_pool ON allocation (pool_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA, *usage.schema_of("subnetpool")):
        database.execute(statement)
