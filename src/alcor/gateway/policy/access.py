"""The policy applied to one kind of resource: before a write, and to what is shown.

Where a caller's roles alone decide, as for administrators, no resource is read or decoded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.contracts.resources import Caller, Filter, ListQuery, ListRequest, ResourceManager
from alcor.gateway.policy.policy import Document, Policy, PolicyNotAuthorized, Right
from alcor.gateway.policy.rules import PARENT
from alcor.gateway.responses import encode
from alcor.resource.declaration import Resource
from alcor.resource.query import no_filter, no_sort_key
from alcor.values.errors import NotFound, Refusal
from alcor.values.missing import NetworkNotFound


class _Identified(msgspec.Struct):
    id: str


_id = msgspec.json.Decoder(_Identified).decode
_whole = msgspec.json.Decoder(dict[str, Any]).decode
_NOTHING: Document = {}
_NONE: Document = {f"{PARENT}id": ""}
_HIDDEN: Document = {f"{PARENT}id": ""}
_OF_PARENT = ("id", "project_id", "tenant_id", "shared", "router:external")


class Access:
    """Who may do what with one kind. `networks` answers for the network of a port or subnet."""

    def __init__(
        self, policy: Policy, resource: Resource, networks: ResourceManager | None
    ) -> None:
        self._policy = policy
        self._resource = resource
        self._networks = networks
        self._default = {field.name: field.default for field in resource.fields}

    async def check_create(self, caller: Caller, items: Sequence[Document]) -> None:
        """That all of these may be made, with these fields; `PolicyNotAuthorized`."""
        right = self._policy.right(caller, "create", self._resource)
        if right.certain:
            return
        networks: dict[str, Document] = {}
        for item in items:
            given = self._given(
                {name: value for name, value in item.items() if value != self._default.get(name)}
            )
            await self._check(caller, right, item, given, networks)

    async def refused(self, caller: Caller, items: Sequence[Document], refusal: Refusal) -> Refusal:
        """What they are told whose new ports were refused. A network that they see is there, but
        only its owner and those whom it is shared with may use it."""
        if self._resource.name != "port" or refusal.type != "NetworkNotFound":
            return refusal
        for id_ in dict.fromkeys(str(item["network_id"]) for item in items):
            network = await self._network(caller, id_)
            if network is _HIDDEN:
                return refusal
            owner, shared = network[f"{PARENT}project_id"], network[f"{PARENT}shared"]
            if owner != caller.project_id and not shared:
                return PolicyNotAuthorized(["create_port"])
        return refusal

    def certain(self, caller: Caller, verb: str) -> bool:
        """Whether a change may be made whatever it is: then nothing needs to be read."""
        return self._policy.right(caller, verb, self._resource).certain

    async def check_change(
        self, caller: Caller, verb: str, document: msgspec.Raw, changes: Document = _NOTHING
    ) -> None:
        """That it may be changed so; `PolicyNotAuthorized`, or `NotFound` to who may not see it."""
        right = self._policy.right(caller, verb, self._resource)
        try:
            target = _whole(document) | dict(changes)
            await self._check(caller, right, target, self._given(changes), {})
        except PolicyNotAuthorized:
            if await self.shown(caller, [document]):
                raise
            raise self.missing(_id(document).id) from None

    def missing(self, id_: str) -> NotFound:
        """What they are told of one that is not there, or not for them."""
        title = self._resource.title
        return NotFound(f"{title} {id_[:255]} could not be found.", type=f"{title}NotFound")

    async def shown(
        self, caller: Caller, documents: Sequence[msgspec.Raw], fields: Sequence[str] = ()
    ) -> Sequence[msgspec.Raw | bytes]:
        """Of what they may see, what they may see of it; with `fields`, only those."""
        right = self._policy.right(caller, "get", self._resource)
        if right.certain and not fields:
            return documents
        if right.whole is False:
            return []
        wanted = set(fields)
        networks: dict[str, Document] = {}
        found: list[bytes] = []
        for document in documents:
            whole = _whole(document)
            if not await self._holds(caller, right.name, right.whole, whole, networks):
                continue
            hidden = [
                name
                for name, verdict in right.fields.items()
                if not await self._holds(caller, f"{right.name}:{name}", verdict, whole, networks)
            ]
            for name in hidden:
                whole.pop(name, None)
            if wanted:
                whole = {name: value for name, value in whole.items() if name in wanted}
            found.append(encode(whole))
        return found

    def check_query(self, caller: Caller, query: ListQuery) -> None:
        """That no list is filtered or sorted by what they can't see: that would show it."""
        hidden = self._policy.right(caller, "get", self._resource).fields
        if not hidden:
            return
        for filter_ in query.filters:
            if filter_.field in hidden:
                raise no_filter((filter_.field,))
        for sort in query.sorts:
            if sort.field in hidden:
                raise no_sort_key((sort.field,))

    def _given(self, values: Document) -> list[str]:
        """The names of what is given, those of an object's parts after its own."""
        names = list(values)
        for field in self._resource.fields:
            value = values.get(field.name) if field.parts else None
            objects = value if isinstance(value, list) else [value]
            held = {key for each in objects if isinstance(each, Mapping) for key in each}
            names += [f"{field.name}:{part}" for part in field.parts if part in held]
        return names

    async def _check(
        self,
        caller: Caller,
        right: Right,
        target: Document,
        given: Sequence[str],
        networks: dict[str, Document],
    ) -> None:
        verdicts = [(right.name, right.whole)]
        verdicts += [(f"{right.name}:{f}", right.fields[f]) for f in given if f in right.fields]
        for name, verdict in verdicts:
            if not await self._holds(caller, name, verdict, target, networks):
                id_ = str(target.get("network_id", ""))
                if networks.get(id_) is _HIDDEN:
                    raise NetworkNotFound(id_)
                raise PolicyNotAuthorized(self._policy.rules_named(right, given))

    async def _holds(
        self,
        caller: Caller,
        name: str,
        verdict: bool | None,
        target: Document,
        networks: dict[str, Document],
    ) -> bool:
        """What the roles say, else the target, else the network that it is on."""
        if verdict is None:
            target = {**target, "tenant_id": target.get("project_id", "")}
            verdict = self._policy.holds(caller, name, target)
        if verdict is None:
            id_ = str(target.get("network_id", ""))
            if id_ not in networks:
                networks[id_] = await self._network(caller, id_)
            verdict = self._policy.holds(caller, name, {**target, **networks[id_]})
        return bool(verdict)

    async def _network(self, caller: Caller, id_: str) -> Mapping[str, Any]:
        """What rules may ask of a network; `_HIDDEN` when the caller can't see it."""
        if self._networks is None or not id_:
            return _NONE
        only = ListQuery(filters=(Filter("id", (id_,)),), limit=1)
        reply = await self._networks.list_page(ListRequest(caller, only))
        if not reply.items:
            return _HIDDEN
        network = _whole(reply.items[0])
        return {f"{PARENT}{name}": network.get(name) for name in _OF_PARENT}
