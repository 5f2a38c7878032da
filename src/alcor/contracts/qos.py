"""QoS policies: the manager that owns them, and those whose resources have them."""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Done, Ids, InUse, Projects
from alcor.contracts.sharing import ConfinePeer
from alcor.intent.records import QosPolicyRecord


class PoliciesRequest(msgspec.Struct, frozen=True):
    """The policies of these ids that a project may use; "": that anybody may."""

    ids: list[str]
    project_id: str = ""


class Policies(msgspec.Struct, frozen=True):
    policies: list[QosPolicyRecord]


class QosPolicyPeer(Protocol):
    """The QoS manager."""

    async def policies(self, request: PoliciesRequest) -> Policies:
        """Those that exist, are not being deleted, and may be used."""
        ...

    async def defaults_of(self, request: Projects) -> Policies:
        """The default policies of these projects; a project may have none."""
        ...


class PolicyUserPeer(ConfinePeer, Protocol):
    """Whoever holds what has policies; to each of them policies are confined as well."""

    async def fence_policies(self, request: Ids) -> InUse:
        """Nothing of theirs has these policies, nor gets them from now on, save those answered."""
        ...

    async def lift_policies(self, request: Ids) -> Done:
        """Theirs may have these policies again; no error when they were not fenced."""
        ...
