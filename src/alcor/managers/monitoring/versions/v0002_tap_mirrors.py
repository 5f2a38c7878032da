"""Mirrors of ports, and the tunnel ids that they have."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE tap_mirror (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "port_id TEXT NOT NULL, in_tunnel BIGINT, out_tunnel BIGINT, sequence INTEGER NOT NULL, "
    "doc TEXT NOT NULL)",
    "CREATE INDEX tap_mirror_project ON tap_mirror (project_id, id)",
    "CREATE INDEX tap_mirror_port ON tap_mirror (port_id, id)",
    "CREATE INDEX tap_mirror_in ON tap_mirror (in_tunnel)",
    "CREATE INDEX tap_mirror_out ON tap_mirror (out_tunnel)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
