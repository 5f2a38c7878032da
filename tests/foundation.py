"""What a test builds one manager on."""

from alcor.keyed_log.log import KeyedLog
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.clock import new_id as any_id
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.sql.places import Place
from alcor.runtime.tables.usage import Limit, unlimited


def foundation(
    place: Place,
    intent: KeyedLog | None = None,
    reports: KeyedLog | None = None,
    *,
    clock: Seconds = lambda: 0.0,
    new_id: NewId = any_id,
    quota: Limit = unlimited,
) -> Foundation:
    """Logs of its own where none are given; the intent log has been told all there is."""
    intent, reports = intent or MemoryLog(1), reports or MemoryLog(1)
    return Foundation(place, intent, reports, _rebuilt, clock, new_id, quota)


async def _rebuilt() -> None: ...
