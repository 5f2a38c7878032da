"""The audit log: one line a write: who, what, what came of it; never a value."""

from typing import Any

import msgspec
import pytest

from alcor.contracts.resources import Caller
from alcor.gateway.audit import Audit
from alcor.gateway.requests import Held, Limits, Request
from alcor.gateway.responses import Response

LIMITS = Limits(1_000, 1_000, 1_000, 1, 1, 1, 1, 1, 1, 1.0)
CALLER = Caller(project_id="p1", user_id="u1", roles=("member", "reader"))


def told(
    method: str,
    path: str,
    route: str,
    answer: Response,
    *,
    sent: bytes = b"",
    caller: Caller | None = CALLER,
) -> list[dict[str, Any]]:
    lines: list[bytes] = []
    request = Request(method, path, b"", {}, Held(sent), LIMITS)
    request.route, request.caller, request.sent = route, caller, sent
    Audit(lines.append, lambda: 0.0).tell(request, "req-1", answer)
    return [msgspec.json.decode(line) for line in lines]


def test_a_line_says_who_changed_what_and_when() -> None:
    (line,) = told(
        "PUT",
        "/v2.0/ports/p-1",
        "/v2.0/ports/id",
        Response(200),
        sent=b'{"port":{"name":"a","description":"secret"}}',
    )

    assert line == {
        "eventTime": "1970-01-01T00:00:00Z",
        "requestId": "req-1",
        "action": "update",
        "outcome": "success",
        "reason": {"reasonCode": 200},
        "initiator": {"id": "u1", "project_id": "p1", "roles": ["member", "reader"]},
        "target": {"typeURI": "network/ports", "ids": ["p-1"]},
        "requestMethod": "PUT",
        "requestPath": "/v2.0/ports/p-1",
        "fields": ["name", "description"],
    }


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b'{"port":{"id":"a","name":"n"}}', ["a"]),
        (b'{"ports":[{"id":"a"},{"id":"b"}]}', ["a", "b"]),
        (b"not JSON", []),
    ],
)
def test_what_was_made_is_named(body: bytes, ids: list[str]) -> None:
    (line,) = told("POST", "/v2.0/ports", "/v2.0/ports", Response(201, body))

    assert line["action"] == "create"
    assert line["target"] == {"typeURI": "network/ports", "ids": ids}
    assert line["fields"] == []


@pytest.mark.parametrize(
    ("method", "path", "route", "action", "kind", "ids"),
    [
        (
            "PUT",
            "/v2.0/routers/r/add_router_interface",
            "/v2.0/routers/id/add_router_interface",
            "update/add_router_interface",
            "network/routers",
            ["r"],
        ),
        (
            "DELETE",
            "/v2.0/ports/p/tags/t",
            "/v2.0/ports/id/tags/tag",
            "delete/tags/tag",
            "network/ports",
            ["p"],
        ),
        ("DELETE", "/alcor/v1/nodes/h1", "/alcor/v1/nodes/id", "delete", "network/nodes", ["h1"]),
        (
            "DELETE",
            "/v2.0/ports/p/bindings/h1",
            "/v2.0/ports/{port_id}/bindings/id",
            "delete",
            "network/ports/bindings",
            ["h1"],
        ),
    ],
)
def test_what_a_path_names_is_told(
    method: str, path: str, route: str, action: str, kind: str, ids: list[str]
) -> None:
    (line,) = told(method, path, route, Response(204))

    assert (line["action"], line["target"]) == (action, {"typeURI": kind, "ids": ids})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, "success"), (403, "failure"), (409, "failure"), (503, "unknown"), (500, "unknown")],
)
def test_what_came_of_it_is_told(status: int, outcome: str) -> None:
    (line,) = told("POST", "/v2.0/ports", "/v2.0/ports", Response(status))

    assert (line["outcome"], line["reason"]) == (outcome, {"reasonCode": status})


def test_who_is_not_known_has_no_name() -> None:
    (line,) = told("DELETE", "/v2.0/ports/p", "/v2.0/ports/id", Response(401), caller=None)

    assert line["initiator"] == {"id": "", "project_id": "", "roles": []}


def test_what_only_reads_has_no_line() -> None:
    assert told("GET", "/v2.0/ports", "/v2.0/ports", Response(200)) == []
    assert told("POST", "/alcor/v1/traces", "/alcor/v1/traces", Response(200)) == []
