"""What can be done with limits: one method per use case."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from alcor.contracts.peers import ProjectUsage
from alcor.contracts.resources import (
    ActRequest,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.quota.model import Quota, changed, check_use, details, shown
from alcor.managers.quota.needs import Store, UsagePeer
from alcor.values.errors import HTTPBadRequest
from alcor.values.revision import Revision

_encode = msgspec.json.Encoder().encode


class QuotaService:
    """Keeps the contract ActingManager. A project that nobody has limited has the defaults. Who may
    see whose is the policy's to say."""

    def __init__(
        self, store: Store, users: Sequence[UsagePeer], default_by_kind: Mapping[str, int]
    ) -> None:
        self._store = store
        self._users = users
        self._default_by_kind = default_by_kind

    async def list_page(self, request: ListRequest) -> ListReply:
        """One project's, asked for by id; or all that have limits of their own."""
        wanted = {each.field: each.values for each in request.query.filters}
        if "id" in wanted:
            return ListReply([self._shown(await self._quota(str(wanted["id"][0])))])
        return ListReply([self._shown(q) for q in await self._store.page(request.query)])

    async def create(self, request: CreateRequest) -> Written:
        raise HTTPBadRequest("Quotas are not created: PUT sets a project's.")

    async def update(self, request: UpdateRequest) -> Written:
        """Refused when a limit is lower than what is used, unless `force` says so.

        Answered when the log knows it, so that managers do, too, before long.
        """
        changes = dict(request.changes)
        force, asked = changes.pop("force", False), changes.pop("check_limit", False)
        if asked or not force:
            check_use(changes, await self._used(request.id))
        trace = request.caller.request_id
        sequence = await self._store.change(request.id, lambda old: changed(old, changes), trace)
        await self._store.told(sequence)
        return Written([self._shown(await self._quota(request.id))], _revision(sequence))

    async def delete(self, request: DeleteRequest) -> Written:
        """The defaults hold again."""
        sequence = await self._store.remove(request.id, request.caller.request_id)
        await self._store.told(sequence)
        return Written([], _revision(sequence))

    async def act(self, request: ActRequest) -> Written:
        """`default`: what holds for who has no limits of their own; `details`: with use.

        Both are of numbers alone, without the project: Horizon takes every value for one.
        """
        if request.action == "default":
            return Written([Raw(_encode(self._default_by_kind))], "")
        limits = dict(self._default_by_kind) | (await self._quota(request.id)).limits
        return Written([Raw(_encode(details(limits, await self._used(request.id))))], "")

    async def _quota(self, project: str) -> Quota:
        return await self._store.quota(project) or Quota(id=project, limits={})

    async def _used(self, project: str) -> dict[str, int]:
        request = ProjectUsage(project)
        replies = await asyncio.gather(*(user.usage(request) for user in self._users))
        found: Counter[str] = Counter()
        for reply in replies:  # sharing policies are counted by several
            found.update(reply.used)
        return dict(found)

    def _shown(self, quota: Quota) -> Raw:
        return Raw(_encode(shown(quota, self._default_by_kind)))


def _revision(sequence: int) -> str:
    return str(Revision("quota", sequence))
