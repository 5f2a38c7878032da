"""Which path leads to whom: collections, their members, actions, tags, and calls of ours."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from alcor.contracts.resources import Caller, ResourceManager
from alcor.gateway.collections import Collection
from alcor.gateway.nested import Nested
from alcor.gateway.own.batch import PATH as BATCH
from alcor.gateway.own.batch import Batch
from alcor.gateway.own.inner import Within
from alcor.gateway.own.operations import About
from alcor.gateway.own.originals import Originals
from alcor.gateway.own.port_state import PortStateView
from alcor.gateway.own.serving_agents import ServingAgents
from alcor.gateway.own.traces import PATH as TRACES
from alcor.gateway.own.traces import TraceView
from alcor.gateway.policy.access import Access
from alcor.gateway.policy.policy import Policy
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response, encode
from alcor.resource.declaration import Resource
from alcor.values.errors import HTTPBadRequest

Answering = Callable[[Request, Caller], Awaitable[Response]]
Found = tuple[Answering, str]  # who answers, and the name of the route


class Routes:
    """The routes of the kinds that are announced."""

    def __init__(
        self,
        resources: Sequence[tuple[Resource, ResourceManager]],
        policy: Policy,
        limits: Limits,
        about: About,
        within: Within,
    ) -> None:
        networks = {resource.name: manager for resource, manager in resources}.get("network")
        self._collection_by_path: dict[str, Collection] = {}
        self._tagged_by_path: dict[str, Collection] = {}
        self._nested_by_place: dict[tuple[str, str], Nested] = {}
        for resource, manager in resources:
            access = Access(policy, resource, networks)
            if resource.parent:
                nested = Nested(resource, manager, limits, access)
                head, tail = resource.place
                self._nested_by_place |= {(path, tail): nested for path in _spellings(head)}
            else:
                collection = Collection(resource, manager, limits, access)
                spellings = _spellings(resource.path)
                self._collection_by_path |= dict.fromkeys(spellings, collection)
                tagged = {*spellings, *_spellings(resource.tags_path or resource.path)}
                self._tagged_by_path |= dict.fromkeys(tagged, collection)
        kinds = {r.collection: r for r, _ in resources if not r.parent}
        self._batch = Batch(kinds, limits, within)
        self._originals = Originals(limits, within)
        self._traces = TraceView(about.traces, limits, within)
        self._states = PortStateView(about.ports, about.convergence, limits, within)
        serving = ServingAgents(about.traces, limits, within)
        self._serving = {
            ("/v2.0/networks", "dhcp-agents"): serving.on_network,
            ("/v2.0/routers", "l3-agents"): serving.on_router,
            ("/v2.0/agents", "dhcp-networks"): serving.networks,
            ("/v2.0/agents", "l3-routers"): serving.routers,
        }

    def found(self, path: str) -> Found | None:
        """Who answers this path, and the name of its route; None: nobody here."""
        kinds = self._collection_by_path
        if kind := kinds.get(path):
            return kind.on_collection, kind.resource.path
        parent, _, member = path.rpartition("/")
        kind = kinds.get(parent)
        if kind and kind.resource.name == "quota" and member in ("tenant", "project"):
            return partial(_own_project, kind=kind, word=member), f"{kind.resource.path}/id"
        if kind:
            return partial(kind.on_member, id_=member), f"{kind.resource.path}/id"
        grandparent, _, id_ = parent.rpartition("/")
        kind = kinds.get(grandparent)
        if kind and member in kind.resource.action_by_name:
            answering = partial(kind.on_action, id_=id_, name=member)
            return answering, f"{kind.resource.path}/id/{member}"
        return (
            self._below(grandparent, id_, member)
            or self._tags(path, parent, member)
            or self._ours(path, parent, member)
        )

    def _below(self, grandparent: str, parent: str, member: str) -> Found | None:
        """What lives under members of collections, and its members."""
        if nested := self._nested_by_place.get((grandparent, member)):
            return nested.under(parent).on_collection, nested.resource.path
        head, _, id_ = grandparent.rpartition("/")
        if nested := self._nested_by_place.get((head, parent)):
            kind = nested.under(id_)
            return partial(kind.on_member, id_=member), f"{nested.resource.path}/id"
        place, _, parent_id = head.rpartition("/")
        nested = self._nested_by_place.get((place, id_))
        if nested and member in nested.resource.action_by_name:
            kind = nested.under(parent_id)
            answering = partial(kind.on_action, id_=parent, name=member)
            return answering, f"{nested.resource.path}/id/{member}"
        return None

    def _tags(self, path: str, parent: str, member: str) -> Found | None:
        whose, _, tag = path.partition("/tags/") if "/tags/" in path else (parent, "", "")
        if not tag and member != "tags":
            return None
        collection, _, id_ = whose.rpartition("/")
        kind = self._tagged_by_path.get(collection)
        if kind is None:
            return None
        route = f"{kind.resource.path}/id/tags{'/tag' if tag else ''}"
        return partial(kind.on_tags, id_=id_, tag=tag), route

    def _ours(self, path: str, parent: str, member: str) -> Found | None:
        if parent == BATCH:
            return partial(self._batch.on_kind, collection=member), f"{BATCH}/collection"
        if path == TRACES:
            return self._traces.on_traces, TRACES
        above, _, id_ = parent.rpartition("/")
        if above == "/alcor/v1/ports" and member == "state":
            return partial(self._states.on_port, id_=id_), f"{above}/id/state"
        if answering := self._serving.get((above, member)):
            return partial(answering, id_=id_), f"{above}/id/{member}"
        return self._originals.found(path)


async def _own_project(request: Request, caller: Caller, kind: Collection, word: str) -> Response:
    """Whose quotas are the caller's own; only read, the word is no project's id.

    Source: neutron.api.v2.controllers.quota, `tenant` and `project`.
    """
    if request.method != "GET":
        return await kind.on_member(request, caller, word)
    if not caller.project_id:
        raise HTTPBadRequest("A token of no project has no quotas")
    return Response(200, encode({word: {"tenant_id": caller.project_id}}))


def _spellings(path: str) -> set[str]:
    """Neutron takes hyphens and underscores alike."""
    return {path, path.replace("_", "-"), path.replace("-", "_")}
