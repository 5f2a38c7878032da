"""What the intent log is told of network ACLs and their rules. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import NetworkAclRecord, NetworkAclRuleRecord
from alcor.managers.network_acl.model.acl import NetworkAcl
from alcor.managers.network_acl.model.rule import AclRule

acl_kind = "network_acl"
rule_kind = "network_acl_rule"


def acl_record(acl: NetworkAcl) -> NetworkAclRecord:
    """The record of an ACL."""
    return NetworkAclRecord(id=acl.id, project_id=acl.project_id, subnet_ids=acl.subnet_ids)


def rule_record(rule: AclRule) -> NetworkAclRuleRecord:
    """The record of a rule that is no default: numbers instead of names. Protocol 0 is any."""
    low, high = rule.port_range_min, rule.port_range_max
    cidr = rule.ip_prefix or ""
    return NetworkAclRuleRecord(
        id=rule.id,
        acl_id=rule.network_acl_id,
        number=rule.number,
        ingress=rule.direction == "ingress",
        allow=rule.action == "allow",
        ip_version=6 if rule.ethertype == "IPv6" else 4,
        cidr="" if cidr.endswith("/0") else cidr,
        protocol=rule.protocol_number or None,
        ports=None if low is None or high is None else (low, high),
        icmp_type=rule.icmp_type,
        icmp_code=rule.icmp_code,
    )


def told_acl(acl: NetworkAcl) -> Told:
    """That the ACL is so."""
    return Told(records.key(acl_kind, acl.id), records.encode(acl_record(acl)))


def told_rule(rule: AclRule) -> Told:
    """That the rule is so."""
    return Told(records.key(rule_kind, rule.id), records.encode(rule_record(rule)))


def told_gone(kind: str, id_: str) -> Told:
    """That one of a kind is gone."""
    return Told(records.key(kind, id_), None)
