"""What can be done with sharing policies, whatever they share."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Raw

from alcor.contracts.peers import ProjectUsage, UsagePeer
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListReply,
    ListRequest,
    ResourceManager,
    UpdateRequest,
    Written,
)
from alcor.managers.rbac.model import beyond_marker, check, merged, types_asked
from alcor.runtime.tables.sharing import RbacPolicyIdInUse, RbacPolicyNotFound
from alcor.runtime.tables.usage import Limit, OverQuota
from alcor.values.errors import HTTPBadRequest

KIND = "rbac_policy"
_ANYBODY = Caller(project_id="", admin=True)


class Owner(NamedTuple):
    """Who keeps the policies of one kind of object, and the actions that they may allow."""

    policies: ResourceManager
    actions: Sequence[str]


class RbacService:
    """Keeps the contract ResourceManager by asking the owners."""

    def __init__(
        self, owner_by_type: Mapping[str, Owner], users: Sequence[UsagePeer], quota: Limit
    ) -> None:
        self._owner_by_type = owner_by_type
        self._users = users
        self._quota = quota

    async def list_page(self, request: ListRequest) -> ListReply:
        caller, query = request.caller, request.query
        if query.marker:
            await self._find(query.marker, caller)
        types = types_asked(query, list(self._owner_by_type))
        pages = await self._ask(types, caller, beyond_marker(query))
        return ListReply(merged(pages, query))

    async def create(self, request: CreateRequest) -> Written:
        """Those of one request are of one kind of object: then all of them are made, or none."""
        actions = {type_: owner.actions for type_, owner in self._owner_by_type.items()}
        for each in request.items:
            check(each["object_type"], each["action"], actions)
        await self._check_ids([each["id"] for each in request.items if "id" in each])
        types = {each["object_type"] for each in request.items}
        if len(types) > 1:
            raise HTTPBadRequest("The policies of one request must be of one object_type")
        await self._check_quota(Counter(each["project_id"] for each in request.items))
        return await self._owner_by_type[types.pop()].policies.create(request)

    async def update(self, request: UpdateRequest) -> Written:
        owner = await self._find(request.id, request.caller)
        return await owner.policies.update(request)

    async def delete(self, request: DeleteRequest) -> Written:
        owner = await self._find(request.id, request.caller)
        return await owner.policies.delete(request)

    async def _check_ids(self, ids: Sequence[str]) -> None:
        """An owner refuses the ids of its own policies; here those of the others'."""
        if ids:
            only = ListQuery(filters=(Filter("id", tuple(ids)),), limit=1)
            if any(await self._ask(list(self._owner_by_type), _ANYBODY, only)):
                raise RbacPolicyIdInUse

    async def _check_quota(self, count_by_project: Mapping[str, int]) -> None:
        """Policies of all kinds count together; each owner enforces the limit on its own again."""
        for project, count in count_by_project.items():
            limit = self._quota(KIND, project)
            if limit < 0:
                continue
            asked = ProjectUsage(project)
            replies = await asyncio.gather(*(user.usage(asked) for user in self._users))
            if count + sum(reply.used.get(KIND, 0) for reply in replies) > limit:
                raise OverQuota([KIND])

    async def _find(self, id_: str, caller: Caller) -> Owner:
        types = list(self._owner_by_type)
        only = ListQuery(filters=(Filter("id", (id_,)),), limit=1)
        pages = await self._ask(types, caller, only)
        for type_, page in zip(types, pages, strict=True):
            if page:
                return self._owner_by_type[type_]
        raise RbacPolicyNotFound(id_)

    async def _ask(
        self, types: Sequence[str], caller: Caller, query: ListQuery
    ) -> list[Sequence[Raw]]:
        request = ListRequest(caller, query)
        replies = await asyncio.gather(
            *(self._owner_by_type[type_].policies.list_page(request) for type_ in types)
        )
        return [reply.items for reply in replies]
