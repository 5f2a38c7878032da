"""Metadata: a machine's requests, signed with who it is, passed on to Nova and answered.

Who asks is known by the port that the packet came in by; nothing that a machine says about itself
is believed or passed on. Source: Neutron's metadata agent, nova.api.metadata.handler.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import NamedTuple

import structlog

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import Wired
from alcor.agent.services.http import (
    HttpRequest,
    HttpResponse,
    Reply,
    methods,
    plain,
    target_of,
)
from alcor.agent.services.streams import Line
from alcor.agent.services.upstream import Upstream, UpstreamError

PORT = 80
requests_per_s_max, requests_burst = 50, 200  # of one port
requests_max, requests_waiting_max = 32, 1_024  # under way and waiting, in all
_PASSED_ON = frozenset(
    (
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"content-type",
        b"user-agent",
        b"if-none-match",
        b"if-modified-since",
        b"x-aws-ec2-metadata-token",
        b"x-aws-ec2-metadata-token-ttl-seconds",
    )
)

log = structlog.get_logger()


class _Asked(NamedTuple):
    request: HttpRequest
    wired: Wired
    client: str
    reply: Reply


def identity(wired: Wired, client: str, secret: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that say who asks: instance, project, address, network, and their signature."""
    port = wired.port
    fixed = [str(each.address) for each in port.fixed_ips]
    address = client if client in fixed or not fixed else fixed[0]
    signature = hmac.new(secret, wired.device_id.encode(), "sha256").hexdigest()
    return (
        (b"X-Instance-ID", wired.device_id.encode()),
        (b"X-Tenant-ID", port.project_id.encode()),
        (b"X-Instance-ID-Signature", signature.encode()),
        (b"X-Forwarded-For", address.encode()),
        (b"X-Neutron-Network-ID", port.network_id.encode()),
    )


class Metadata:
    """Passes requests on, a few at a time."""

    def __init__(
        self, upstream: Upstream, secret: bytes, now: Callable[[], float], metrics: Metrics
    ) -> None:
        self._upstream, self._secret, self._now, self._metrics = upstream, secret, now, metrics
        self._waiting: asyncio.Queue[_Asked] = asyncio.Queue(requests_waiting_max)
        self._tokens: dict[str, tuple[float, float]] = {}  # port -> how many, and when

    def ask(self, request: HttpRequest, line: Line, reply: Reply) -> None:
        """Answer a request of a machine, now or later."""
        refusal = self._refusal(request, line.wired)
        if refusal:
            self._count(str(refusal))
            reply(plain(refusal))
            return
        try:
            self._waiting.put_nowait(_Asked(request, line.wired, line.client, reply))
        except asyncio.QueueFull:
            self._metrics.limit_reached.labels("agent_metadata_requests").inc()
            reply(plain(503))

    def _refusal(self, request: HttpRequest, wired: Wired) -> int:
        if not self._has_token(wired.port.id):
            return 429
        if request.method not in methods:
            return 405
        if target_of(request.target) is None:
            return 400
        # A port of no machine has no metadata; nor may half an identity be signed.
        printable = wired.device_id.isascii() and wired.device_id.isprintable()
        return 0 if wired.device_id and wired.port.project_id and printable else 404

    def _has_token(self, port_id: str) -> bool:
        now = self._now()
        tokens, at = self._tokens.pop(port_id, (float(requests_burst), now))
        tokens = min(tokens + (now - at) * requests_per_s_max, requests_burst)
        self._tokens[port_id] = max(tokens - 1, 0.0), now
        if len(self._tokens) > requests_waiting_max:
            del self._tokens[next(iter(self._tokens))]
        return tokens >= 1

    async def run(self) -> None:
        """Pass on what is asked, for ever."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(requests_max):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while True:
            asked = await self._waiting.get()
            response = await self._passed_on(asked)
            self._count(str(response.status))
            asked.reply(response)

    async def _passed_on(self, asked: _Asked) -> HttpResponse:
        target = target_of(asked.request.target) or b"/"
        mine = identity(asked.wired, asked.client, self._secret)
        theirs = tuple(each for each in asked.request.headers if each[0].lower() in _PASSED_ON)
        request = asked.request._replace(target=target, headers=theirs + mine)
        try:
            return await self._upstream.ask(request)
        except UpstreamError as error:
            log.warning("metadata can't be had", reason=str(error))
            return plain(503)

    def _count(self, result: str) -> None:
        self._metrics.punts.labels("metadata", result).inc()
