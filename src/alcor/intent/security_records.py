"""The records of security groups, address groups and network ACLs: a part of `records.py`."""

from alcor.intent.record import Record


class GroupRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A security group; its rules are records of their own."""

    project_id: str
    name: str = ""
    stateful: bool = True  # False: no connection tracking, replies need rules of their own


class RuleRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a security group lets pass; at most one of the three remotes is given.

    `ports` are destination ports, both ends included; None: any. An ICMP code is only there with
    its type.
    """

    group_id: str
    ingress: bool  # towards the port; else egress
    ip_version: int  # 4 or 6
    protocol: int | None = None  # IP protocol number; None: any
    ports: tuple[int, int] | None = None  # of TCP, UDP, SCTP, DCCP, UDP-Lite
    icmp_type: int | None = None
    icmp_code: int | None = None
    remote_cidr: str = ""  # no host bits; empty: anybody, unless a group is named
    remote_group_id: str = ""  # the addresses of this security group's members
    remote_address_group_id: str = ""


class AddressGroupRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Prefixes under a name, of both families, none twice, without host bits."""

    project_id: str
    addresses: tuple[str, ...] = ()


class NetworkAclRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A stateless filter at the edge of its subnets: what no rule of it allows is denied."""

    project_id: str
    subnet_ids: tuple[str, ...] = ()  # a subnet has at most one ACL


class NetworkAclRuleRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One rule of an ACL: of those that match a packet, the lowest number decides."""

    acl_id: str
    number: int  # 1 to 32766, unique in a direction of the ACL
    ingress: bool  # into the subnet; else out of it
    allow: bool  # else deny
    ip_version: int  # 4 or 6
    cidr: str = ""  # of the peer: source of ingress, destination of egress; empty: anybody
    protocol: int | None = None  # IP protocol number; None: any
    ports: tuple[int, int] | None = None  # destination ports, both ends included
    icmp_type: int | None = None
    icmp_code: int | None = None
