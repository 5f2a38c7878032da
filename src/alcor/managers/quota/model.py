"""Limits of projects: what may be asked for, and what holds. Pure.

Source: Neutron API reference v2, "Quotas".
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.values.errors import InvalidInput, NotFound

NO_LIMIT = -1
ROUTES = "router_route"  # of each of a project's routers: nothing of it is used beside that

# How much of each kind a project may have unless the operator says otherwise: Neutron's defaults.
DEFAULT_BY_KIND: Mapping[str, int] = {
    "network": 100,
    "subnet": 100,
    "subnetpool": NO_LIMIT,
    "port": 500,
    "security_group": 10,
    "security_group_rule": 100,
    "router": 10,
    "floatingip": 50,
    "rbac_policy": 10,
    "trunk": NO_LIMIT,
    ROUTES: 30,
}


class TenantQuotaNotFound(NotFound):
    """The project has no limits of its own."""

    def __init__(self, project: str) -> None:
        super().__init__(f"Quota for tenant {project[:255]} could not be found.")


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that a project has of its own, by kind."""

    id: str  # the project
    limits: dict[str, int]


def changed(old: Quota, changes: Mapping[str, int]) -> Quota:
    """With these limits; the others stay."""
    return msgspec.structs.replace(old, limits=old.limits | dict(changes))


def shown(quota: Quota, default_by_kind: Mapping[str, int]) -> dict[str, Any]:
    """As clients see it: a limit for every kind."""
    whose = {"project_id": quota.id, "tenant_id": quota.id}
    return {**default_by_kind, **quota.limits, **whose}


def details(limits: Mapping[str, int], used: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Limit and use of every kind; nothing is ever reserved: it is used, or it is not."""
    return {
        kind: {"limit": limit, "used": used.get(kind, 0), "reserved": 0}
        for kind, limit in limits.items()
    }


def check_use(changes: Mapping[str, int], used: Mapping[str, int]) -> None:
    """Refuse a limit that is lower than what is used already."""
    for kind, limit in changes.items():
        if 0 <= limit < used.get(kind, 0):
            raise InvalidInput(
                f"Invalid input for operation: Quota limit {limit} of resource {kind} is lower "
                f"than the {used[kind]} in use."
            )
