"""Use cases of QoS policies. One that goes is fenced first where it may be used."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from alcor.managers.qos.model.policy import QosPolicy, changed, policy
from alcor.managers.qos.model.refusals import QosPolicyInUse
from alcor.managers.qos.needs import Store, Transaction
from alcor.managers.qos.service.users import Users
from alcor.managers.qos.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.managing.unfinished import Unfinished
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import Viewer, viewer_of

DELETE, RULES = "delete", "rules"  # what may be begun with a policy and not finished


class PolicyService:
    """Keeps the contracts ResourceManager and QosPolicyPeer."""

    def __init__(
        self, store: Store, users: Users, makers: Makers, sharing: Sharing, unfinished: Unfinished
    ) -> None:
        self._unfinished = unfinished
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
        project = seen_by(request.caller)
        async with self._unfinished.begun(request.id):
            await self._store.write(lambda tx: begin(tx, tx.policy(request.id, project), DELETE))
            return await self._finish_delete(request.id, request.caller.request_id)

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
        for id_, _ in await self._store.read(lambda tx: tx.works()):
            with suppress(QosPolicyInUse):
                async with self._unfinished.begun(id_):
                    await self._finish(id_)

    async def _finish(self, id_: str) -> None:
        match await self._store.read(lambda tx: tx.work_on(id_)):
            case "":
                return
            case "delete":
                await self._finish_delete(id_, "")
            case _:
                await settle(self._store, self._users, id_)

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

    async def _finish_delete(self, id_: str, trace: str) -> Written:
        try:
            if not await self._users.fence(id_):
                raise QosPolicyInUse(id_)
        except BaseException:
            # Not a fault to swallow: whatever went wrong, the policy stays, as it was.
            await settle(self._store, self._users, id_)
            raise

        def work(tx: Transaction) -> Written:
            tx.remove(id_)
            return written(tx, [])

        return await self._store.write(work, trace)

    async def _forget_namesakes(self, ids: Sequence[str]) -> None:
        """A client may give the id of one long gone: its fence must not bind the new one."""
        if not ids:
            return
        living = await self._store.read(lambda tx: {each.id for each in tx.usable(ids, None)})
        if fresh := [id_ for id_ in ids if id_ not in living]:
            await self._users.lift(fresh)
            await self._sharing.free(fresh)


def begin(tx: Transaction, held: QosPolicy, work: str) -> None:
    """Note what is begun with a policy; refused while something else is."""
    if tx.work_on(held.id):
        raise QosPolicyInUse(held.id, "is being changed or deleted already")
    tx.set_work(held.id, work)


async def settle(store: Store, users: Users, id_: str) -> None:
    """End what was begun: the policy stays, and may be had again."""
    await users.lift([id_])
    await store.write(lambda tx: tx.set_work(id_, ""))


def _after(changes: Mapping[str, Any], policies: list[SharingPolicy]) -> list[SharingPolicy]:
    """What is left of the sharing policies when it is no longer shared with all."""
    if changes["shared"]:
        return policies
    return [each for each in policies if each.target_tenant != ANYBODY]
