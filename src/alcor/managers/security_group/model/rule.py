"""The rules of security groups. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.managers.security_group.model.group import Group
from alcor.managers.security_group.model.refusals import (
    DuplicateSecurityGroupRuleInPost,
    SecurityGroupNotSingleGroupRules,
    SecurityGroupRulesNotSingleProject,
)
from alcor.managers.security_group.model.traffic import Traffic
from alcor.resource.revisions import revised


class Rule(Traffic, frozen=True, kw_only=True):
    """A rule as clients see it (Neutron API reference, "Security group rules")."""

    id: str
    project_id: str
    tenant_id: str
    security_group_id: str
    normalized_cidr: str | None
    belongs_to_default_sg: bool
    description: str = ""
    revision_number: int = 1
    created_at: str
    updated_at: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a checked body asks for; whether its group and remotes exist is not known yet."""

    id: str
    project_id: str
    group_id: str
    description: str
    traffic: Traffic


def rule(
    traffic: Traffic, group: Group, id_: str, project: str, description: str, now: str
) -> Rule:
    """A rule of `group` about these packets."""
    return Rule(
        **msgspec.structs.asdict(traffic),
        id=id_,
        project_id=project,
        tenant_id=project,
        security_group_id=group.id,
        normalized_cidr=traffic.cidr,
        belongs_to_default_sg=group.is_default,
        description=description,
        created_at=now,
        updated_at=now,
    )


def changed(old: Rule, changes: Mapping[str, Any], now: str) -> Rule:
    """The rule after a checked PUT (of its description); the very same when nothing is new."""
    return revised(old, changes, now)


def check_together(wanted: Sequence[Wanted]) -> None:
    """Rules made by one request are of one group and project, and no two are the same."""
    if len({each.group_id for each in wanted}) > 1:
        raise SecurityGroupNotSingleGroupRules
    if len({each.project_id for each in wanted}) > 1:
        raise SecurityGroupRulesNotSingleProject
    if len({each.traffic.key for each in wanted}) < len(wanted):
        raise DuplicateSecurityGroupRuleInPost
