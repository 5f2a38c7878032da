"""What the intent log is told of groups, their rules, and address groups. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import AddressGroupRecord, GroupRecord, RuleRecord
from alcor.managers.security_group.model.address_group import AddressGroup
from alcor.managers.security_group.model.group import Group
from alcor.managers.security_group.model.rule import Rule
from alcor.values.protocols import ICMP, ICMPV6

group_kind = "security_group"
rule_kind = "security_group_rule"
address_group_kind = "address_group"


def group_record(group: Group) -> GroupRecord:
    """The record of a group."""
    return GroupRecord(
        id=group.id, project_id=group.project_id, name=group.name, stateful=group.stateful
    )


def rule_record(rule: Rule) -> RuleRecord:
    """The record of a rule: numbers instead of names, nothing where anything goes.

    Protocol 0 means any, as it does for Neutron's own firewalls (iptables' `-p 0`).
    """
    protocol = rule.protocol_number or None
    icmp = protocol in (ICMP, ICMPV6)
    low, high = rule.port_range_min, rule.port_range_max
    cidr = rule.normalized_cidr or ""
    return RuleRecord(
        id=rule.id,
        group_id=rule.security_group_id,
        ingress=rule.direction == "ingress",
        ip_version=6 if rule.ethertype == "IPv6" else 4,
        protocol=protocol,
        ports=None if icmp or low is None or high is None else (low, high),
        icmp_type=low if icmp else None,
        icmp_code=high if icmp else None,
        remote_cidr="" if cidr.endswith("/0") else cidr,
        remote_group_id=rule.remote_group_id or "",
        remote_address_group_id=rule.remote_address_group_id or "",
    )


def told_group(group: Group) -> Told:
    """That the group is so."""
    return Told(records.key(group_kind, group.id), records.encode(group_record(group)))


def told_rule(rule: Rule) -> Told:
    """That the rule is so."""
    return Told(records.key(rule_kind, rule.id), records.encode(rule_record(rule)))


def told_address_group(group: AddressGroup) -> Told:
    """That the address group is so."""
    record = AddressGroupRecord(id=group.id, project_id=group.project_id, addresses=group.addresses)
    return Told(records.key(address_group_kind, group.id), records.encode(record))


def told_gone(kind: str, id_: str) -> Told:
    """That one of a kind is gone."""
    return Told(records.key(kind, id_), None)
