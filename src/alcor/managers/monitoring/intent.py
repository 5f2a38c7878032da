"""What the intent log is told of logs, mirrors and taps. Pure."""

from alcor.intent.watching_records import (
    LogRecord,
    TapFlowRecord,
    TapMirrorRecord,
    TapServiceRecord,
)
from alcor.managers.monitoring.model.log import NETWORK_ACL, Log
from alcor.managers.monitoring.model.mirror import ERSPAN, TapMirror
from alcor.managers.monitoring.model.tap import BOTH, IN, OUT, TapFlow, TapService


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


def tap_service_record(service: TapService) -> TapServiceRecord:
    """The record of a tap service."""
    return TapServiceRecord(
        id=service.id,
        project_id=service.project_id,
        port_id=service.port_id,
        number=service.number,
    )


def tap_flow_record(flow: TapFlow) -> TapFlowRecord:
    """The record of a tap flow."""
    return TapFlowRecord(
        id=flow.id,
        project_id=flow.project_id,
        tap_service_id=flow.tap_service_id,
        port_id=flow.source_port,
        tap_port_id=flow.tap_port,
        number=flow.number,
        ingress=flow.direction in (IN, BOTH),
        egress=flow.direction in (OUT, BOTH),
    )
