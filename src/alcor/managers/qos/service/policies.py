"""Use cases of QoS policies. One that goes is fenced first where it may be used."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from alcor.contracts.peers import Projects
from alcor.contracts.qos import Policies, PoliciesRequest
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.sharing import ANYBODY, SharingPolicy
from alcor.managers.qos import intent
from alcor.managers.qos.model.policy import changed, policy
from alcor.managers.qos.needs import Store, Transaction
from alcor.managers.qos.service.users import Users
from alcor.managers.qos.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.fenced_work import FencedWork
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import Viewer, viewer_of


class PolicyService:
    """Keeps the contracts ResourceManager and QosPolicyPeer."""

    def __init__(
        self,
        store: Store,
        users: Users,
        makers: Makers,
        sharing: Sharing,
        fenced: FencedWork[Transaction],
    ) -> None:
        self._fenced = fenced
        self._store = store
        self._users = users
        self._makers = makers
        self._sharing = sharing

    async def list_page(self, request: ListRequest) -> ListReply:
        viewer, query = viewer_of(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.page(query, viewer)))

    async def create(self, request: CreateRequest) -> Written:
        makers, now = self._makers, self._makers.now()
        new = [policy(each, each.get("id") or makers.new_id(), now) for each in request.items]
        await self._forget_namesakes([each["id"] for each in request.items if "id" in each])

        def work(tx: Transaction) -> Written:
            documents = tx.insert(new)
            for each in new:
                if each.shared:
                    tx.share(each.id, makers.new_id())
            return written(tx, documents)

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        project = seen_by(request.caller)
        held = await self._store.read(lambda tx: tx.policy(request.id, project))
        if request.changes.get("shared", held.shared) == held.shared:
            return await self._change(request)
        after = partial(_after, request.changes)
        async with self._sharing.changing(request.id, after):
            return await self._change(request)

    async def delete(self, request: DeleteRequest) -> Written:
        """Refused and undone when something has the policy."""
        caller = request.caller
        return await self._fenced.delete(
            request.id, lambda tx: tx.policy(request.id, seen_by(caller)), caller.request_id
        )

    async def policies(self, request: PoliciesRequest) -> Policies:
        project = request.project_id or None
        found = await self._store.read(lambda tx: tx.usable(request.ids, project))
        return Policies([intent.record(each) for each in found])

    async def defaults_of(self, request: Projects) -> Policies:
        held = await self._store.read(lambda tx: [tx.default_of(each) for each in request.ids])
        return Policies([intent.record(each) for each in held if each is not None])

    async def recover(self) -> None:
        """Finish the deletions that were cut short; what is in use stays, unfenced."""
        await self._sharing.recover()
        await self._lift_minima()
        await self._fenced.recover()

    async def _lift_minima(self) -> None:
        """A former version fenced policies with minimum rules for as long as they had them."""

        def work(tx: Transaction) -> list[str]:
            held = tx.visible(Viewer("", all=True))
            return [each.id for each in held if each.has_minima and not tx.work_on(each.id)]

        if ids := await self._store.read(work):
            await self._users.lift(ids)

    async def _change(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.policy(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            new = changed(old, request.changes, now)
            if new.shared != old.shared:
                tx.share(new.id, self._makers.new_id() if new.shared else "")
            return written(tx, [tx.save(new)])

        return await self._store.write(work, request.caller.request_id)

    async def _forget_namesakes(self, ids: Sequence[str]) -> None:
        """A client may give the id of one long gone: its fence must not bind the new one."""
        if not ids:
            return
        living = await self._store.read(lambda tx: {each.id for each in tx.usable(ids, None)})
        if fresh := [id_ for id_ in ids if id_ not in living]:
            await self._users.lift(fresh)
            await self._sharing.free(fresh)


def remove(tx: Transaction, id_: str) -> Written:
    """Delete a policy that nothing has."""
    tx.remove(id_)
    return written(tx, [])


def _after(changes: Mapping[str, Any], policies: list[SharingPolicy]) -> list[SharingPolicy]:
    """What is left of the sharing policies when it is no longer shared with all."""
    if changes["shared"]:
        return policies
    return [each for each in policies if each.target_tenant != ANYBODY]
