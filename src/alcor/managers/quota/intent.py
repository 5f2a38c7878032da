"""What the intent log is told of limits. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import QuotaRecord
from alcor.managers.quota.model import Quota


def told(quota: Quota) -> Told:
    """That the project's limits are so."""
    record = QuotaRecord(id=quota.id, limits=quota.limits)
    return Told(records.key("quota", quota.id), records.encode(record))


def told_gone(project: str) -> Told:
    """That the project has no limits of its own."""
    return Told(records.key("quota", project), None)
