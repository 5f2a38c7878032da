"""The messages of network ACLs: their rules, and which subnets they filter."""

from typing import Any

from alcor.goal_state.entries import AclRule, SubnetAcl
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import packed_prefix, read_byte, read_ports, read_prefix

_NUMBER_MAX = 32_766


def _subnet_acl(acl: SubnetAcl) -> pb.SubnetAcl:
    return pb.SubnetAcl(acl_id=acl.acl_id)


def _rule(rule: AclRule) -> pb.AclRule:
    return pb.AclRule(
        number=rule.number,
        ingress=rule.ingress,
        allow=rule.allow,
        ip_version=rule.version,
        peer=packed_prefix(rule.peer) if rule.peer else None,
        protocol=rule.protocol,
        ports=pb.PortRange(first=rule.ports[0], last=rule.ports[1]) if rule.ports else None,
        icmp_type=rule.icmp_type,
        icmp_code=rule.icmp_code,
    )


def _read_subnet_acl(parts: list[str], value: bytes) -> SubnetAcl:
    """What these bytes say of the subnet that the key names."""
    return SubnetAcl(parts[1], parts[3], pb.SubnetAcl.FromString(value).acl_id)


def _read_rule(parts: list[str], value: bytes) -> AclRule:
    """The rule of these bytes; `ValueError` when it can't be one."""
    message = pb.AclRule.FromString(value)
    if message.ip_version not in (4, 6):
        raise ValueError(f"there is no IP version {message.ip_version}")
    if not 1 <= message.number <= _NUMBER_MAX:
        raise ValueError(f"no rule has the number {message.number}")
    peer = read_prefix(message.peer) if message.HasField("peer") else None
    if peer is not None and peer.version != message.ip_version:
        raise ValueError(f"{peer} is not of IP version {message.ip_version}")
    return AclRule(
        id=parts[3],
        acl_id=parts[1],
        number=message.number,
        ingress=message.ingress,
        allow=message.allow,
        version=message.ip_version,
        peer=peer,
        protocol=read_byte(message.protocol) if message.HasField("protocol") else None,
        ports=read_ports(message.ports) if message.HasField("ports") else None,
        icmp_type=read_byte(message.icmp_type) if message.HasField("icmp_type") else None,
        icmp_code=read_byte(message.icmp_code) if message.HasField("icmp_code") else None,
    )


KINDS: tuple[Kind[Any], ...] = (
    Kind(SubnetAcl, "network/*/acl/*", _subnet_acl, _read_subnet_acl),
    Kind(AclRule, "acl/*/rule/*", _rule, _read_rule),
)
