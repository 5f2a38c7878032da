"""The limits of projects, as every manager knows them: a read model of the quota manager's records.

A limit that was just changed is known some milliseconds later; usage itself is never late, since
each manager counts what it owns in its own transactions (`runtime/tables/usage.py`).
"""

from collections.abc import Mapping

from alcor.intent.follow import ReadModel, Ready
from alcor.intent.records import QuotaRecord
from alcor.keyed_log.log import KeyedLog


class QuotaLimits:
    """How much of each kind a project may have. Called, it is a `runtime.tables.usage.Limit`."""

    def __init__(self, default_by_kind: Mapping[str, int]) -> None:
        self._default_by_kind = default_by_kind
        self._model = ReadModel("quota")

    async def run(self, log: KeyedLog, rebuilt: Ready) -> None:
        """Keep the copy, for ever."""
        await self._model.run(log, rebuilt)

    def __call__(self, kind: str, project: str) -> int:
        """The project's own limit, or the default; -1: none."""
        default = self._default_by_kind.get(kind, -1)
        record = self._model.get(project)
        return record.limits.get(kind, default) if isinstance(record, QuotaRecord) else default
