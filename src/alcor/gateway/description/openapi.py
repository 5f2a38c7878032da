"""The API described: an OpenAPI 3.1 document, made of the declarations that bodies are read by.

Source: OpenAPI 3.1.0; JSON Schema 2020-12.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alcor.contracts.resources import CHANGED_SINCE, TAG_FILTERS
from alcor.gateway.description import openapi_own
from alcor.gateway.repeats import key_characters_max
from alcor.resource.declaration import Action, Field, Resource
from alcor.resource.glossary import meaning
from alcor.resource.tags import TAGS

Schema = dict[str, Any]

_PAGING = ("limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields")
_ID: Schema = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_TAG: Schema = {"name": "tag", "in": "path", "required": True, "schema": {"type": "string"}}
_IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again with the same key, a create answers what it made before.",
    "schema": {"type": "string", "maxLength": key_characters_max, "pattern": "^[ -~]*$"},
}
_REVISION: Schema = {
    "X-Alcor-Revision": {
        "description": "What to wait for, at /alcor/v1/convergence.",
        "schema": {"type": "string"},
    }
}
_TAGS_BODY = {
    "type": "object",
    "properties": {TAGS: {"type": "array", "items": {"type": "string"}}},
    "required": [TAGS],
}


def document(resources: Iterable[Resource], version: str) -> Schema:
    """The document of these kinds."""
    kinds = list(resources)
    paths: dict[str, Schema] = {}
    schemas: dict[str, Schema] = dict(openapi_own.SCHEMAS)
    for kind in kinds:
        schemas[openapi_own.name_of(kind)] = _shown(kind)
        schemas[f"{openapi_own.name_of(kind)}Create"] = _given(kind, creating=True)
        schemas[f"{openapi_own.name_of(kind)}Update"] = _given(kind, creating=False)
        paths |= _paths(kind)
    paths |= openapi_own.paths([kind for kind in kinds if not kind.parent])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alcor",
            "version": version,
            "summary": "Virtual networks: the OpenStack Networking API, and Alcor's own calls.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": openapi_own.RESPONSES,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
            },
        },
    }


def _paths(kind: Resource) -> dict[str, Schema]:
    path, parents = kind.path, _parents(kind)
    member = [*parents, _ID]
    found = {path: _collection(kind, parents), f"{path}/{{id}}": _member(kind, member)}
    for action in kind.actions:
        operation = _action(kind, action)
        found[f"{path}/{{id}}/{action.name}"] = {
            "parameters": member,
            action.method.lower(): operation,
        }
    if TAGS in kind.field_by_name and kind.updatable and not kind.parent:
        found |= _tags(kind, member)
    return found


def _parents(kind: Resource) -> list[Schema]:
    if not kind.parent:
        return []
    schema = {"type": "string"}
    return [{"name": kind.parent, "in": "path", "required": True, "schema": schema}]


def _collection(kind: Resource, parents: Sequence[Schema]) -> Schema:
    listed = {
        "type": "object",
        "properties": {
            kind.collection: {"type": "array", "items": _ref(openapi_own.name_of(kind))},
            f"{kind.collection}_links": {"type": "array", "items": {"type": "object"}},
        },
        "required": [kind.collection],
        "additionalProperties": False,
    }
    found: Schema = {
        "parameters": list(parents),
        "get": _operation(kind, "list", {"200": _json(listed)}, parameters=_query(kind)),
    }
    if kind.creatable:
        one, many = _ref(f"{openapi_own.name_of(kind)}Create"), {"type": "array", "minItems": 1}
        body = {
            "oneOf": [
                _root(kind.key, one),
                _root(kind.collection, many | {"items": one}),
            ]
        }
        made = {
            "oneOf": [
                _root(kind.key, _ref(openapi_own.name_of(kind))),
                _root(kind.collection, {"type": "array", "items": _ref(openapi_own.name_of(kind))}),
            ]
        }
        key = [_IDEMPOTENCY_KEY] if kind.takes_ids else []
        found["post"] = _operation(
            kind, "create", {"201": _json(made, _REVISION)}, body=body, parameters=key
        )
    return found


def _member(kind: Resource, member: Sequence[Schema]) -> Schema:
    one = _json(_root(kind.key, _ref(openapi_own.name_of(kind))))
    fields = [{"name": "fields", "in": "query", "schema": _STRINGS, "explode": True}]
    found: Schema = {
        "parameters": list(member),
        "get": _operation(kind, "show", {"200": one}, parameters=fields),
    }
    if kind.updatable:
        body = _root(kind.key, _ref(f"{openapi_own.name_of(kind)}Update"))
        answer = _json(_root(kind.key, _ref(openapi_own.name_of(kind))), _REVISION)
        found["put"] = _operation(kind, "update", {"200": answer}, body=body)
    if kind.deletable:
        gone = {"description": "It is gone.", "headers": _REVISION}
        found["delete"] = _operation(kind, "delete", {"204": gone})
    return found


def _action(kind: Resource, action: Action) -> Schema:
    properties = {f.name: _of_field(kind, f) for f in action.arguments}
    properties |= {f.alias: _of_field(kind, f) for f in action.arguments if f.alias}
    body: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required := [f.name for f in action.arguments if f.required]:
        body["required"] = required
    if action.root:
        body = _root(action.root, body)
    answer: Schema = {"type": "object"}
    if action.answers_list:
        answer = {"type": "array", "items": answer}
    answers = {"200": _json(answer, _REVISION)}
    given = None if action.method == "GET" else body
    return _operation(kind, action.name, answers, body=given)


def _tags(kind: Resource, member: Sequence[Schema]) -> dict[str, Schema]:
    all_of_them = _json(_TAGS_BODY)
    said, path = {"description": "Done."}, f"{kind.path}/{{id}}/tags"
    return {
        path: {
            "parameters": list(member),
            "get": _operation(kind, "list tags", {"200": all_of_them}),
            "put": _operation(kind, "replace tags", {"200": all_of_them}, body=_TAGS_BODY),
            "post": _operation(kind, "add tags", {"200": all_of_them}, body=_TAGS_BODY),
            "delete": _operation(kind, "remove tags", {"204": said}),
        },
        f"{path}/{{tag}}": {
            "parameters": [*member, _TAG],
            "get": _operation(kind, "has tag", {"204": said}),
            "put": _operation(kind, "add tag", {"201": said}),
            "delete": _operation(kind, "remove tag", {"204": said}),
        },
    }


_STRINGS: Schema = {"type": "array", "items": {"type": "string"}}


def _query(kind: Resource) -> list[Schema]:
    names = [f.name for f in kind.fields if f.is_filter]
    names += [f.alias for f in kind.fields if f.is_filter and f.alias]
    names += kind.special_filters
    if "updated_at" in kind.field_by_name:
        names.append(CHANGED_SINCE)
    if TAGS in kind.field_by_name:
        names += TAG_FILTERS
    return [
        {"name": name, "in": "query", "schema": _STRINGS, "explode": True}
        for name in dict.fromkeys([*names, *_PAGING])
    ]


def _operation(
    kind: Resource,
    verb: str,
    answers: Mapping[str, Schema],
    *,
    body: Schema | None = None,
    parameters: Sequence[Schema] = (),
) -> Schema:
    found: Schema = {
        "operationId": f"{verb} {kind.name}".replace(" ", "_"),
        "summary": f"{verb.replace('_', ' ').capitalize()} {kind.collection}",
        "tags": [kind.collection],
        "responses": dict(answers) | openapi_own.REFUSALS,
    }
    if parameters:
        found["parameters"] = list(parameters)
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _json(schema: Schema, headers: Schema | None = None) -> Schema:
    answer: Schema = {
        "description": "Done.",
        "content": {"application/json": {"schema": schema}},
    }
    return answer | ({"headers": headers} if headers else {})


def _root(name: str, schema: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _shown(kind: Resource) -> Schema:
    """What answers show: `fields` and policy may leave out any of it."""
    properties: dict[str, Schema] = {}
    for field in kind.fields:
        schema = _said_of(kind, field) | dict(field.type.answered)
        properties[field.name] = schema
        if field.alias:
            properties[field.alias] = schema
    return {"type": "object", "properties": properties}


def _given(kind: Resource, *, creating: bool) -> Schema:
    fields = [
        field for field in kind.fields if (field.post if creating else field.put or field.kept)
    ]
    properties = {field.name: _of_field(kind, field) for field in fields}
    properties |= {field.alias: _of_field(kind, field) for field in fields if field.alias}
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [f.name for f in fields if f.required and not f.alias]
    return schema | ({"required": required} if creating and required else {})


def _of_field(kind: Resource, field: Field) -> Schema:
    return _said_of(kind, field) | dict(field.type.schema)


def _said_of(kind: Resource, field: Field) -> Schema:
    words = meaning(kind.name, field.name)
    return {"description": words} if words else {}
