"""The messages of what hosts write down."""

from typing import Any

from alcor.goal_state.entries import GroupLog, PortLog
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb


def _port_log(log: PortLog) -> pb.PortLog:
    return pb.PortLog(
        port_id=log.port_id, group_id=log.group_id, accepted=log.accepted, dropped=log.dropped
    )


def _read_port_log(parts: list[str], value: bytes) -> PortLog:
    found = pb.PortLog.FromString(value)
    return PortLog(parts[3], parts[1], found.port_id, found.group_id, found.accepted, found.dropped)


def _group_log(log: GroupLog) -> pb.GroupLog:
    return pb.GroupLog(accepted=log.accepted, dropped=log.dropped)


def _read_group_log(parts: list[str], value: bytes) -> GroupLog:
    found = pb.GroupLog.FromString(value)
    return GroupLog(parts[3], parts[1], found.accepted, found.dropped)


KINDS: tuple[Kind[Any], ...] = (
    Kind(PortLog, "host/*/log/*", _port_log, _read_port_log),
    Kind(GroupLog, "group/*/log/*", _group_log, _read_group_log),
)
