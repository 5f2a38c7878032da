"""Routers' conntrack helpers."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE conntrack_helper (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "router_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX conntrack_helper_router ON conntrack_helper (router_id, id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
