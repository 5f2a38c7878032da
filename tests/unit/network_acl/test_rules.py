"""What a rule of a network ACL may say."""

from typing import Any

import pytest

from alcor.managers.network_acl.intent import rule_record
from alcor.managers.network_acl.model.acl import acl
from alcor.managers.network_acl.model.rule import (
    AclRule,
    NetworkAclDefaultRuleInUse,
    changed,
    default_rule,
    rule,
)
from alcor.values.errors import InvalidInput

ACL = acl(
    {"name": "", "project_id": "p", "network_id": "n", "subnet_ids": [], "description": ""},
    "acl",
    "then",
)
PLAIN: dict[str, Any] = {
    "network_acl_id": "acl",
    "number": 100,
    "direction": "ingress",
    "action": "allow",
    "ethertype": "IPv4",
}


def wanted(**values: Any) -> AclRule:
    return rule(PLAIN | values, ACL, "id", "then")


@pytest.mark.parametrize(
    "values",
    [
        {"port_range_min": 1, "port_range_max": 2},
        {"protocol": "esp", "port_range_min": 1, "port_range_max": 2},
        {"protocol": "tcp", "port_range_min": 2, "port_range_max": 1},
        {"protocol": "tcp", "port_range_min": 2},
        {"protocol": "tcp", "icmp_type": 8},
        {"protocol": "icmp", "icmp_code": 0},
        {"protocol": "icmp", "ethertype": "IPv6"},
        {"protocol": "ipv6-icmp"},
        {"ip_prefix": "2001:db8::/32"},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        wanted(**values)


def test_a_change_is_checked_as_a_whole() -> None:
    tcp = wanted(protocol="tcp", port_range_min=1, port_range_max=2)

    with pytest.raises(InvalidInput):
        changed(tcp, {"protocol": "icmp"}, "now")
    assert changed(tcp, {"action": "deny"}, "now").revision_number == 2
    assert changed(tcp, {"action": "allow"}, "now") is tcp


def test_the_default_rule_denies_everything_and_stays() -> None:
    last = default_rule(ACL, "egress", "id")

    assert (last.number, last.action, last.ethertype) == (32_767, "deny", None)
    with pytest.raises(NetworkAclDefaultRuleInUse):
        changed(last, {"action": "allow"}, "now")


def test_the_log_is_told_numbers() -> None:
    record = rule_record(wanted(protocol="icmp", icmp_type=8, icmp_code=0, ip_prefix="0.0.0.0/0"))

    assert (record.protocol, record.icmp_type, record.icmp_code) == (1, 8, 0)
    assert (record.cidr, record.ports, record.ingress, record.allow) == ("", None, True, True)
