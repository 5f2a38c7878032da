"""What operators and waiting clients ask: is it alive, is it ready, metrics, has it converged."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import msgspec

from alcor.contracts.convergence import ConvergencePeer, ConvergenceRequest
from alcor.contracts.port_states import PortStatePeer
from alcor.contracts.resources import Caller
from alcor.contracts.traces import TracePeer
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response, encode
from alcor.resource.query import parameters
from alcor.runtime.observability.metrics import limit_reached
from alcor.values.errors import BadRequest, Unavailable

Checks = Callable[[], Awaitable[Mapping[str, bool]]]
Metrics = Callable[[], Awaitable[bytes]]

waits_max = 1_000  # at once
_timeout_s = "30"

_plain = b"text/plain; charset=utf-8"


class About(NamedTuple):
    """Who knows what is asked here."""

    convergence: ConvergencePeer
    checks: Checks
    metrics: Metrics  # in Prometheus' text format
    ports: PortStatePeer
    traces: TracePeer


class Operations:
    """Answers that are about the running process and its hosts."""

    def __init__(self, about: About, limits: Limits) -> None:
        self._convergence, self._checks, self._metrics = about[:3]
        self._limits = limits
        self._waits = 0

    def healthz(self) -> Response:
        """The process answers."""
        return Response(200, encode({"healthy": True}))

    async def readyz(self) -> Response:
        """Every part can do its work."""
        checks = dict(await self._checks())
        ready = all(checks.values())
        return Response(200 if ready else 503, encode({"ready": ready, "checks": checks}))

    async def healthcheck(self) -> Response:
        """Whether every part can do its work, as a load balancer before Neutron asks (oslo's)."""
        checks = await self._checks()
        away = ", ".join(name for name, ready in checks.items() if not ready)
        text = f"not ready: {away}" if away else "OK"
        return Response(503 if away else 200, text.encode(), ((b"content-type", _plain),))

    async def metrics(self) -> Response:
        """Prometheus' text format."""
        headers = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),)
        return Response(200, await self._metrics(), headers)

    async def convergence(self, request: Request, caller: Caller) -> Response:
        """Wait until all hosts concerned have applied a write, or say which have not.

        Only administrators are told names of hosts.
        """
        given = dict(parameters(request.query))
        if unknown := given.keys() - {"revision", "timeout"}:
            raise BadRequest(f"Unknown parameters: {', '.join(sorted(unknown))[:255]}")
        if "revision" not in given:
            raise BadRequest("The parameter revision is required")
        wanted = ConvergenceRequest(
            revision=given["revision"], timeout_s=self._timeout(given.get("timeout", _timeout_s))
        )
        if self._waits >= waits_max:
            limit_reached.labels("gateway.waits_max").inc()
            raise Unavailable(f"{waits_max} clients are waiting already")
        self._waits += 1
        try:
            async with asyncio.timeout(wanted.timeout_s + 10):
                reply = await self._convergence.wait(wanted)
                if not caller.admin:
                    reply = msgspec.structs.replace(reply, hosts=[])
                return Response(200, encode(reply))
        except TimeoutError:
            raise Unavailable("nobody answered in time") from None
        finally:
            self._waits -= 1

    def _timeout(self, text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            raise BadRequest("timeout is not a number of seconds") from None
        if not math.isfinite(seconds) or not 0 <= seconds <= self._limits.wait_s_max:
            raise BadRequest(f"timeout must be from 0 to {self._limits.wait_s_max} seconds")
        return seconds
