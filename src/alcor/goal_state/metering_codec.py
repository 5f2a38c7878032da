"""The messages of what routers count."""

from typing import Any
from urllib.parse import unquote

from alcor.goal_state.entries import MeteringRule
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import packed_prefix, read_prefix


def _rule(rule: MeteringRule) -> pb.MeteringRule:
    return pb.MeteringRule(
        label_id=rule.label_id,
        ingress=rule.ingress,
        excluded=rule.excluded,
        source=packed_prefix(rule.source) if rule.source else None,
        destination=packed_prefix(rule.destination) if rule.destination else None,
    )


def _read_rule(parts: list[str], value: bytes) -> MeteringRule:
    """The rule of these bytes; `ValueError` when it names no end, or ends of two families."""
    found = pb.MeteringRule.FromString(value)
    source = read_prefix(found.source) if found.HasField("source") else None
    destination = read_prefix(found.destination) if found.HasField("destination") else None
    if len({end.version for end in (source, destination) if end}) != 1:
        raise ValueError("a rule names one end, or two of one family")
    owner = unquote(parts[1])
    return MeteringRule(
        parts[3], found.label_id, owner, found.ingress, found.excluded, source, destination
    )


KINDS: tuple[Kind[Any], ...] = (Kind(MeteringRule, "metering/*/rule/*", _rule, _read_rule),)
