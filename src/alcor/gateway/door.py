"""The application: find the route, answer, and let nothing a client sends become a fault.

Nothing stands between it and the connections (`http/connection.py`), so a request costs little.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

from alcor.contracts.resources import Caller, ResourceManager
from alcor.gateway.audit import Audit
from alcor.gateway.description.discovery import Discovery, Extension
from alcor.gateway.errors import error_response, not_allowed, not_found, refusal_response
from alcor.gateway.identity import Identity
from alcor.gateway.in_flight import InFlight
from alcor.gateway.own.operations import About, Operations
from alcor.gateway.policy.policy import Policy
from alcor.gateway.requests import Limits, Request, request_id_of
from alcor.gateway.responses import Response
from alcor.gateway.routes import Found, Routes
from alcor.gateway.traced import arrived, left
from alcor.resource.declaration import Resource
from alcor.runtime.observability import spans
from alcor.runtime.observability.logs import request_id
from alcor.runtime.observability.metrics import limit_reached
from alcor.values.errors import Kind, Refusal
from alcor.values.traceparent import carried, request_of

_log = structlog.get_logger("alcor.gateway")

request_seconds = Histogram(
    "alcor_api_request_seconds",
    "Time to answer a request.",
    ["route", "method", "code"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
requests_now = Gauge("alcor_api_requests_now", "Requests that are being answered.")
faults = Counter("alcor_api_faults", "Requests that failed by a fault of ours.")
_REQUEST_ID = b"x-openstack-request-id"
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


class Door:
    """The application that the server calls for every request."""

    def __init__(
        self,
        resources: Sequence[tuple[Resource, ResourceManager]],
        about: About,
        identity: Identity,
        limits: Limits,
        policy: Policy,
        new_id: Callable[[], str],
        extensions: Sequence[Extension],
        audit: Audit | None = None,
    ) -> None:
        announced = {"", *(extension.alias for extension in extensions)}
        resources = [each for each in resources if each[0].extension in announced]
        self._routes = Routes(resources, policy, limits, about, self._within)
        self._discovery = Discovery([resource for resource, _ in resources], extensions)
        self._operations = Operations(about, limits)
        self._identity = identity
        self.limits = limits
        self._new_id = new_id
        self._timers: dict[tuple[str, str, int], Any] = {}
        self._now = 0
        requests_now.set_function(lambda: self._now)
        self._in_flight = InFlight(limits.requests_per_project_max)
        self._audit = audit

    async def answer(self, request: Request) -> Response:
        """Answer one request; never raises what is not the loop's."""
        started = time.perf_counter()
        id_ = request_id_of(request.header(_REQUEST_ID), self._new_id)
        request_id.set(id_)
        span = None if spans.recorder is None or request.path in _OPEN else arrived(request)
        trace = id_ if span is None else carried(id_, span.traceparent)
        self._now += 1
        try:
            status, body, headers, route = answer = await self._told(
                self._within_limits(request, trace), request, id_
            )
        finally:
            self._now -= 1
        if span is not None:
            left(span, request, id_, answer)
        if self._audit is not None:
            self._audit.tell(request, id_, answer)
        seconds = time.perf_counter() - started
        self._time(request.method, route, status, seconds)
        _log.debug(
            "request", method=request.method, path=request.path, status=status, seconds=seconds
        )
        return Response(status, body, (*headers, (_REQUEST_ID, id_.encode())), route)

    async def _within_limits(self, request: Request, trace: str) -> Response:
        self._check_limits(request)
        return await self._route(request, trace)

    async def _told(self, answering: Awaitable[Response], request: Request, id_: str) -> Response:
        """The answer, or what is told of a refusal or a fault."""
        try:
            return await answering
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

    async def _route(self, request: Request, trace: str) -> Response:
        path = request.path
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        if path.endswith(".json") and path.startswith("/v2.0/") and "/tags/" not in path:
            path = path.removesuffix(".json")  # the form, which old clients say
        if path in _OPEN:
            return await self._process(request, path)
        found = self._found(path)
        request.caller = caller = await self._identity.caller(request, trace)
        if found is None:  # only now: who is nobody learns nothing
            return not_found()
        answering, request.route = found
        self._in_flight.enter(caller.project_id)
        try:
            status, body, headers, _ = await answering(request, caller)
        finally:
            self._in_flight.leave(caller.project_id)
        return Response(status, body, headers, request.route)

    def _found(self, path: str) -> Found | None:
        """Who answers those that are somebody, and the name of the route."""
        if found := self._routes.found(path):
            return found
        parent, _, member = path.rpartition("/")
        if path in _ABOUT:
            return partial(self._about, path=path), path
        if parent == "/v2.0/extensions" and member:
            return partial(self._about, path=path), f"{parent}/alias"
        return None

    async def _within(self, request: Request, caller: Caller) -> Response:
        """Answer a request that one of ours stands for: of resources, by the same caller."""
        found = self._routes.found(request.path)
        if found is None:
            return not_found()
        request.caller, request.route = caller, found[1]
        id_ = request_of(caller.request_id)
        answer = await self._told(found[0](request, caller), request, id_)
        if self._audit is not None:
            self._audit.tell(request, id_, answer)
        return answer

    async def _process(self, request: Request, path: str) -> Response:
        """What anybody may read of the process and the API."""
        if request.method not in ("GET", "HEAD"):  # load balancers ask by either
            return not_allowed("GET, HEAD")
        return (await self._process_answer(request, path))._replace(route=path)

    async def _process_answer(self, request: Request, path: str) -> Response:
        match path:
            case "/":
                return self._discovery.versions(request)
            case "/openapi.json":
                return self._discovery.document()
            case "/docs":
                return self._discovery.reading()
            case "/healthz":
                return self._operations.healthz()
            case "/readyz":
                return await self._operations.readyz()
            case "/healthcheck":
                return await self._operations.healthcheck()
        return await self._operations.metrics()

    async def _about(self, request: Request, caller: Caller, path: str) -> Response:
        """The routes that are about the API or its hosts, all read-only."""
        if request.method != "GET":
            return not_allowed("GET")
        match path:
            case "/alcor/v1/convergence":
                return await self._operations.convergence(request, caller)
            case "/v2.0":
                return self._discovery.collections(request)
            case "/v2.0/extensions":
                return self._discovery.extensions()
        return self._discovery.extension(path.rpartition("/")[2])

    def _check_limits(self, request: Request) -> None:
        limits = self.limits
        if self._now > limits.requests_max:
            limit_reached.labels("gateway.requests_max").inc()
            raise Refusal(
                f"{limits.requests_max} requests are being answered already",
                type="HTTPServiceUnavailable",
                kind=Kind.UNAVAILABLE,
            )
        request.check_size()

    def _time(self, method: str, route: str, status: int, seconds: float) -> None:
        # A method that nobody knows must not become a label: labels are bounded.
        key = (route, method if method in _METHODS else "other", status)
        timer = self._timers.get(key)
        if timer is None:
            timer = self._timers[key] = request_seconds.labels(*map(str, key))
        timer.observe(seconds)


# Answered without asking who it is: versions (as Neutron's), what there is, what machines watch.
_OPEN = frozenset(
    {"/", "/openapi.json", "/docs", "/healthz", "/readyz", "/healthcheck", "/metrics"}
)
_ABOUT = frozenset({"/v2.0", "/v2.0/extensions", "/alcor/v1/convergence"})
