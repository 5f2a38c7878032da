"""The messages of QoS policies."""

from typing import Any

from alcor.goal_state.entries import Limit, QosPolicy
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb

_DSCP_MAX = 63


def _policy(policy: QosPolicy) -> pb.QosPolicy:
    return pb.QosPolicy(
        limits=[
            pb.Limit(
                ingress=each.ingress,
                per_packet=each.per_packet,
                rate=each.rate,
                burst=each.burst,
            )
            for each in policy.limits
        ],
        dscp=policy.dscp,
        minimum=policy.minimum,
    )


def _read_policy(parts: list[str], value: bytes) -> QosPolicy:
    """The policy of these bytes; `ValueError` when it can't be one."""
    message = pb.QosPolicy.FromString(value)
    limits = tuple(
        Limit(each.ingress, each.per_packet, each.rate, each.burst) for each in message.limits
    )
    if len({each[:2] for each in limits}) < len(limits):
        raise ValueError("two limits of one kind and direction")
    if any(each.rate == 0 or each.burst == 0 for each in limits):
        raise ValueError("a limit that lets nothing pass")
    if message.dscp > _DSCP_MAX:
        raise ValueError(f"a DSCP has 6 bits, not {message.dscp}")
    dscp = message.dscp if message.HasField("dscp") else None
    return QosPolicy(parts[1], limits, dscp, message.minimum)


KINDS: tuple[Kind[Any], ...] = (Kind(QosPolicy, "policy/*/policy", _policy, _read_policy),)
