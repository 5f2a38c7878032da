"""The messages of security groups, their rules and members, and of address groups."""

from typing import Any

from alcor.goal_state.entries import Addresses, Group, Member, Rule
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import packed_prefix, read_byte, read_ports, read_prefix


def _group(group: Group) -> pb.Group:
    return pb.Group(stateful=group.stateful)


def _rule(rule: Rule) -> pb.Rule:
    return pb.Rule(
        ingress=rule.ingress,
        ip_version=rule.version,
        protocol=rule.protocol,
        ports=pb.PortRange(first=rule.ports[0], last=rule.ports[1]) if rule.ports else None,
        icmp_type=rule.icmp_type,
        icmp_code=rule.icmp_code,
        remote=packed_prefix(rule.remote) if rule.remote else None,
        remote_group_id=rule.remote_group_id,
        remote_addresses_id=rule.remote_addresses_id,
    )


def _member(member: Member) -> pb.Member:
    return pb.Member(prefixes=map(packed_prefix, member.prefixes))


def _addresses(addresses: Addresses) -> pb.Addresses:
    return pb.Addresses(prefixes=map(packed_prefix, addresses.prefixes))


def _read_group(parts: list[str], value: bytes) -> Group:
    """The security group of these bytes."""
    return Group(id=parts[1], stateful=pb.Group.FromString(value).stateful)


def _read_rule(parts: list[str], value: bytes) -> Rule:
    """The rule of these bytes; `ValueError` when it can't be one, as half a rule lets too much
    pass."""
    message = pb.Rule.FromString(value)
    if message.ip_version not in (4, 6):
        raise ValueError(f"there is no IP version {message.ip_version}")
    remote = read_prefix(message.remote) if message.HasField("remote") else None
    if remote is not None and remote.version != message.ip_version:
        raise ValueError(f"{remote} is not of IP version {message.ip_version}")
    return Rule(
        id=parts[3],
        group_id=parts[1],
        ingress=message.ingress,
        version=message.ip_version,
        protocol=read_byte(message.protocol) if message.HasField("protocol") else None,
        ports=read_ports(message.ports) if message.HasField("ports") else None,
        icmp_type=read_byte(message.icmp_type) if message.HasField("icmp_type") else None,
        icmp_code=read_byte(message.icmp_code) if message.HasField("icmp_code") else None,
        remote=remote,
        remote_group_id=message.remote_group_id,
        remote_addresses_id=message.remote_addresses_id,
    )


def _read_member(parts: list[str], value: bytes) -> Member:
    """The member of these bytes; `ValueError` when one of its prefixes is none."""
    prefixes = pb.Member.FromString(value).prefixes
    return Member(parts[1], parts[3], tuple(map(read_prefix, prefixes)))


def _read_addresses(parts: list[str], value: bytes) -> Addresses:
    """The address group of these bytes; `ValueError` when one of its prefixes is none."""
    return Addresses(parts[1], tuple(map(read_prefix, pb.Addresses.FromString(value).prefixes)))


KINDS: tuple[Kind[Any], ...] = (
    Kind(Group, "group/*/group", _group, _read_group),
    Kind(Rule, "group/*/rule/*", _rule, _read_rule),
    Kind(Member, "members/*/member/*", _member, _read_member),
    Kind(Addresses, "addresses/*/addresses", _addresses, _read_addresses),
)
