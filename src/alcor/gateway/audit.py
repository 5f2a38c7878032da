"""Who changed what: one line a write, whatever came of it, in JSON.

The names are those of CADF, the audit format of OpenStack. Of what was sent only the names of
fields are told, never a value: a secret can't get here.

Source: DMTF DSP0262, "Cloud Audit Data Federation".
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from alcor.contracts.resources import Caller
from alcor.gateway.requests import Request
from alcor.gateway.responses import Response
from alcor.runtime.clock import Seconds, timestamp

_ACTION_BY_METHOD = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
_READS = frozenset({"/alcor/v1/traces"})  # by POST, as they say much
ids_max = 5_000  # of one line


class Reason(msgspec.Struct, frozen=True, rename="camel"):
    """The answer's status."""

    reason_code: int


class Initiator(msgspec.Struct, frozen=True):
    """Who asked, as the door found out; empty: nobody knows."""

    id: str = ""
    project_id: str = ""
    roles: Sequence[str] = ()


class Target(msgspec.Struct, frozen=True, rename={"type_uri": "typeURI"}):
    """The kind that was written, and the ids of those that were."""

    type_uri: str
    ids: Sequence[str] = ()


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """One line. `outcome` is success, failure (nothing was changed) or unknown (503, 500: it may
    have been done); `fields` are the names of what was to be changed."""

    event_time: str
    request_id: str
    action: str
    outcome: str
    reason: Reason
    initiator: Initiator
    target: Target
    request_method: str
    request_path: str
    fields: Sequence[str] = ()


class _Identified(msgspec.Struct):
    id: str = ""


_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, _Identified | list[_Identified]]).decode
_objects = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]]).decode


class Audit:
    """Hands a line to `write` for every request that was to change something."""

    def __init__(self, write: Callable[[bytes], None], clock: Seconds) -> None:
        self._write = write
        self._clock = clock

    def tell(self, request: Request, request_id: str, answer: Response) -> None:
        """What was asked by whom, and what came of it; nothing of what only reads."""
        action = _ACTION_BY_METHOD.get(request.method)
        if action is None or request.route in _READS:
            return
        kind, id_, verb = _place(request.route, request.path)
        made = request.method == "POST" and not id_ and answer.status == 201
        event = Event(
            timestamp(self._clock()),
            request_id,
            f"{action}/{verb}" if verb else action,
            _outcome(answer.status),
            Reason(answer.status),
            _initiator(request.caller),
            Target(kind, _made(answer.body) if made else [id_] if id_ else []),
            request.method,
            request.path,
            _fields(request.sent) if action == "update" else (),
        )
        self._write(_encode(event) + b"\n")


def _initiator(caller: Caller | None) -> Initiator:
    if caller is None:
        return Initiator()
    roles = (*caller.roles, *(["admin"] if caller.admin and not caller.roles else []))
    return Initiator(caller.user_id, caller.project_id, roles)


def _outcome(status: int) -> str:
    if status < 400:
        return "success"
    return "unknown" if status >= 500 else "failure"


def _place(route: str, path: str) -> tuple[str, str, str]:
    """The kind by its route, the id in the path, and what is called on it beyond a verb."""
    names, parts = route.strip("/").split("/")[1:], path.strip("/").split("/")[1:]
    if names[:1] == ["v1"]:
        names, parts = names[1:], parts[1:]
    if "id" not in names or len(parts) <= names.index("id"):
        return _kind(names), "", ""
    at = len(names) - 1 - names[::-1].index("id")
    return _kind(names[:at]), parts[at], "/".join(names[at + 1 :])


def _kind(names: Sequence[str]) -> str:
    return "/".join(["network", *(name for name in names if not name.startswith("{"))])


def _made(body: bytes) -> list[str]:
    """The ids in an answer of one or many; empty when it is of another form."""
    try:
        members: Any = list(_members(body).values())
    except msgspec.DecodeError:
        return []
    found = members[0] if members else []
    return [each.id for each in (found if isinstance(found, list) else [found])][:ids_max]


def _fields(body: bytes) -> list[str]:
    try:
        return [name for object_ in _objects(body).values() for name in object_]
    except msgspec.DecodeError:
        return []
