"""Flavors, service profiles, and which profiles a flavor has (in its document)."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE flavor (id TEXT PRIMARY KEY, name TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE TABLE service_profile (id TEXT PRIMARY KEY, driver TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
