"""How the monitoring manager keeps its kinds."""

from collections.abc import Mapping, Sequence
from typing import Any

from alcor.managers.monitoring import intent
from alcor.managers.monitoring.model.log import Log
from alcor.runtime.kept import Kept, living_of
from alcor.runtime.resource_table import ResourceTable

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
living = living_of(LOGS)

# By the kind that may go: what goes with it, and the column that says which it is about.
ABOUT: Mapping[str, Sequence[tuple[Kept[Any], str]]] = {
    "port": ((LOGS, "target_id"),),
    "security_group": ((LOGS, "resource_id"),),
}
