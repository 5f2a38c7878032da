"""The messages of network ACLs: their rules, and which subnets they filter."""

from alcor.goal_state.entries import AclRule, SubnetAcl
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import packed_prefix, read_byte, read_ports, read_prefix

Message = pb.SubnetAcl | pb.AclRule

_NUMBER_MAX = 32_766


def message(entry: SubnetAcl | AclRule) -> Message:
    """The message of an entry."""
    if isinstance(entry, SubnetAcl):
        return pb.SubnetAcl(acl_id=entry.acl_id)
    return pb.AclRule(
        number=entry.number,
        ingress=entry.ingress,
        allow=entry.allow,
        ip_version=entry.version,
        peer=packed_prefix(entry.peer) if entry.peer else None,
        protocol=entry.protocol,
        ports=pb.PortRange(first=entry.ports[0], last=entry.ports[1]) if entry.ports else None,
        icmp_type=entry.icmp_type,
        icmp_code=entry.icmp_code,
    )


def read_subnet_acl(parts: list[str], value: bytes) -> SubnetAcl:
    """What these bytes say of the subnet that the key names."""
    return SubnetAcl(parts[1], parts[3], pb.SubnetAcl.FromString(value).acl_id)


def read_rule(parts: list[str], value: bytes) -> AclRule:
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
