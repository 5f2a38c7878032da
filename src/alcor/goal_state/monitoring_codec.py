"""The messages of what hosts write down, and of what they copy."""

from typing import Any

from alcor.goal_state.entries import AclLog, GroupLog, Mirror, PortLog, Tap, TapFlow
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


def _tap(tap: Tap) -> pb.Tap:
    return pb.Tap(port_id=tap.port_id, number=tap.number)


def _read_tap(parts: list[str], value: bytes) -> Tap:
    """The tap of these bytes; `ValueError` when no tunnel has its number."""
    found = pb.Tap.FromString(value)
    return Tap(parts[3], parts[1], found.port_id, _number(found.number))


def _tap_flow(flow: TapFlow) -> pb.TapFlow:
    return pb.TapFlow(
        port_id=flow.port_id,
        tap_port_id=flow.tap_port_id,
        number=flow.number,
        endpoints=[each.packed for each in flow.endpoints],
        ingress=flow.ingress,
        egress=flow.egress,
    )


def _read_tap_flow(parts: list[str], value: bytes) -> TapFlow:
    """The flow of these bytes; `ValueError` when no tunnel leads where it goes."""
    found = pb.TapFlow.FromString(value)
    endpoints = tuple(map(unpack_address, found.endpoints))
    if any(each.version != 4 for each in endpoints):
        raise ValueError("the underlay is of IPv4")
    return TapFlow(
        id=parts[3],
        host=parts[1],
        port_id=found.port_id,
        tap_port_id=found.tap_port_id,
        number=_number(found.number),
        endpoints=endpoints,
        ingress=found.ingress,
        egress=found.egress,
    )


def _number(found: int) -> int:
    if not 0 < found < 1 << 24:
        raise ValueError(f"a tap has no number {found}")
    return found


KINDS: tuple[Kind[Any], ...] = (
    Kind(PortLog, "host/*/log/*", _port_log, _read_port_log),
    Kind(GroupLog, "group/*/log/*", _group_log, _read_group_log),
    Kind(AclLog, "acl/*/log/*", _acl_log, _read_acl_log),
    Kind(Mirror, "host/*/mirror/*", _mirror, _read_mirror),
    Kind(Tap, "host/*/tap/*", _tap, _read_tap),
    Kind(TapFlow, "host/*/tapflow/*", _tap_flow, _read_tap_flow),
)
