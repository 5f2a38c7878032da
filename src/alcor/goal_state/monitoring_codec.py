"""The messages of what hosts write down, and of what they copy."""

from typing import Any

from alcor.goal_state.entries import AclLog, GroupLog, Mirror, PortLog
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.values.addresses import unpack_address


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


def _acl_log(log: AclLog) -> pb.AclLog:
    return pb.AclLog(accepted=log.accepted, dropped=log.dropped)


def _read_acl_log(parts: list[str], value: bytes) -> AclLog:
    found = pb.AclLog.FromString(value)
    return AclLog(parts[3], parts[1], found.accepted, found.dropped)


def _mirror(mirror: Mirror) -> pb.Mirror:
    return pb.Mirror(
        port_id=mirror.port_id,
        remote=mirror.remote.packed,
        erspan=mirror.erspan,
        ingress=mirror.ingress,
        egress=mirror.egress,
    )


def _read_mirror(parts: list[str], value: bytes) -> Mirror:
    """The mirror of these bytes; `ValueError` when it goes nowhere on the underlay."""
    found = pb.Mirror.FromString(value)
    remote = unpack_address(found.remote)
    if remote.version != 4:
        raise ValueError("the underlay is of IPv4")
    return Mirror(
        id=parts[3],
        host=parts[1],
        port_id=found.port_id,
        remote=remote,
        erspan=found.erspan,
        ingress=found.ingress if found.HasField("ingress") else None,
        egress=found.egress if found.HasField("egress") else None,
    )


KINDS: tuple[Kind[Any], ...] = (
    Kind(PortLog, "host/*/log/*", _port_log, _read_port_log),
    Kind(GroupLog, "group/*/log/*", _group_log, _read_group_log),
    Kind(AclLog, "acl/*/log/*", _acl_log, _read_acl_log),
    Kind(Mirror, "host/*/mirror/*", _mirror, _read_mirror),
)
