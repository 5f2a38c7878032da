"""Make, change and drop the sharing policies of one kind of object, for the manager that owns it.

Whoever is to lose access must not be using the object, and must not begin to meanwhile: those who
hold its users confine it first (`ConfinePeer`), and only then the policy changes, in a transaction
with the object. An object whose users may have been told otherwise than its policies say has a
note; whoever finds the note tells them again. One object is changed by one request at a time.

Source of refusals: neutron.extensions.rbac, neutron.db.rbac_db_mixin.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.sharing import (
    ANYBODY,
    Confine,
    ConfinePeer,
    SharingPolicy,
    targets,
)
from alcor.runtime.managing.unfinished import Unfinished
from alcor.runtime.sql.database import Database
from alcor.runtime.tables import sharing, usage
from alcor.runtime.tables.resource_table import ResourceTable
from alcor.values.errors import Conflict, InvalidInput, NotFound, Refusal
from alcor.values.revision import Revision

_NO_REFUSALS: Mapping[str, Refusal] = {}
After = Callable[[list[SharingPolicy]], list[SharingPolicy]]


class RbacPolicyInUse(Conflict):
    """Somebody uses what only the policy lets them use."""

    def __init__(self, object_id: str) -> None:
        super().__init__(
            f"RBAC policy on object {object_id} cannot be removed because other objects depend "
            "on it.\nDetails: it is used by projects that would lose access."
        )


@dataclass(frozen=True)
class SharedKind:
    """A kind of object that can be shared, as its manager keeps it.

    `reshared` saves what its policies change of an object (its document, its revision, what the
    intent log is told) in the transaction that changes them, and returns the sequence. `used`
    says whether somebody in the manager's own database uses an object beyond what is allowed;
    `check` refuses a new policy that may not be.

    With `strict` only the other policies of an object count when one goes or is aimed elsewhere:
    who uses it by none of them keeps it, be it the owner or the new target (as in Neutron those of
    QoS policies).
    """

    manager: str
    table: ResourceTable
    missing: Callable[[str], NotFound]
    visible_by: Sequence[str]  # actions that let others see it
    reshared: Callable[[sqlite3.Connection, str, Sequence[SharingPolicy], str], int]
    used: Callable[[sqlite3.Connection, Confine], bool] = lambda connection, confine: False
    check: Callable[[sqlite3.Connection, SharingPolicy], None] = lambda connection, policy: None
    strict: bool = False

    def owner(self, connection: sqlite3.Connection, id_: str) -> str:
        """The project of an object."""
        row = self.table.row(connection, id_)
        if row is None:
            raise self.missing(id_)
        return str(row.columns[self.table.columns.index("project_id")])


class Sharing:
    """Keeps the contract ResourceManager for the policies of one kind.

    `published` is told of every sequence that is durable.
    """

    def __init__(
        self,
        database: Database,
        kind: SharedKind,
        users_by_action: Mapping[str, ConfinePeer],
        published: Callable[[int], None],
        new_id: Callable[[], str],
        quota: usage.Limit = usage.unlimited,
    ) -> None:
        self._database = database
        self._kind = kind
        self._users_by_action = users_by_action
        self._published = published
        self._new_id = new_id
        self._quota = quota
        self.unfinished = Unfinished()

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query, type_ = _project(request.caller), request.query, self._kind.table.name
        return ListReply(
            await self._database.read(lambda c: sharing.page(c, query, project, type_))
        )

    async def create(self, request: CreateRequest) -> Written:
        """Only the owner of an object shares it, or an administrator."""
        caller = request.caller
        policies = [_policy(each, each.get("id") or self._new_id()) for each in request.items]
        objects = sorted({policy.object_id for policy in policies})

        def work(connection: sqlite3.Connection) -> tuple[list[Raw], int]:
            for id_ in objects:
                self._check_owner(connection, id_, caller)
            for policy in policies:
                self._kind.check(connection, policy)
            made = sharing.insert(connection, policies)
            kind, projects = sharing.POLICIES.name, {policy.project_id for policy in policies}
            usage.check(connection, kind, projects, self._quota)
            return made, self._reshare(connection, objects, caller)

        return await self._settled(objects, await self._write(work))

    async def update(self, request: UpdateRequest) -> Written:
        """Aim a policy at another project."""
        caller, target = request.caller, request.changes.get("target_tenant")
        held = await self._policy(request.id, caller)
        new = msgspec.structs.replace(held, target_tenant=target or held.target_tenant)

        def work(connection: sqlite3.Connection) -> tuple[list[Raw], int]:
            sharing.policy(connection, new.id, _project(caller))
            self._kind.check(connection, new)
            document = sharing.replace(connection, new)
            return [document], self._reshare(connection, [new.object_id], caller)

        def after(all_: list[SharingPolicy]) -> list[SharingPolicy]:
            others = [each for each in all_ if each.id != new.id]
            return others if self._kind.strict and new != held else [*others, new]

        async with self.changing(new.object_id, after):
            return self._written(await self._write(work))

    async def delete(self, request: DeleteRequest) -> Written:
        caller = request.caller
        held = await self._policy(request.id, caller)

        def work(connection: sqlite3.Connection) -> tuple[list[Raw], int]:
            sharing.policy(connection, held.id, _project(caller))
            sharing.remove(connection, [held.id])
            return [], self._reshare(connection, [held.object_id], caller)

        async with self.changing(held.object_id, lambda all_: [p for p in all_ if p.id != held.id]):
            return self._written(await self._write(work))

    @asynccontextmanager
    async def changing(
        self, object_id: str, after: After, refusals: Mapping[str, Refusal] = _NO_REFUSALS
    ) -> AsyncIterator[None]:
        """Change the policies of an object within; refused when who would lose access uses it.

        `refusals` by action, where it is not `RbacPolicyInUse`.
        """
        async with self.unfinished.begun(object_id):
            owner, held = await self._database.write(lambda c: self._begin(c, object_id))
            try:
                left = after(held)
                for action in sorted({policy.action for policy in held}):
                    allowed = targets(left, action)
                    if _narrower(targets(held, action), allowed):
                        user = "" if self._kind.strict else owner
                        confine = Confine(object_id, user, list(allowed))
                        if not await self._confined(action, confine):
                            raise refusals.get(action) or RbacPolicyInUse(object_id)
                yield
            finally:
                # Whatever happened, users are told what the policies say now.
                await asyncio.shield(self._settle(object_id))

    async def free(self, object_ids: Iterable[str]) -> None:
        """Forget how objects were confined that are long gone, and whose ids come again."""
        for object_id in object_ids:
            for action in self._users_by_action:
                await self._confined(action, Confine(object_id, "", [ANYBODY]))

    async def recover(self) -> None:
        """Settle what was left unsettled."""
        for object_id in await self._database.read(sharing.marked):
            async with self.unfinished.begun(object_id):
                await self._settle(object_id)

    async def _settled(self, objects: Iterable[str], saved: tuple[list[Raw], int]) -> Written:
        for object_id in objects:
            async with self.unfinished.begun(object_id):
                await self._settle(object_id)
        return self._written(saved)

    async def _settle(self, object_id: str) -> None:
        def read(connection: sqlite3.Connection) -> dict[str, Confine]:
            try:
                owner = self._kind.owner(connection, object_id)
            except NotFound:
                return {}
            policies = sharing.of_object(connection, object_id)
            return {
                action: Confine(object_id, owner, list(targets(policies, action)))
                for action in self._users_by_action
            }

        for action, confine in (await self._database.read(read)).items():
            await self._confined(action, confine)
        await self._database.write(lambda c: sharing.unmark(c, object_id))

    async def _confined(self, action: str, confine: Confine) -> bool:
        """Whether only those use it who may, here and where its users are."""
        if await self._database.read(lambda c: self._kind.used(c, confine)):
            return False
        users = self._users_by_action.get(action)
        return users is None or not (await users.confine(confine)).ids

    def _begin(self, connection: sqlite3.Connection, id_: str) -> tuple[str, list[SharingPolicy]]:
        owner = self._kind.owner(connection, id_)
        sharing.mark(connection, id_)
        return owner, sharing.of_object(connection, id_)

    def _reshare(
        self, connection: sqlite3.Connection, objects: Iterable[str], caller: Caller
    ) -> int:
        last = 0
        for id_ in objects:
            sharing.mark(connection, id_)
            policies = sharing.of_object(connection, id_)
            last = self._kind.reshared(connection, id_, policies, caller.request_id)
        return last

    def _check_owner(self, connection: sqlite3.Connection, id_: str, caller: Caller) -> None:
        owner = self._kind.owner(connection, id_)
        if caller.admin or caller.project_id == owner:
            return
        if not sharing.is_visible(connection, id_, self._kind.visible_by, caller.project_id):
            raise self._kind.missing(id_)
        raise InvalidInput(
            "Invalid input for operation: Only admins can manipulate policies on objects they do "
            "not own."
        )

    async def _policy(self, id_: str, caller: Caller) -> SharingPolicy:
        return await self._database.read(lambda c: sharing.policy(c, id_, _project(caller)))

    async def _write(
        self, work: Callable[[sqlite3.Connection], tuple[list[Raw], int]]
    ) -> tuple[list[Raw], int]:
        documents, sequence = await self._database.write(work)
        self._published(sequence)
        return documents, sequence

    def _written(self, saved: tuple[list[Raw], int]) -> Written:
        documents, sequence = saved
        return Written(documents, str(Revision(self._kind.manager, sequence)))


def _policy(values: dict[str, str], id_: str) -> SharingPolicy:
    return SharingPolicy(
        id=id_,
        object_type=values["object_type"],
        object_id=values["object_id"],
        action=values["action"],
        target_tenant=values["target_tenant"],
        project_id=values["project_id"],
        tenant_id=values["project_id"],
    )


def _narrower(before: Sequence[str], after: Sequence[str]) -> bool:
    return ANYBODY not in after and bool(set(before) - set(after))


def _project(caller: Caller) -> str | None:
    return None if caller.admin else caller.project_id
