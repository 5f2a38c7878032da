"""The ASGI application: find the route, answer, and let nothing a client sends become a fault.

Written directly on ASGI, because a request costs little here: no middleware, no objects per
header. Source: ASGI HTTP specification 2.x.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

from alcor.contracts.resources import Caller, ResourceManager
from alcor.gateway.access import Access
from alcor.gateway.collections import Collection
from alcor.gateway.discovery import Discovery, Extension
from alcor.gateway.errors import error_response, not_allowed, not_found, refusal_response
from alcor.gateway.identity import Identity
from alcor.gateway.in_flight import InFlight
from alcor.gateway.nested import Nested
from alcor.gateway.operations import Operations
from alcor.gateway.policy import Policy
from alcor.gateway.requests import Limits, Receive, Request, Scope, request_id_of
from alcor.gateway.responses import Response
from alcor.resource.declaration import Resource
from alcor.runtime.logs import request_id
from alcor.runtime.metrics import limit_reached
from alcor.values.errors import Kind, Refusal

_log = structlog.get_logger("alcor.gateway")

Send = Callable[[dict[str, Any]], Awaitable[None]]
Answering = Callable[[Request, Caller], Awaitable[Response]]

request_seconds = Histogram(
    "alcor_api_request_seconds",
    "Time to answer a request.",
    ["route", "method", "code"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
requests_now = Gauge("alcor_api_requests_now", "Requests that are being answered.")
faults = Counter("alcor_api_faults", "Requests that failed by a fault of ours.")
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


class Door:
    """The application that the server calls for every request."""

    def __init__(
        self,
        resources: Sequence[tuple[Resource, ResourceManager]],
        operations: Operations,
        identity: Identity,
        limits: Limits,
        policy: Policy,
        new_id: Callable[[], str],
        extensions: Sequence[Extension],
    ) -> None:
        announced = {"", *(extension.alias for extension in extensions)}
        resources = [each for each in resources if each[0].extension in announced]
        networks = {resource.name: manager for resource, manager in resources}.get("network")
        self._collection_by_path: dict[str, Collection] = {}
        self._nested_by_place: dict[tuple[str, str], Nested] = {}
        for resource, manager in resources:
            access = Access(policy, resource, networks)
            if resource.parent:
                nested = Nested(resource, manager, limits, access)
                self._nested_by_place[resource.place] = nested
            else:
                collection = Collection(resource, manager, limits, access)
                self._collection_by_path[resource.path] = collection
        self._discovery = Discovery((resource for resource, _ in resources), extensions)
        self._operations = operations
        self._identity = identity
        self._limits = limits
        self._new_id = new_id
        self._timers: dict[tuple[str, str, int], Any] = {}
        self._now = 0
        self._in_flight = InFlight(limits.requests_per_project_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = Request(scope, receive, self._limits)
        id_ = request_id_of(request.header(b"x-openstack-request-id"), self._new_id)
        request_id.set(id_)
        self._now += 1
        requests_now.set(self._now)
        try:
            response = await self._answer(request, id_)
        finally:
            self._now -= 1
        await _send(send, response, id_)
        self._time(request.method, response, time.perf_counter() - started)

    async def _answer(self, request: Request, id_: str) -> Response:
        try:
            self._check_limits(request)
            return await self._route(request, id_)
        except Refusal as refusal:
            return refusal_response(refusal)
        except Exception:
            # The boundary of a request: our fault, told with the request's id, and survived.
            faults.inc()
            _log.exception("request failed", method=request.method, path=request.path)
            message = (
                "Request Failed: internal server error while processing your request "
                f"(request id {id_})."
            )
            return error_response(500, "HTTPInternalServerError", message)

    async def _route(self, request: Request, id_: str) -> Response:
        path = request.path
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        found = self._found(path)
        if found is None:
            parent, _, member = path.rpartition("/")
            return await self._about(request, id_, path, parent, member)
        answering, route = found
        caller = await self._identity.caller(request, id_)
        self._in_flight.enter(caller.project_id)
        try:
            answer = await answering(request, caller)
        finally:
            self._in_flight.leave(caller.project_id)
        return answer._replace(route=route)

    def _found(self, path: str) -> tuple[Answering, str] | None:
        """Who answers this path of resources, and the name of its route; None: it is none."""
        kinds = self._collection_by_path
        if kind := kinds.get(path):
            return kind.on_collection, kind.resource.path
        parent, _, member = path.rpartition("/")
        if kind := kinds.get(parent):
            return partial(kind.on_member, id_=member), f"{kind.resource.path}/id"
        grandparent, _, id_ = parent.rpartition("/")
        kind = kinds.get(grandparent)
        if kind and member in kind.resource.action_by_name:
            answering = partial(kind.on_action, id_=id_, name=member)
            return answering, f"{kind.resource.path}/id/{member}"
        if below := self._below(grandparent, id_, member):
            return below
        whose, _, tag = path.partition("/tags/") if "/tags/" in path else (parent, "", "")
        if tag or member == "tags":
            collection, _, id_ = whose.rpartition("/")
            if kind := kinds.get(collection):
                route = f"{kind.resource.path}/id/tags{'/tag' if tag else ''}"
                return partial(kind.on_tags, id_=id_, tag=tag), route
        return None

    def _below(self, grandparent: str, parent: str, member: str) -> tuple[Answering, str] | None:
        """What lives under members of collections, and its members."""
        if nested := self._nested_by_place.get((grandparent, member)):
            return nested.under(parent).on_collection, nested.resource.path
        head, _, id_ = grandparent.rpartition("/")
        if nested := self._nested_by_place.get((head, parent)):
            kind = nested.under(id_)
            return partial(kind.on_member, id_=member), f"{nested.resource.path}/id"
        return None

    async def _about(
        self, request: Request, id_: str, path: str, parent: str, member: str
    ) -> Response:
        """The routes that are about the API or the process, all read-only."""
        if path not in _ABOUT and parent != "/v2.0/extensions":
            return not_found()
        if request.method != "GET":
            return not_allowed("GET")
        route = path if path in _ABOUT else "/v2.0/extensions/alias"
        if path in _OPEN:
            return (await self._process_answer(request, path))._replace(route=route)
        caller = await self._identity.caller(request, id_)
        if path == "/alcor/v1/convergence":
            answer = await self._operations.convergence(request, caller)
        else:
            answer = self._api_answer(request, path, member)
        return answer._replace(route=route)

    async def _process_answer(self, request: Request, path: str) -> Response:
        match path:
            case "/":
                return self._discovery.versions(request)
            case "/healthz":
                return self._operations.healthz()
            case "/readyz":
                return await self._operations.readyz()
        return await self._operations.metrics()

    def _api_answer(self, request: Request, path: str, member: str) -> Response:
        match path:
            case "/v2.0":
                return self._discovery.collections(request)
            case "/v2.0/extensions":
                return self._discovery.extensions()
        return self._discovery.extension(member)

    def _check_limits(self, request: Request) -> None:
        limits = self._limits
        if self._now > limits.requests_max:
            limit_reached.labels("gateway.requests_max").inc()
            raise Refusal(
                f"{limits.requests_max} requests are being answered already",
                type="HTTPServiceUnavailable",
                kind=Kind.UNAVAILABLE,
            )
        request.check_size()

    def _time(self, method: str, response: Response, seconds: float) -> None:
        # A method that nobody knows must not become a label: labels are bounded.
        key = (response.route, method if method in _METHODS else "other", response.status)
        timer = self._timers.get(key)
        if timer is None:
            timer = self._timers[key] = request_seconds.labels(*map(str, key))
        timer.observe(seconds)


# Answered without asking who it is: versions (as Neutron's), and what a machine watches.
_OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics"})
_ABOUT = _OPEN | {"/v2.0", "/v2.0/extensions", "/alcor/v1/convergence"}


async def _send(send: Send, response: Response, id_: str) -> None:
    headers = [
        *response.headers,
        (b"x-openstack-request-id", id_.encode()),
        (b"content-length", b"%d" % len(response.body)),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
