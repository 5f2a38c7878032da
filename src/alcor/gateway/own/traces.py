"""`POST /alcor/v1/traces`: whether and by which way a packet gets there, and what decided.

    {"trace": {"from_port": ID, "to_port": ID, "protocol": "tcp", "port": 443}}

Whoever sees both ports may ask. Projects are told what their own resources decide, and of others'
only that those decide; names of hosts are for administrators.
"""

from typing import Annotated, Any

import msgspec

from alcor.contracts.resources import Caller
from alcor.contracts.traces import TracedPacket, TracePeer, TraceReply, TraceRequest
from alcor.gateway.errors import not_allowed
from alcor.gateway.own.inner import Within, inner
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response, encode
from alcor.resource import body
from alcor.values.errors import BadRequest
from alcor.values.ids import uuid_text
from alcor.values.protocols import protocol_number

PATH = "/alcor/v1/traces"
_PortNumber = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
_Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a body says."""

    from_port: str
    to_port: str = ""
    to_address: str = ""
    protocol: str | int | None = None
    source_port: _PortNumber = 40_000
    port: _PortNumber = 0
    icmp_type: _Octet | None = None
    icmp_code: _Octet = 0
    ttl: Annotated[int, msgspec.Meta(ge=1, le=255)] = 64
    size: Annotated[int, msgspec.Meta(ge=20, le=0xFFFF)] = 100
    source_address: str = ""
    revision: str = ""


class TraceView:
    """Answers for one packet at a time."""

    def __init__(self, traces: TracePeer, limits: Limits, within: Within) -> None:
        self._traces, self._limits, self._within = traces, limits, within

    async def on_traces(self, request: Request, caller: Caller) -> Response:
        """POST."""
        if request.method != "POST":
            return not_allowed("POST")
        asked = _read(await request.body())
        for id_ in filter(None, (asked.from_port, asked.to_port)):
            seen = await self._within(
                inner(request, self._limits, "GET", f"/v2.0/ports/{id_}"), caller
            )
            if seen.status != 200:
                return seen
        given: dict[str, Any] = msgspec.structs.asdict(asked)
        given["protocol"] = _protocol(asked.protocol)
        who: dict[str, Any] = {"project_id": caller.project_id, "sees_all": caller.admin}
        reply = await self._traces.trace(TraceRequest(**given, **who))
        return Response(200, encode({"trace": _told(reply, admin=caller.admin)}))


def _read(content: bytes) -> Asked:
    given = body.decoded(content)
    if given.keys() != {"trace"}:
        raise BadRequest("The body has one object: 'trace'")
    try:
        asked = msgspec.convert(given["trace"], Asked)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid input for a trace: {error}") from None
    if bool(asked.to_port) == bool(asked.to_address):
        raise BadRequest("A trace goes either to a port or to an address")
    try:
        asked.from_port = uuid_text(asked.from_port)
        asked.to_port = uuid_text(asked.to_port) if asked.to_port else ""
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return asked


def _protocol(given: str | int | None) -> int | None:
    """The number; None for the ICMP of whatever family."""
    if given is None or given == "icmp":
        return None
    try:
        return protocol_number(str(given).lower())
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _told(reply: TraceReply, *, admin: bool) -> dict[str, object]:
    """A reply as JSON; of a packet's end only administrators hear what others have made of it."""
    unseen = reply.verdict in ("unseen", "depends") and not admin
    arrives: TracedPacket | None = None if unseen else reply.arrives
    steps = []
    for step in reply.steps:
        told: dict[str, object] = {"stage": step.stage, "says": step.says}
        told["network_id"] = step.network_id or None
        told["resource"] = {"kind": step.kind, "id": step.id} if step.id else None
        if admin:
            told["host"] = step.host
        steps.append(told)
    frame = {"source_mac": reply.source_mac, "next_hop_mac": reply.next_hop_mac} if admin else {}
    return frame | {
        "verdict": reply.verdict,
        "stage": reply.stage,
        "sent": reply.sent,
        "arrives": arrives,
        "port_id": reply.port_id or None,
        "steps": steps,
        "ways": [_told(each, admin=admin) for each in reply.ways],
    }
