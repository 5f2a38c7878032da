"""What the OpenAPI document says of calls that are no resource's, and of refusals."""

from collections.abc import Sequence
from typing import Any

from alcor.resource.declaration import Resource

Schema = dict[str, Any]

_STRING: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_INTEGER: Schema = {"type": "integer"}


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def name_of(kind: Resource) -> str:
    """The schema of a kind: its title, unless that is shared with another kind."""
    words = kind.name.split("_")
    if kind.title.lower() == "".join(words):
        return kind.title
    return "".join(map(str.capitalize, words))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _number(least: int, most: int, *also: str) -> Schema:
    return {"type": ["integer", *also], "minimum": least, "maximum": most}


SERVING = {  # by path: what it answers, and what that is
    "/v2.0/networks/{id}/dhcp-agents": ("Agent", "Of hosts that have ports of the network"),
    "/v2.0/routers/{id}/l3-agents": ("Agent", "Of hosts that the router leaves by or may at once"),
    "/v2.0/agents/{id}/dhcp-networks": ("Network", "That the agent's host has ports of"),
    "/v2.0/agents/{id}/l3-routers": ("Router", "That leave by the agent's host or may at once"),
}

SCHEMAS: Schema = {
    "NeutronError": _object(
        {
            "NeutronError": _object(
                {"type": _STRING, "message": _STRING, "detail": _STRING},
                *("type", "message", "detail"),
            )
        },
        "NeutronError",
    ),
    "Unauthenticated": _object({"error": {"type": "object"}}, "error"),
    "Convergence": _object(
        {
            "revision": _STRING,
            "converged": _BOOLEAN,
            "hosts": {"type": "array", "items": {"type": "object"}},
            "lagging": {"type": "integer"},
        },
        *("revision", "converged"),
    ),
    "PortState": _object(
        {
            "id": _STRING,
            "status": _STRING,
            "revision": _STRING,
            "converged": {"type": ["boolean", "null"]},
            "reported": {"enum": ["up", "down", "failed", None]},
            "why_down": {"type": ["string", "null"]},
            "host": _STRING,
            "host_connected": _BOOLEAN,
            "reported_by": {"type": ["string", "null"]},
            "reason": {"type": ["string", "null"]},
            "hosts_behind": {"type": "array", "items": _STRING},
        },
        *("id", "status", "revision"),
    ),
    "TraceAsked": _object(
        {
            "from_port": _STRING,
            "to_port": _STRING,
            "to_address": _STRING,
            "protocol": {"type": ["string", "integer", "null"]},
            "port": _number(0, 0xFFFF),
            "source_port": _number(0, 0xFFFF),
            "icmp_type": _number(0, 255, "null"),
            "icmp_code": _number(0, 255),
            "ttl": _number(1, 255),
            "size": _number(20, 0xFFFF),
            "source_address": _STRING,
            "revision": _STRING,
        },
        "from_port",
    ),
    "TracedPacket": _object(
        {
            "source": _STRING,
            "destination": _STRING,
            "protocol": _INTEGER,
            "source_port": _INTEGER,
            "destination_port": _INTEGER,
            "icmp_type": _INTEGER,
            "icmp_code": _INTEGER,
            "ttl": _INTEGER,
            "size": _INTEGER,
        },
        *("source", "destination", "protocol"),
    ),
    "TracedStep": _object(
        {
            "stage": _STRING,
            "says": _STRING,
            "host": _STRING,
            "network_id": {"type": ["string", "null"]},
            "resource": {"type": ["object", "null"]},
        },
        *("stage", "says"),
    ),
    "Trace": _object(
        {
            "verdict": {
                "enum": [
                    *("delivered", "handed_over", "answered", "leaves", "refused", "dropped"),
                    *("unseen", "depends"),
                ]
            },
            "stage": _STRING,
            "sent": _ref("TracedPacket"),
            "arrives": {"oneOf": [_ref("TracedPacket"), {"type": "null"}]},
            "port_id": {"type": ["string", "null"]},
            "source_mac": _STRING,
            "next_hop_mac": _STRING,
            "steps": {"type": "array", "items": _ref("TracedStep")},
            "ways": {"type": "array", "items": _ref("Trace")},
        },
        *("verdict", "stage", "sent", "steps"),
    ),
}


def _answer(schema: Schema, description: str = "Done.") -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


RESPONSES: Schema = {
    "Refused": _answer(_ref("NeutronError"), "The request's fault: Neutron's body says which."),
    "Unauthenticated": _answer(_ref("Unauthenticated"), "No token, or one that is not valid."),
    "Unavailable": _answer(_ref("NeutronError"), "Not now: come again after `Retry-After`."),
}
REFUSALS: Schema = {
    "401": {"$ref": "#/components/responses/Unauthenticated"},
    "4XX": {"$ref": "#/components/responses/Refused"},
    "503": {"$ref": "#/components/responses/Unavailable"},
}


def paths(kinds: Sequence[Resource]) -> Schema:
    """Batches of these kinds, and everything else of ours."""
    found: Schema = {
        "/": _get("The versions of the API", "api", {"type": "object"}),
        "/v2.0": _get("The collections of the API", "api", {"type": "object"}),
        "/v2.0/extensions": _get("The extensions that work here", "api", {"type": "object"}),
        "/v2.0/extensions/{alias}": _get(
            "One extension", "api", {"type": "object"}, [_in_path("alias")]
        ),
        "/healthz": _get("The process answers", "operations", {"type": "object"}),
        "/readyz": _get("Every part can do its work", "operations", {"type": "object"}),
        "/alcor/v1/convergence": _get(
            "Wait until all hosts concerned have applied a write",
            "alcor",
            _ref("Convergence"),
            [_in_query("revision", required=True), _in_query("timeout")],
        ),
        "/alcor/v1/ports/{id}/state": _get(
            "How a port is on its host, and why it is not up",
            "alcor",
            _object({"port_state": _ref("PortState")}, "port_state"),
            [_in_path("id")],
        ),
    }
    for path, (title, says) in SERVING.items():
        key = f"{title.lower()}s"
        items = _object({key: {"type": "array", "items": _ref(title)}}, key)
        found[path] = _get(says, "agents", items, [_in_path("id")])
    found["/alcor/v1/traces"] = {"post": _trace()}
    found["/readyz"]["get"]["responses"]["503"] = _answer({"type": "object"}, "Not yet.")
    for kind in kinds:
        found[f"/alcor/v1/batch/{kind.collection}"] = {"post": _batch(kind)}
    return found


def _batch(kind: Resource) -> Schema:
    one = _object({"id": _STRING, "revision_number": {"type": "integer", "minimum": 0}}, "id")
    many: Schema = {"type": "array", "minItems": 1}
    forms = [{"delete": many | {"items": one}}]
    if kind.updatable:
        forms.append({"update": many | {"items": one}})
    if kind.creatable:
        forms.append({
            "create": many | {"items": _ref(f"{name_of(kind)}Create")},
            "all_or_nothing": _BOOLEAN,
        })  # fmt: skip
    result = _object(
        {"status": {"type": "integer"}, "revision": _STRING, "body": {"type": ["object", "null"]}},
        *("status", "revision", "body"),
    )
    results = _object({"results": {"type": "array", "items": result}}, "results")
    together = {"201": _answer({"type": "object"}, "All of them, as a bulk create answers.")}
    body = {"oneOf": [_object(form, next(iter(form))) for form in forms]}
    return {
        "operationId": f"batch_{kind.collection}",
        "summary": f"Create, update or delete many {kind.collection}",
        "tags": ["alcor"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": _answer(results, "One answer an item.")}
        | (together if kind.creatable else {})
        | REFUSALS,
    }


def _trace() -> Schema:
    body = _object({"trace": _ref("TraceAsked")}, "trace")
    return {
        "operationId": "trace",
        "summary": "Whether and by which way a packet gets there, and what decided",
        "tags": ["alcor"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": _answer(_object({"trace": _ref("Trace")}, "trace"))} | REFUSALS,
    }


def _get(
    summary: str, tag: str, schema: Schema, parameters: Sequence[Schema] = ()
) -> dict[str, Schema]:
    operation: Schema = {"summary": summary, "tags": [tag]}
    operation["responses"] = {"200": _answer(schema)} | REFUSALS
    if parameters:
        operation["parameters"] = list(parameters)
    return {"get": operation}


def _in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _in_query(name: str, *, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": _STRING}
