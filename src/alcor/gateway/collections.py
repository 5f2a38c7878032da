"""The routes of one collection: every kind of resource is read and answered in the same way.

Documents come from managers as JSON and are spliced into answers unread, unless `fields` asks for
less of them or the caller may not see all.
"""

from collections.abc import Sequence

import msgspec

from alcor.contracts.resources import (
    ActingManager,
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    ResourceManager,
    UpdateRequest,
)
from alcor.gateway import repeats
from alcor.gateway.csv_items import items_of
from alcor.gateway.errors import not_allowed, not_found
from alcor.gateway.policy.access import Access
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import JSON, Response, encode, written
from alcor.gateway.tags import Tags
from alcor.resource import body, query
from alcor.resource.declaration import SHOWN_FIELDS, Resource
from alcor.resource.links import links
from alcor.resource.revisions import check_revision
from alcor.resource.tags import TAGS
from alcor.values.errors import HTTPBadRequest, Refusal


class _Known(msgspec.Struct):
    """What the door must know of a document."""

    id: str = ""
    project_id: str | None = ""  # the id of what is one a project
    network_id: str = ""  # the id of what is one a network
    revision_number: int = -1


_REPEATED = (b"idempotency-replayed", b"true")
_known = msgspec.json.Decoder(_Known).decode


class Collection:
    """One collection, e.g. `/v2.0/networks`, and the members under it."""

    def __init__(
        self,
        resource: Resource,
        manager: ResourceManager,
        limits: Limits,
        access: Access,
        path: str = "",
    ) -> None:
        self.resource = resource
        self._path = path or resource.path
        self._access = access
        self._manager = manager
        self._limits = limits
        self._member_head = b'{"%s":' % resource.key.encode()
        self._list_head = b'{"%s":[' % resource.collection.encode()
        self._links_head = b',"%s_links":' % resource.collection.encode()
        self._projects = "project_id" in resource.field_by_name
        self._tags = Tags(resource, manager, access, self._visible)

    async def on_collection(self, request: Request, caller: Caller) -> Response:
        """GET lists, POST creates."""
        if request.method == "GET":
            return await self._list(request, caller)
        if request.method == "POST" and self.resource.creatable:
            return await self._create(request, caller)
        return not_allowed("GET, POST" if self.resource.creatable else "GET")

    async def on_member(self, request: Request, caller: Caller, id_: str) -> Response:
        """GET shows, PUT updates, DELETE deletes."""
        if request.method not in ("GET", "PUT", "DELETE"):
            return not_allowed("GET, PUT, DELETE")
        if not self.resource.is_id(id_):
            raise self._access.missing(id_)
        if request.method == "GET":
            return await self._show(request, caller, id_)
        if request.method == "PUT":
            return await self._update(request, caller, id_)
        return await self._delete(request, caller, id_)

    async def on_action(self, request: Request, caller: Caller, id_: str, name: str) -> Response:
        """`<path>/<id>/<name>`: a call beyond the four verbs."""
        action = self.resource.action_by_name.get(name)
        if action is None:
            return not_found()
        if request.method != action.method:
            return not_allowed(action.method)
        if not self.resource.is_id(id_):
            raise self._access.missing(id_)
        assert isinstance(self._manager, ActingManager), f"{name}: the manager has no actions"
        arguments = body.arguments(action, await request.body())
        if not self._access.certain(caller, name):
            document = await self._document(caller, id_)
            await self._access.check_change(caller, name, document, arguments)
        reply = await self._manager.act(ActRequest(caller, id_, name, arguments))
        answer = bytes(reply.items[0])
        if action.answer_root:
            answer = b'{"%s":%s}' % (action.answer_root.encode(), answer)
        return written(200, answer, reply.revision) if reply.revision else Response(200, answer)

    async def on_tags(self, request: Request, caller: Caller, id_: str, tag: str) -> Response:
        """`<path>/<id>/tags`, or (`tag` not empty) `<path>/<id>/tags/<tag>`."""
        if TAGS not in self.resource.field_by_name or not self.resource.updatable:
            return not_found()
        if not self.resource.is_id(id_):
            raise self._access.missing(id_)
        if not tag:
            return await self._tags.on_all(request, caller, id_)
        return await self._tags.on_one(request, caller, id_, tag)

    async def _create(self, request: Request, caller: Caller) -> Response:
        content = await request.body()
        if request.header(b"content-type").startswith("text/csv"):
            content = encode({self.resource.collection: items_of(content)})
        created = body.created(self.resource, content, self._limits.items_per_create_max)
        if self._projects:
            for item in created.items:
                self._check_project(item.setdefault("project_id", caller.project_id), caller)
        await self._access.check_create(caller, created.items)
        key = request.header(repeats.HEADER) if self.resource.takes_ids else ""
        ids = repeats.name_items(key, caller, self._path, created.items) if key else []
        try:
            reply = await self._manager.create(CreateRequest(caller, created.items))
        except Refusal as refusal:
            made = await self._made_before(caller, ids)
            if not made:
                raise await self._access.refused(caller, created.items, refusal) from None
            content = await self._made(caller, made, bulk=created.bulk)
            return Response(201, content, (JSON, _REPEATED))
        content = await self._made(caller, reply.items, bulk=created.bulk)
        return written(201, content, reply.revision)

    async def _made(self, caller: Caller, documents: Sequence[msgspec.Raw], *, bulk: bool) -> bytes:
        items = await self._access.shown(caller, documents)
        return self._spliced(items) + b"}" if bulk else self._member(items)

    async def _made_before(self, caller: Caller, ids: Sequence[str]) -> list[msgspec.Raw]:
        """What an earlier request of the same key made, as it is now; nothing unless it is all."""
        if not ids:
            return []
        only = ListQuery(filters=(Filter("id", tuple(ids)),))
        reply = await self._manager.list_page(ListRequest(caller, only))
        by_id = {_known(document).id: document for document in reply.items}
        return [by_id[id_] for id_ in ids] if by_id.keys() == set(ids) else []

    async def _list(self, request: Request, caller: Caller) -> Response:
        page = query.page(self.resource, request.query, self._limits.items_per_page_max)
        self._access.check_query(caller, page.query)
        reply = await self._manager.list_page(ListRequest(caller, page.query))
        items = reply.items
        content = self._spliced(await self._access.shown(caller, items, page.fields))
        if page.links or len(items) == page.query.limit:
            content += self._links_head + encode(self._links(request, page, items))
        return Response(200, content + b"}")

    def _links(
        self, request: Request, page: query.Page, items: Sequence[msgspec.Raw]
    ) -> list[dict[str, str]]:
        ends = [_known(items[0]), _known(items[-1])] if items else []
        ids = [end.id or end.network_id or end.project_id or "" for end in ends]
        # Only the first, the last and the number of ids matter.
        ids = ids[:1] * (len(items) - 1) + ids[1:]
        url = f"{request.base_url}{self._path}"
        found = links(url, page.parameters, ids, page.query.limit, reverse=page.query.reverse)
        return [link._asdict() for link in found]

    async def _show(self, request: Request, caller: Caller, id_: str) -> Response:
        fields = query.fields_of(query.parameters(request.query))
        document = await self._shown_document(caller, id_, fields)
        revision = _known(document).revision_number
        fields = tuple(each for each in fields if each not in self.resource.field_words)
        shown = await self._access.shown(caller, [document], fields)
        if not shown:
            raise self._access.hidden(caller, id_)
        etag = ((b"etag", b'"revision_number=%d"' % revision),) if revision >= 0 else ()
        return Response(200, self._member(shown), (JSON, *etag))

    async def _update(self, request: Request, caller: Caller, id_: str) -> Response:
        if not self.resource.updatable:
            return not_allowed("GET, DELETE")
        changes = body.changed(self.resource, await request.body())
        if not self._access.certain(caller, "update"):
            held = await self._document(caller, id_)
            await self._access.check_change(caller, "update", held, changes)
        reply = await self._manager.update(UpdateRequest(caller, id_, changes, request.if_revision))
        items = await self._access.shown(caller, reply.items)
        return written(200, self._member(items), reply.revision)

    async def _delete(self, request: Request, caller: Caller, id_: str) -> Response:
        if not self.resource.deletable:
            return not_allowed("GET, PUT")
        certain = self._access.certain(caller, "delete")
        if request.if_revision is not None or not certain:
            document = await self._document(caller, id_)
            if not certain:
                await self._access.check_change(caller, "delete", document)
            check_revision(request.if_revision, _known(document).revision_number)
        reply = await self._manager.delete(DeleteRequest(caller, id_))
        return Response(204, b"", ((b"x-alcor-revision", reply.revision.encode("latin-1")),))

    async def _shown_document(
        self, caller: Caller, id_: str, fields: tuple[str, ...]
    ) -> msgspec.Raw:
        if not self.resource.field_words:
            return await self._document(caller, id_)
        return await self._document(caller, id_, Filter(SHOWN_FIELDS, fields))

    async def _document(self, caller: Caller, id_: str, *also: Filter) -> msgspec.Raw:
        only = ListQuery(filters=(Filter("id", (id_,)), *also), limit=1)
        reply = await self._manager.list_page(ListRequest(caller, only))
        if not reply.items:
            raise self._access.missing(id_)
        return reply.items[0]

    async def _visible(self, caller: Caller, id_: str) -> msgspec.Raw:
        """The document of one that they may see."""
        document = await self._document(caller, id_)
        if not await self._access.shown(caller, [document]):
            raise self._access.hidden(caller, id_)
        return document

    def _spliced(self, items: Sequence[msgspec.Raw | bytes]) -> bytes:
        """The list of the answer, without its closing brace."""
        return self._list_head + b",".join(map(bytes, items)) + b"]"

    def _member(self, items: Sequence[msgspec.Raw | bytes]) -> bytes:
        """The answer about one; an empty object to who may change it but not see it."""
        return self._member_head + (bytes(items[0]) if items else b"{}") + b"}"

    def _check_project(self, project: str, caller: Caller) -> None:
        if not project:
            raise HTTPBadRequest("A token of no project needs a project_id in the body")
        if project != caller.project_id and not caller.admin:
            raise HTTPBadRequest(
                "Specifying 'project_id' or 'tenant_id' other than the authenticated project in "
                "request requires admin privileges"
            )
