"""What the intent log is told of logs and mirrors. Pure."""

from alcor.intent.watching_records import LogRecord, TapMirrorRecord
from alcor.managers.monitoring.model.log import NETWORK_ACL, Log
from alcor.managers.monitoring.model.mirror import ERSPAN, TapMirror


def log_record(log: Log) -> LogRecord:
    """The record of a log."""
    return LogRecord(
        id=log.id,
        project_id=log.project_id,
        group_id=log.resource_id or "",  # of an ACL too: to older planners a group without ports
        port_id=log.target_id or "",
        accepted=log.enabled and log.event != "DROP",
        dropped=log.enabled and log.event != "ACCEPT",
        acl_id=(log.resource_id or "") if log.resource_type == NETWORK_ACL else "",
    )


def mirror_record(mirror: TapMirror) -> TapMirrorRecord:
    """The record of a mirror."""
    return TapMirrorRecord(
        id=mirror.id,
        project_id=mirror.project_id,
        port_id=mirror.port_id,
        remote_ip=mirror.remote_ip,
        erspan=mirror.mirror_type == ERSPAN,
        in_tunnel=mirror.in_tunnel,
        out_tunnel=mirror.out_tunnel,
    )
