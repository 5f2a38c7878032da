"""Use cases of security groups. Deleting one, or changing what it means, fences its ports first."""

from collections.abc import Sequence

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
from alcor.runtime.managing.fenced_work import FencedWork
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of


class Members:
    """The ports that are in groups."""

    def __init__(self, ports: GroupMemberPeer) -> None:
        self._ports = ports

    async def fence(self, id_: str) -> bool:
        """Whether no port is in the group, nor gets into it from now on."""
        return not (await self._ports.fence_groups(Ids([id_]))).ids

    async def lift(self, ids: Sequence[str]) -> None:
        """Ports may get into these again."""
        await self._ports.lift_groups(Ids(list(ids)))


class GroupService:
    """Keeps the contracts ResourceManager and SecurityGroupPeer."""

    def __init__(
        self, store: Store, ports: GroupMemberPeer, makers: Makers, sharing: Sharing
    ) -> None:
        self._sharing = sharing
        self._store = store
        self._members = Members(ports)
        self._makers = makers
        self.fenced = FencedWork(store, self._members, self._remove, SecurityGroupInUse)

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

        def check(tx: Transaction) -> None:
            held = tx.group(request.id, seen_by(caller))
            if held.is_default and not caller.admin:
                raise SecurityGroupCannotRemoveDefault

        return await self.fenced.delete(request.id, check, caller.request_id)

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
        await self.fenced.recover()

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
        id_, project = request.id, seen_by(request.caller)
        in_use = SecurityGroupInUse(id_)
        async with self.fenced.changing(id_, lambda tx: tx.group(id_, project), in_use):
            return await self._change(request)

    def _remove(self, tx: Transaction, id_: str) -> Written:
        tx.remove_group(id_, self._makers.now())
        return written(tx, [])

    async def _forget_namesakes(self, ids: Sequence[str]) -> None:
        """A client may give the id of a group long gone: its fence must not bind the new one."""
        if not ids:
            return
        living = await self._store.read(lambda tx: {each.id for each in tx.groups(ids, None)})
        if fresh := [id_ for id_ in ids if id_ not in living]:
            await self._members.lift(fresh)
            await self._sharing.free(fresh)
