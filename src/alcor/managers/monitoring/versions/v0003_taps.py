"""Tap services with the numbers of their copies, and tap flows."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE tap_service (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "port_id TEXT NOT NULL, number BIGINT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX tap_service_project ON tap_service (project_id, id)",
    "CREATE INDEX tap_service_port ON tap_service (port_id, id)",
    "CREATE UNIQUE INDEX tap_service_number ON tap_service (number)",
    "CREATE TABLE tap_flow (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "tap_service_id TEXT NOT NULL, source_port TEXT NOT NULL, tap_port TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX tap_flow_project ON tap_flow (project_id, id)",
    "CREATE INDEX tap_flow_service ON tap_flow (tap_service_id, id)",
    "CREATE INDEX tap_flow_source ON tap_flow (source_port, id)",
    "CREATE INDEX tap_flow_tap ON tap_flow (tap_port, id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
