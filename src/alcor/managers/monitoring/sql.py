"""How the monitoring manager keeps its kinds."""

from collections.abc import Mapping, Sequence
from typing import Any

from alcor.managers.monitoring import intent
from alcor.managers.monitoring.model.log import Log
from alcor.managers.monitoring.model.mirror import TapMirror
from alcor.managers.monitoring.model.tap import TapFlow, TapService
from alcor.runtime.managing.kept import Kept, living_of
from alcor.runtime.tables.resource_table import ResourceTable

LOGS = Kept(
    "log",
    ResourceTable(
        "log",
        "LogResource",
        ("project_id", "resource_id", "target_id"),
        nullable=frozenset(("resource_id", "target_id")),
    ),
    Log,
    intent.log_record,
)
MIRRORS = Kept(
    "tap_mirror",
    ResourceTable(
        "tap_mirror",
        "TapMirror",
        ("project_id", "port_id", "in_tunnel", "out_tunnel"),
        nullable=frozenset(("in_tunnel", "out_tunnel")),
    ),
    TapMirror,
    intent.mirror_record,
)
TAP_SERVICES = Kept(
    "tap_service",
    ResourceTable("tap_service", "TapService", ("project_id", "port_id", "number")),
    TapService,
    intent.tap_service_record,
)
TAP_FLOWS = Kept(
    "tap_flow",
    ResourceTable(
        "tap_flow", "TapFlow", ("project_id", "tap_service_id", "source_port", "tap_port")
    ),
    TapFlow,
    intent.tap_flow_record,
)
living = living_of(LOGS, MIRRORS, TAP_SERVICES, TAP_FLOWS)


def resource_of(log: Log, kind: str) -> str | None:
    """The resource that a log is about, if it is of this kind."""
    return log.resource_id if log.resource_type == kind else None


# By the kind that may go: what goes with it, and the column that says which it is about.
ABOUT: Mapping[str, Sequence[tuple[Kept[Any], str]]] = {
    "port": (
        (LOGS, "target_id"),
        (MIRRORS, "port_id"),
        (TAP_SERVICES, "port_id"),
        (TAP_FLOWS, "source_port"),
        (TAP_FLOWS, "tap_port"),
    ),
    "security_group": ((LOGS, "resource_id"),),
    "network_acl": ((LOGS, "resource_id"),),
}
