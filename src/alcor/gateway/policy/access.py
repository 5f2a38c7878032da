"""The policy applied to one kind of resource: before a write, and to what is shown.

Where a caller's roles alone decide, as for administrators, no resource is read or decoded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.contracts.resources import Caller, Filter, ListQuery, ListRequest, ResourceManager
from alcor.gateway.policy.policy import Document, Policy, PolicyNotAuthorized, Right
from alcor.gateway.policy.rules import PARENT, Verdict
from alcor.gateway.responses import encode
from alcor.resource.declaration import Resource
from alcor.resource.query import no_filter, no_sort_key
from alcor.values.errors import NotFound, Refusal
from alcor.values.missing import NetworkNotFound


class _Identified(msgspec.Struct):
    id: str = ""  # limits have none


_id = msgspec.json.Decoder(_Identified).decode
_whole = msgspec.json.Decoder(dict[str, Any]).decode
_NOTHING: Document = {}
_NONE: Document = {f"{PARENT}id": ""}
_HIDDEN: Document = {f"{PARENT}id": ""}
_Rule = tuple[str, Verdict]  # its name, and what the roles alone say
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
        await self._check(caller, right, [(item, self._given(self._said(item))) for item in items])

    async def refused(self, caller: Caller, items: Sequence[Document], refusal: Refusal) -> Refusal:
        """What they are told whose new ports were refused. A network that they see is there, but
        only its owner and those whom it is shared with may use it."""
        if self._resource.name != "port" or refusal.type != "NetworkNotFound":
            return refusal
        for network in (await self._networks_seen(caller, items)).values():
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
            await self._check(caller, right, [(target, self._given(changes))])
        except PolicyNotAuthorized:
            if await self.shown(caller, [document]):
                raise
            raise self.hidden(caller, _id(document).id) from None

    def missing(self, id_: str) -> NotFound:
        """What they are told of one that is not there, or not for them."""
        title = self._resource.title
        return NotFound(f"{title} {id_[:255]} could not be found.", type=f"{title}NotFound")

    def hidden(self, caller: Caller, id_: str) -> Refusal:
        """What they are told of one that is there, and that they may not see."""
        if self._resource.every_id_has:
            return PolicyNotAuthorized([self._policy.right(caller, "get", self._resource).name])
        return self.missing(id_)

    async def shown(
        self, caller: Caller, documents: Sequence[msgspec.Raw], fields: Sequence[str] = ()
    ) -> Sequence[msgspec.Raw | bytes]:
        """Of what they may see, what they may see of it; with `fields`, only those."""
        right = self._policy.right(caller, "get", self._resource)
        if right.certain and not fields:
            return documents
        if right.whole is False:
            return []
        wholes = [_whole(document) for document in documents]
        rules: list[_Rule] = [(right.name, right.whole)]
        rules += [(f"{right.name}:{name}", verdict) for name, verdict in right.fields.items()]
        verdicts, _ = await self._verdicts(caller, [(whole, rules) for whole in wholes])
        found: list[bytes] = []
        for whole, (is_seen, *are_seen) in zip(wholes, verdicts, strict=True):
            if not is_seen:
                continue
            for name, is_shown in zip(right.fields, are_seen, strict=True):
                if not is_shown:
                    whole.pop(name, None)
            shown = {name: whole[name] for name in whole if name in fields} if fields else whole
            found.append(encode(shown))
        return found

    def check_query(self, caller: Caller, query: ListQuery) -> None:
        """That no list is filtered or sorted by what they can't see: that would show it. Those of
        what every id has are for who may see all."""
        right = self._policy.right(caller, "get", self._resource)
        if self._resource.every_id_has and right.whole is not True:
            raise PolicyNotAuthorized([right.name])
        hidden = right.fields
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

    def _said(self, item: Document) -> Document:
        """What of an item's fields is not as if it had been left out."""
        return {name: value for name, value in item.items() if value != self._default.get(name)}

    async def _check(
        self, caller: Caller, right: Right, asked: Sequence[tuple[Document, Sequence[str]]]
    ) -> None:
        """That the right holds for all of these, each with the fields that are given."""
        targets = [
            (
                target,
                [(right.name, right.whole)]
                + [(f"{right.name}:{f}", right.fields[f]) for f in given if f in right.fields],
            )
            for target, given in asked
        ]
        verdicts, networks = await self._verdicts(caller, targets)
        for (target, given), holding in zip(asked, verdicts, strict=True):
            if not all(holding):
                id_ = str(target.get("network_id", ""))
                if networks.get(id_) is _HIDDEN:
                    raise NetworkNotFound(id_)
                raise PolicyNotAuthorized(self._policy.rules_named(right, given))

    async def _verdicts(
        self, caller: Caller, targets: Sequence[tuple[Document, Sequence[_Rule]]]
    ) -> tuple[list[list[bool]], Mapping[str, Document]]:
        """Of each target what its rules say, and the networks that had to be looked at: what the
        roles say, else the target, else the network that it is on."""
        said = [
            [self._of_target(caller, name, verdict, target) for name, verdict in rules]
            for target, rules in targets
        ]
        unsure = [target for (target, _), each in zip(targets, said, strict=True) if None in each]
        networks = await self._networks_seen(caller, unsure) if unsure else {}
        found = [
            [
                bool(self._of_network(caller, name, target, networks) if holds is None else holds)
                for (name, _), holds in zip(rules, each, strict=True)
            ]
            for (target, rules), each in zip(targets, said, strict=True)
        ]
        return found, networks

    def _of_target(self, caller: Caller, name: str, verdict: Verdict, target: Document) -> Verdict:
        if verdict is not None:
            return verdict
        return self._policy.holds(caller, name, _with_tenant(target))

    def _of_network(
        self, caller: Caller, name: str, target: Document, networks: Mapping[str, Document]
    ) -> Verdict:
        network = networks[str(target.get("network_id", ""))]
        return self._policy.holds(caller, name, {**_with_tenant(target), **network})

    async def _networks_seen(
        self, caller: Caller, targets: Sequence[Document]
    ) -> Mapping[str, Document]:
        """What rules may ask of the networks of these, all in one question; `_HIDDEN` of those
        that the caller can't see."""
        ids = list(dict.fromkeys(str(target.get("network_id", "")) for target in targets))
        if self._networks is None or ids == [""]:
            return dict.fromkeys(ids, _NONE)
        asked = tuple(id_ for id_ in ids if id_)
        only = ListQuery(filters=(Filter("id", asked),), limit=len(asked))
        reply = await self._networks.list_page(ListRequest(caller, only))
        found = {id_: _HIDDEN if id_ else _NONE for id_ in ids}
        for network in map(_whole, reply.items):
            found[network["id"]] = {f"{PARENT}{name}": network.get(name) for name in _OF_PARENT}
        return found


def _with_tenant(target: Document) -> Document:
    return {**target, "tenant_id": target.get("project_id", "")}
