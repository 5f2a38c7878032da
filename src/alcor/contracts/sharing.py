"""Sharing: policies by which an object of one project may be seen and used by others.

The manager of an object owns its policies, in its own database: they are made, changed and dropped
with it, and decide in its own queries who sees it. All of them together are the collection
`/v2.0/rbac-policies`.

Source: Neutron API reference v2, "RBAC Policies".
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from alcor.contracts.peers import InUse

ANYBODY = "*"  # as target: every project
AS_SHARED = "access_as_shared"
AS_EXTERNAL = "access_as_external"


class SharingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One policy as clients see it."""

    id: str
    object_type: str
    object_id: str
    action: str
    target_tenant: str  # a project, or ANYBODY
    project_id: str
    tenant_id: str


def targets(policies: Iterable[SharingPolicy], action: str = AS_SHARED) -> tuple[str, ...]:
    """Whom these let do the action, in order."""
    return tuple(sorted({each.target_tenant for each in policies if each.action == action}))


def allows(allowed: Iterable[str], project: str) -> bool:
    """Whether a project is among those allowed."""
    return any(each in (ANYBODY, project) for each in allowed)


class Confine(msgspec.Struct, frozen=True):
    """An object may from now on be used by its owner and by these projects only."""

    id: str
    owner: str
    allowed: list[str]


class ConfinePeer(Protocol):
    """Whoever holds what uses an object that is shared."""

    async def confine(self, request: Confine) -> InUse:
        """Nobody else uses it now, nor from now on; answers the object's id when somebody does,
        and then nothing has changed. The last call holds."""
        ...


class Project(msgspec.Struct, frozen=True):
    id: str


class ReachableNetworks(msgspec.Struct, frozen=True):
    """The networks of others that a project may use, and those that its routers may."""

    shared: list[str]
    external: list[str]


class ReachPeer(Protocol):
    """The network manager, to those who show what is on networks."""

    async def reachable(self, request: Project) -> ReachableNetworks:
        """By sharing policies; networks of its own only if they are shared, too."""
        ...
