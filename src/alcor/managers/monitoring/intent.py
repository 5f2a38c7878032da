"""What the intent log is told of logs. Pure."""

from alcor.intent.records import LogRecord
from alcor.managers.monitoring.model.log import Log


def log_record(log: Log) -> LogRecord:
    """The record of a log."""
    return LogRecord(
        id=log.id,
        project_id=log.project_id,
        group_id=log.resource_id or "",
        port_id=log.target_id or "",
        accepted=log.enabled and log.event != "DROP",
        dropped=log.enabled and log.event != "ACCEPT",
    )
