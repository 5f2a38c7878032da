"""What a rule may say: Neutron's checks in Neutron's order, and when two rules are the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.managers.security_group.model.traffic import Traffic, traffic
from alcor.values.errors import Refusal

NOTHING: dict[str, Any] = {
    "direction": "ingress",
    "ethertype": "IPv4",
    "protocol": None,
    "port_range_min": None,
    "port_range_max": None,
    "remote_ip_prefix": None,
    "remote_group_id": None,
    "remote_address_group_id": None,
}


def wanted(**values: Any) -> Traffic:
    return traffic(NOTHING | values)


def ports(protocol: str | None, low: int | None, high: int | None, **more: Any) -> dict[str, Any]:
    return {"protocol": protocol, "port_range_min": low, "port_range_max": high} | more


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (ports("tcp", 80, 79), "SecurityGroupInvalidPortRange"),
        (ports("tcp", 80, None), "SecurityGroupInvalidPortRange"),
        (ports("tcp", None, 6), "SecurityGroupInvalidPortRange"),
        (ports("tcp", 0, 5), "SecurityGroupInvalidPortValue"),
        (ports("17", 0, 0), "SecurityGroupInvalidPortValue"),
        (ports(None, 1, 5), "SecurityGroupProtocolRequiredWithPorts"),
        (ports("esp", 1, 5), "SecurityGroupInvalidProtocolForPort"),
        (ports("icmp", None, 6), "SecurityGroupMissingIcmpType"),
        (ports("icmp", 300, 1), "SecurityGroupInvalidIcmpValue"),
        (ports("icmp", 1, 256), "SecurityGroupInvalidIcmpValue"),
        (ports("58", 1, 256, ethertype="IPv6"), "SecurityGroupInvalidIcmpValue"),
        ({"protocol": "ipv6-icmp"}, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"protocol": "43"}, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"remote_ip_prefix": "2001:db8::/64"}, "SecurityGroupRuleParameterConflict"),
        (
            {"remote_ip_prefix": "10.0.0.0/8", "ethertype": "IPv6"},
            "SecurityGroupRuleParameterConflict",
        ),
        (
            {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "g"},
            "SecurityGroupMultipleRemoteEntites",
        ),
        (
            {"remote_address_group_id": "a", "remote_group_id": "g"},
            "SecurityGroupMultipleRemoteEntites",
        ),
        # Two faults: Neutron finds the ports first.
        (ports("tcp", 9, 1, remote_ip_prefix="::/0"), "SecurityGroupInvalidPortRange"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_neutrons_words(
    values: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(Refusal) as refused:
        wanted(**values)

    assert refused.value.type == refusal


@pytest.mark.parametrize(
    "values",
    [
        ports("tcp", 1, 1),
        ports("udplite", 65_535, 65_535),
        ports("6", 22, 80),
        ports("icmp", 3, 0),
        ports("icmp", 0, 0),
        ports("icmp", 8, None),
        ports("vrrp", None, None),
        {"protocol": "255"},
    ],
)
def test_a_rule_that_can_be_is_taken_as_it_is(values: dict[str, Any]) -> None:
    assert wanted(**values) == Traffic(**(NOTHING | values))


@pytest.mark.parametrize(
    ("given_", "kept"), [("icmp", "ipv6-icmp"), ("icmpv6", "ipv6-icmp"), ("1", "58")]
)
def test_older_names_of_icmpv6_become_its_own(given_: str, kept: str) -> None:
    assert wanted(ethertype="IPv6", protocol=given_).protocol == kept


def test_the_whole_range_of_ports_is_no_range() -> None:
    whole = wanted(**ports("tcp", 1, 65_535))

    assert (whole.port_range_min, whole.port_range_max) == (None, None)
    assert whole.key == wanted(protocol="tcp").key


def test_the_prefix_keeps_its_host_bits_and_the_normalized_one_has_none() -> None:
    rule = wanted(remote_ip_prefix="10.0.0.34/24")

    assert rule.remote_ip_prefix == "10.0.0.34/24"
    assert rule.cidr == "10.0.0.0/24"
    assert wanted().cidr is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"protocol": "tcp"}, {"protocol": "6"}),
        ({"remote_ip_prefix": "0.0.0.0/0"}, {}),
        (
            {"ethertype": "IPv6", "protocol": "icmpv6"},
            {"ethertype": "IPv6", "protocol": "ipv6-icmp"},
        ),
    ],
)
def test_rules_that_let_the_same_packets_pass_are_the_same(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert wanted(**one).key == wanted(**other).key


DIFFERENT: list[dict[str, Any]] = [
    {"direction": "egress"},
    {"ethertype": "IPv6"},
    {"protocol": "udp"},
    ports("tcp", 1, 2),
    ports("tcp", 1, 3),
    ports("icmp", 8, None),
    ports("icmp", 8, 0),
    {"remote_ip_prefix": "10.0.0.0/24"},
    {"remote_group_id": "g"},
    {"remote_address_group_id": "g"},
]


@given(st.lists(st.sampled_from(DIFFERENT), min_size=2, max_size=2, unique_by=str))
def test_rules_about_different_packets_differ(pair: list[dict[str, Any]]) -> None:
    one, other = (wanted(**values) for values in pair)

    assert one.key != other.key
