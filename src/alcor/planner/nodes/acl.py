"""A network ACL, as the hosts of its subnets' networks must know it."""

from alcor.goal_state.entries import AclRule, SubnetAcl
from alcor.goal_state.slices import acl_rule_key, subnet_acl_key
from alcor.intent.records import NetworkAclRuleRecord
from alcor.values.addresses import prefix


def plan_rule(rule: NetworkAclRuleRecord) -> tuple[str, AclRule]:
    """Its entry in its ACL's slice; `ValueError` when the record's text is no prefix."""
    return acl_rule_key(rule.acl_id, rule.id), AclRule(
        id=rule.id,
        acl_id=rule.acl_id,
        number=rule.number,
        ingress=rule.ingress,
        allow=rule.allow,
        version=rule.ip_version,
        peer=prefix(rule.cidr) if rule.cidr else None,
        protocol=rule.protocol,
        ports=rule.ports,
        icmp_type=rule.icmp_type,
        icmp_code=rule.icmp_code,
    )


def plan_subnet(network_id: str, subnet_id: str, acl_id: str) -> tuple[str, SubnetAcl] | None:
    """What a subnet's network is told of its ACL; nothing while it has none, or isn't known."""
    if not network_id or not acl_id:
        return None
    return subnet_acl_key(network_id, subnet_id), SubnetAcl(network_id, subnet_id, acl_id)
