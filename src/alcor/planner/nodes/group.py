"""A security group and its rules, as the hosts of its ports must know them."""

from alcor.goal_state.entries import Addresses, Group, Rule
from alcor.goal_state.slices import addresses_key, group_key, rule_key
from alcor.intent.records import AddressGroupRecord, GroupRecord, RuleRecord
from alcor.values.addresses import prefix


def plan(group: GroupRecord) -> tuple[str, Group]:
    """Its entry in its own slice."""
    return group_key(group.id), Group(group.id, group.stateful)


def plan_rule(rule: RuleRecord) -> tuple[str, Rule]:
    """Its entry in its group's slice; `ValueError` when the record's text is no prefix."""
    return rule_key(rule.group_id, rule.id), Rule(
        id=rule.id,
        group_id=rule.group_id,
        ingress=rule.ingress,
        version=rule.ip_version,
        protocol=rule.protocol,
        ports=rule.ports,
        icmp_type=rule.icmp_type,
        icmp_code=rule.icmp_code,
        remote=prefix(rule.remote_cidr) if rule.remote_cidr else None,
        remote_group_id=rule.remote_group_id,
        remote_addresses_id=rule.remote_address_group_id,
    )


def plan_addresses(group: AddressGroupRecord) -> tuple[str, Addresses]:
    """The entry of an address group in its own slice; `ValueError` when a text is no prefix."""
    return addresses_key(group.id), Addresses(group.id, tuple(map(prefix, group.addresses)))
