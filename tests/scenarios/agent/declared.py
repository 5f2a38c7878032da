"""Entries of goal state, from a scenario's words. See test_agent_scenarios.py."""

from typing import Any

from alcor.goal_state.entries import (
    Addresses,
    AddressPair,
    FixedIp,
    GoalEntry,
    Group,
    Limit,
    QosPolicy,
    Rule,
)
from alcor.values.addresses import Prefix, mac, prefix
from alcor.values.protocols import protocol_number


def pair(text: str) -> AddressPair:
    whole, _, mac_text = text.partition("@")
    return AddressPair(prefix(whole), mac(mac_text))


def policy(name: str, said: dict[str, str]) -> QosPolicy:
    limits = [
        Limit(ingress=way == "in", per_packet=unit == "pps", rate=int(said[word]), burst=1)
        for word in said
        if word != "dscp"
        for unit, way in [word.split("-")]
    ]
    return QosPolicy(name, tuple(limits), int(said["dscp"]) if "dscp" in said else None)


def filtered(said: dict[str, str]) -> dict[str, Any]:
    """The groups of a port; a port that names none, not even none, is not filtered."""
    groups = tuple(each for each in said.get("groups", "").split(",") if each)
    return {"security_groups": groups, "filtered": "groups" in said}


def whole(fixed: FixedIp) -> Prefix:
    version, number = fixed.address
    return Prefix(version, number, 32 if version == 4 else 128)


def rule_ports(said: dict[str, str]) -> tuple[int, int] | None:
    first, _, last = said.get("ports", "").partition("-")
    return (int(first), int(last or first)) if first else None


def security(kind: str, name: str, plain: list[str], said: dict[str, str]) -> GoalEntry:
    """A group, an address group or a rule."""
    if kind == "group":
        return Group(name, "stateless" not in plain)
    if kind == "addresses":
        return Addresses(name, tuple(map(prefix, plain)))
    group, way, version, *protocols = plain
    whom, _, remote = said.get("with", "").partition(":")
    return Rule(
        id=name,
        group_id=group,
        ingress=way == "in",
        version=int(version),
        protocol=protocol_number(protocols[0]) if protocols else None,
        ports=rule_ports(said),
        icmp_type=int(said["type"]) if "type" in said else None,
        icmp_code=int(said["code"]) if "code" in said else None,
        remote=prefix(remote) if whom == "prefix" else None,
        remote_group_id=remote if whom == "group" else "",
        remote_addresses_id=remote if whom == "addresses" else "",
    )


def ports_of(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)
