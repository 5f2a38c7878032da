"""The routes of tags: `<path>/<id>/tags` and `<path>/<id>/tags/<tag>`, for every kind with tags.

For the manager tags are a field like others. A change of tags is decided here from what was read,
and written on condition that nothing has changed since; otherwise it is read and decided again.

Source: Neutron API reference v2, "Tags"; status codes are neutron.extensions.tagging's.
"""

from collections.abc import Awaitable, Callable

import msgspec

from alcor.contracts.resources import Caller, ResourceManager, UpdateRequest, Written
from alcor.gateway.errors import not_allowed
from alcor.gateway.policy.access import Access
from alcor.gateway.policy.policy import tags_rule
from alcor.gateway.requests import Request
from alcor.gateway.responses import Response, encode, written
from alcor.resource import body
from alcor.resource.declaration import Resource
from alcor.resource.revisions import check_revision
from alcor.resource.tags import TAGS, TagNotFound, checked_tag, checked_tags
from alcor.values.errors import InvalidInput, Kind, Refusal, Unavailable

tries_max = 50  # of a change that others overtake

Decide = Callable[[list[str]], list[str]]
Find = Callable[[Caller, str], Awaitable[msgspec.Raw]]  # a document that the caller may see


class Tagged(msgspec.Struct):
    """What must be known of a document."""

    tags: list[str]
    revision_number: int


_tagged = msgspec.json.Decoder(Tagged).decode


class Tags:
    """Answers about the tags of one kind's resources."""

    def __init__(
        self, resource: Resource, manager: ResourceManager, access: Access, find: Find
    ) -> None:
        self._resource = resource
        self._manager = manager
        self._access = access
        self._find = find

    async def on_all(self, request: Request, caller: Caller, id_: str) -> Response:
        """GET shows, PUT replaces, POST adds, DELETE removes all."""
        match request.method:
            case "GET":
                tagged = await self._checked(caller, "get", id_)
                return Response(200, encode({TAGS: tagged.tags}))
            case "PUT":
                wanted = _of_body(await request.body())
                done = await self._change(request, caller, id_, "update", lambda _: wanted)
                return written(200, _shown(done), done.revision)
            case "POST":
                more = _of_body(await request.body())
                done = await self._change(
                    request, caller, id_, "create", lambda held: [*dict.fromkeys(held + more)]
                )
                return written(200, _shown(done), done.revision)
            case "DELETE":
                done = await self._change(request, caller, id_, "delete", lambda _: [])
                return written(204, b"", done.revision)
        return not_allowed("GET, POST, PUT, DELETE")

    async def on_one(self, request: Request, caller: Caller, id_: str, tag: str) -> Response:
        """GET says whether it is there, PUT adds it, DELETE removes it."""
        if request.method not in ("GET", "PUT", "DELETE"):
            return not_allowed("GET, PUT, DELETE")
        tag = checked_tag(tag)

        def without(held: list[str]) -> list[str]:
            if tag not in held:
                raise TagNotFound(tag)
            return [each for each in held if each != tag]

        if request.method == "GET":
            without((await self._checked(caller, "get", id_)).tags)
            return Response(204)
        if request.method == "PUT":
            done = await self._change(
                request, caller, id_, "update", lambda held: [*dict.fromkeys([*held, tag])]
            )
            return written(201, b"", done.revision)
        done = await self._change(request, caller, id_, "delete", without)
        return written(204, b"", done.revision)

    async def _checked(self, caller: Caller, verb: str, id_: str) -> Tagged:
        """What is held, if they may do this with it."""
        document = await self._find(caller, id_)
        rule = tags_rule(verb, self._resource)
        if not self._access.certain(caller, rule):
            await self._access.check_change(caller, rule, document)
        return _tagged(document)

    async def _change(
        self, request: Request, caller: Caller, id_: str, verb: str, decide: Decide
    ) -> Written:
        for _ in range(tries_max):
            held = await self._checked(caller, verb, id_)
            check_revision(request.if_revision, held.revision_number)
            changes = {TAGS: checked_tags(decide(held.tags))}
            try:
                return await self._manager.update(
                    UpdateRequest(caller, id_, changes, held.revision_number)
                )
            except Refusal as refusal:
                if refusal.kind is not Kind.STALE or request.if_revision is not None:
                    raise
        raise Unavailable(f"Others changed {self._resource.name} {id_} all the time; try again.")


def _of_body(content: bytes) -> list[str]:
    value = body.decoded(content)
    if TAGS not in value:
        raise InvalidInput("Invalid input for operation: Invalid tags body.")
    return checked_tags(value[TAGS])


def _shown(done: Written) -> bytes:
    return encode({TAGS: _tagged(done.items[0]).tags})
