"""Use cases of security groups. Deleting one, or changing what it means, fences its ports first."""

from collections.abc import Sequence
from contextlib import suppress

from alcor.contracts.peers import Groups, GroupsRequest, Ids, Projects
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.security_group import intent
from alcor.managers.security_group.model.group import (
    Group,
    SecurityGroupCannotRemoveDefault,
    SecurityGroupInUse,
    changed,
    group,
)
from alcor.managers.security_group.needs import GroupMemberPeer, Store, Transaction
from alcor.managers.security_group.service.defaults import (
    default_of,
    ensure_at_first_use,
    insert_group,
)
from alcor.managers.security_group.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.managing.unfinished import Unfinished
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of

DELETE, STATEFUL = "delete", "stateful"  # what may be begun with a group and not finished


class GroupService:
    """Keeps the contracts ResourceManager and SecurityGroupPeer."""

    def __init__(
        self, store: Store, ports: GroupMemberPeer, makers: Makers, sharing: Sharing
    ) -> None:
        self._sharing = sharing
        self._store = store
        self._ports = ports
        self._makers = makers
        self.unfinished = Unfinished()

    async def list_page(self, request: ListRequest) -> ListReply:
        """Also the first use of a project: it has its default group afterwards."""
        await ensure_at_first_use(self._store, request, self._makers)
        viewer, query = viewer_of(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.group_page(query, viewer)))

    async def create(self, request: CreateRequest) -> Written:
        makers, now, admin = self._makers, self._makers.now(), request.caller.admin
        # An administrator may make a project's default group, under an id of theirs, before it is
        # there by itself: who brings a project from elsewhere keeps what rules and ports name.
        groups = [
            group(
                each,
                each.get("id") or makers.new_id(),
                now,
                may_be_default=admin and "id" in each,
            )
            for each in request.items
        ]
        brought = {each.project_id for each in groups if each.is_default}
        await self._forget_namesakes([each["id"] for each in request.items if "id" in each])

        def work(tx: Transaction) -> Written:
            for project in dict.fromkeys(each.project_id for each in groups):
                if project not in brought:
                    default_of(tx, project, makers)
            for each in groups:
                insert_group(tx, each, makers)
            for kind in (intent.group_kind, intent.rule_kind):
                tx.check_quota(kind, {each.project_id for each in groups})
            return written(tx, tx.group_documents([each.id for each in groups]))

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        project = seen_by(request.caller)
        held = await self._store.read(lambda tx: tx.group(request.id, project))
        if request.changes.get("stateful", held.stateful) == held.stateful:
            return await self._change(request)
        return await self._change_meaning(request)

    async def delete(self, request: DeleteRequest) -> Written:
        """Refused and undone when ports are in the group."""
        caller = request.caller

        def begin(tx: Transaction) -> None:
            held = tx.group(request.id, seen_by(caller))
            if held.is_default and not caller.admin:
                raise SecurityGroupCannotRemoveDefault
            _begin(tx, held, DELETE)

        async with self.unfinished.begun(request.id):
            await self._store.write(begin)
            return await self._finish_delete(request.id, caller.request_id)

    async def groups(self, request: GroupsRequest) -> Groups:
        project = request.project_id or None
        found = await self._store.read(lambda tx: tx.groups(request.ids, project))
        return Groups([intent.group_record(each) for each in found])

    async def defaults_of(self, request: Projects) -> Groups:
        held = await self._store.read(lambda tx: [tx.default_of(each) for each in request.ids])
        found = [each for each in held if each is not None]
        if len(found) < len(held):
            found = await self._store.write(
                lambda tx: [default_of(tx, each, self._makers) for each in request.ids]
            )
        return Groups([intent.group_record(each) for each in found])

    async def recover(self) -> None:
        """Finish the deletions that were cut short; what is in use stays, unfenced."""
        await self._sharing.recover()
        for id_, _ in await self._store.read(lambda tx: tx.works()):
            with suppress(SecurityGroupInUse):
                async with self.unfinished.begun(id_):
                    await self._finish(id_)

    async def _finish(self, id_: str) -> None:
        match await self._store.read(lambda tx: tx.work_on(id_)):
            case "":
                return
            case "delete":
                await self._finish_delete(id_, "")
            case _:
                await self._take_back(id_)

    async def _change(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.group(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            new = changed(old, request.changes, now)
            if new is not old:
                tx.save_group(new)
            return written(tx, tx.group_documents([new.id]))

        return await self._store.write(work, request.caller.request_id)

    async def _change_meaning(self, request: UpdateRequest) -> Written:
        """Stateful or not is decided once a port is in the group: fence, change, lift."""
        project = seen_by(request.caller)
        async with self.unfinished.begun(request.id):
            await self._store.write(lambda tx: _begin(tx, tx.group(request.id, project), STATEFUL))
            try:
                await self._fence(request.id)
                return await self._change(request)
            finally:
                await self._take_back(request.id)

    async def _finish_delete(self, id_: str, trace: str) -> Written:
        try:
            await self._fence(id_)
        except BaseException:
            # Not a fault to swallow: whatever went wrong, the group stays, unfenced.
            await self._take_back(id_)
            raise
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            tx.remove_group(id_, now)
            return written(tx, [])

        return await self._store.write(work, trace)

    async def _fence(self, id_: str) -> None:
        if (await self._ports.fence_groups(Ids([id_]))).ids:
            raise SecurityGroupInUse(id_)

    async def _take_back(self, id_: str) -> None:
        await self._ports.lift_groups(Ids([id_]))
        await self._store.write(lambda tx: tx.set_work(id_, ""))

    async def _forget_namesakes(self, ids: Sequence[str]) -> None:
        """A client may give the id of a group long gone: its fence must not bind the new one."""
        if not ids:
            return
        living = await self._store.read(lambda tx: {each.id for each in tx.groups(ids, None)})
        if fresh := [id_ for id_ in ids if id_ not in living]:
            await self._ports.lift_groups(Ids(fresh))
            await self._sharing.free(fresh)


def _begin(tx: Transaction, held: Group, work: str) -> None:
    if tx.work_on(held.id):
        raise SecurityGroupInUse(held.id, "is being changed or deleted already")
    tx.set_work(held.id, work)
