"""QoS policies that resources of a manager get or lose: their owner is asked.

It is asked every time: policies are given seldom, and who may use one can change at any time. That
it may still be used when the reference is saved is ensured by fences (`tables/fences.py`).
"""

from collections.abc import Sequence
from typing import NamedTuple

from alcor.contracts.peers import Projects
from alcor.contracts.qos import PoliciesRequest, QosPolicyPeer
from alcor.values.errors import Refusal
from alcor.values.qos import (
    PLACED,
    PolicyRemoveAuthorizationError,
    QosPlacementAllocationUpdateConflict,
    QosPolicyNotFound,
    QosRuleNotSupported,
)


class Wish(NamedTuple):
    """One resource's policy; None: none."""

    viewer: str | None  # the project that asks; None: one that sees all
    new: str | None
    held: str | None = None  # which it has now
    is_placed: bool = False  # a machine runs with it on a host


class PolicyReferences:
    """Looks up policies.

    `placeable`: whether what gets them is placed by a scheduler, which keeps minimum rules.
    """

    def __init__(self, owner: QosPolicyPeer, *, placeable: bool = False) -> None:
        self._owner = owner
        self._placeable = placeable

    async def answers(self, wishes: Sequence[Wish]) -> list[Refusal | None]:
        """Why each can't be had; None: it can."""
        ids_by_viewer: dict[str | None, set[str]] = {}
        for wish in wishes:
            asked = {each for each in (wish.new, wish.held) if each and wish.new != wish.held}
            ids_by_viewer.setdefault(wish.viewer, set()).update(asked)
        types = {viewer: await self._types(viewer, ids) for viewer, ids in ids_by_viewer.items()}
        return [self._answer(wish, types[wish.viewer]) for wish in wishes]

    async def check(self, wishes: Sequence[Wish]) -> None:
        """`Refusal` when one of them can't be had."""
        for refusal in await self.answers(wishes):
            if refusal is not None:
                raise refusal

    async def defaults(self, projects: Sequence[str]) -> dict[str, str]:
        """The default policy by project, of those that have one."""
        reply = await self._owner.defaults_of(Projects(sorted(set(projects))))
        return {record.project_id: record.id for record in reply.policies}

    async def _types(self, viewer: str | None, ids: set[str]) -> dict[str, list[str]]:
        """The types of the minimum rules of each policy that may be used."""
        if not ids:
            return {}
        reply = await self._owner.policies(PoliciesRequest(sorted(ids), viewer or ""))
        return {
            record.id: [rule.type for rule in record.rules if rule.type in PLACED]
            for record in reply.policies
        }

    def _answer(self, wish: Wish, minima_by_id: dict[str, list[str]]) -> Refusal | None:
        if wish.new == wish.held:
            return None
        if wish.new and wish.new not in minima_by_id:
            return QosPolicyNotFound(wish.new)
        if wish.new and (minima := minima_by_id[wish.new]) and not self._placeable:
            return QosRuleNotSupported(minima[0], wish.new)
        if wish.held and wish.viewer is not None and wish.held not in minima_by_id:
            return PolicyRemoveAuthorizationError(wish.held)
        changed = [id_ for id_ in (wish.new, wish.held) if id_ and minima_by_id.get(id_)]
        if wish.is_placed and changed:
            return QosPlacementAllocationUpdateConflict(changed[0])
        return None
