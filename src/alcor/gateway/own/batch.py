"""`POST /alcor/v1/batch/<collection>`: many of a kind made, changed or deleted in one call.

Each item has its own answer, in order, as if it had been asked for alone; or, for creations, all or
nothing. Items go to the manager together, which writes as many as it can in one transaction.

    {"create": [{...}, ...], "all_or_nothing": true}
    {"update": [{"id": ..., "revision_number": 3, "name": ...}, ...]}
    {"delete": [{"id": ...}, ...]}

An item's `revision_number` is a condition, like If-Match for a single change.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.contracts.resources import Caller
from alcor.gateway.errors import not_allowed, not_found
from alcor.gateway.own.inner import Within, inner
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import JSON, Response, encode
from alcor.resource import body
from alcor.resource.declaration import Resource
from alcor.resource.fields import shown
from alcor.values.errors import HTTPBadRequest, Kind, Refusal

PATH = "/alcor/v1/batch"
VERBS = ("create", "update", "delete")
at_once_max = 200  # items of one call that managers see at the same time
_REVISION = b"x-alcor-revision"


class Batch:
    """Answers batches for the kinds that are announced, by the names of their collections."""

    def __init__(
        self, resource_by_collection: Mapping[str, Resource], limits: Limits, within: Within
    ) -> None:
        self._resources = resource_by_collection
        self._limits = limits
        self._within = within

    async def on_kind(self, request: Request, caller: Caller, collection: str) -> Response:
        """POST; `collection` as in the path, with `-` or `_`."""
        resource = self._resources.get(collection.replace("-", "_"))
        if resource is None:
            return not_found()
        if request.method != "POST":
            return not_allowed("POST")
        verb, items, together = self._read(await request.body())
        if together and verb != "create":
            raise HTTPBadRequest(
                "all_or_nothing is for create only: what else there is, is one by one"
            )
        if together:
            content = encode({resource.collection: items})
            return await self._within(
                inner(request, self._limits, "POST", resource.path, content), caller
            )
        singles = [self._single(request, resource, verb, item) for item in items]
        gate = asyncio.Semaphore(at_once_max)

        async def one(single: Request) -> Response:
            async with gate:
                return await self._within(single, caller)

        answers = await asyncio.gather(*map(one, singles))
        results = b",".join(map(_result, answers))
        revisions = [(_REVISION, each) for each in _last_revisions(answers)]
        return Response(200, b'{"results":[%s]}' % results, (JSON, *revisions))

    def _read(self, content: bytes) -> tuple[str, list[dict[str, Any]], bool]:
        given = body.decoded(content)
        together = given.pop("all_or_nothing", False)
        if not isinstance(together, bool):
            raise HTTPBadRequest("'all_or_nothing' must be true or false")
        if len(given) != 1 or next(iter(given)) not in VERBS:
            raise HTTPBadRequest("A batch has exactly one of 'create', 'update' and 'delete'")
        ((verb, items),) = given.items()
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise HTTPBadRequest(f"'{verb}' must be a list of JSON objects")
        if not items:
            raise HTTPBadRequest("Resources required")
        if len(items) > self._limits.items_per_create_max:
            message = f"A batch may have at most {self._limits.items_per_create_max} items"
            raise Refusal(message, type="HTTPRequestEntityTooLarge", kind=Kind.TOO_LARGE)
        return verb, items, together

    def _single(
        self, request: Request, resource: Resource, verb: str, item: dict[str, Any]
    ) -> Request:
        """What an item stands for; `HTTPBadRequest` when it is none, and with it the batch."""
        if verb == "create":
            content = encode({resource.key: item})
            return inner(request, self._limits, "POST", resource.path, content)
        changes = dict(item)
        id_ = changes.pop("id", None)
        if not isinstance(id_, str) or not id_ or "/" in id_:
            raise HTTPBadRequest(f"{shown(id_)} is not an id")
        revision = changes.pop("revision_number", None)
        if revision is not None and (type(revision) is not int or not 0 <= revision < 1 << 63):
            raise HTTPBadRequest(f"{shown(revision)} is not a revision number")
        if verb == "delete" and changes:
            raise HTTPBadRequest(
                "An item of 'delete' has an id, and nothing else but a revision_number"
            )
        content = encode({resource.key: changes}) if verb == "update" else b""
        method = "PUT" if verb == "update" else "DELETE"
        path = f"{resource.path}/{id_}"
        return inner(request, self._limits, method, path, content, if_revision=revision)


def _result(answer: Response) -> bytes:
    revision = dict(answer.headers).get(_REVISION, b"").decode("latin-1")
    said = msgspec.Raw(answer.body) if answer.body else msgspec.Raw(b"null")
    return encode({"status": answer.status, "revision": revision, "body": said})


def _last_revisions(answers: list[Response]) -> list[bytes]:
    """The newest of what was written: who waits for it waits for all of them."""
    written = [dict(answer.headers).get(_REVISION, b"") for answer in answers]
    by_sequence = [(int(each.rpartition(b":")[2]), each) for each in written if each]
    return [max(by_sequence)[1]] if by_sequence else []
