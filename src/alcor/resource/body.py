"""Read the body of a POST or PUT by its resource's declaration; nothing unchecked comes through.

Refusals are in Neutron's words: `HTTPBadRequest` for the form, or what a field's parser says.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from alcor.resource.declaration import UNSET, Action, Resource
from alcor.resource.fields import shown
from alcor.values.errors import HTTPBadRequest, Kind, Refusal

_decode = msgspec.json.Decoder().decode


class Created(NamedTuple):
    """The items of a POST, checked, defaults filled in."""

    items: list[dict[str, Any]]
    bulk: bool  # asked for with the plural key, and answered with it


def decoded(content: bytes) -> dict[str, Any]:
    """The JSON object of a body; `HTTPBadRequest` for anything else (NaN, bad UTF-8, depth)."""
    if not content:
        raise HTTPBadRequest("Resource body required")
    try:
        value = _decode(content)
    except (ValueError, RecursionError) as error:
        raise HTTPBadRequest(f"The server could not comply with the request: {error}") from None
    if not isinstance(value, dict):
        raise HTTPBadRequest("The body must be a JSON object")
    if b"\\u0000" in content and _has_nul(value):
        raise HTTPBadRequest("A text has a NUL character, which no database keeps")
    return value


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nul, value)) or any(map(_has_nul, value.values()))
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def created(resource: Resource, content: bytes, items_max: int) -> Created:
    """The items of a POST: one under the resource's name, or a list under its collection's."""
    body = decoded(content)
    if resource.collection in body:
        _nothing_else(body, resource.collection)
        items = body[resource.collection]
        if not isinstance(items, list):
            raise HTTPBadRequest(f"'{resource.collection}' must be a list")
        if not items:
            raise HTTPBadRequest("Resources required")
        if len(items) > items_max:
            message = f"A request may create at most {items_max} {resource.collection}"
            raise Refusal(message, type="HTTPRequestEntityTooLarge", kind=Kind.TOO_LARGE)
        return Created([_created(resource, _unwrapped(resource, item)) for item in items], True)
    return Created([_created(resource, _root(resource.key, body))], False)


def changed(resource: Resource, content: bytes) -> dict[str, Any]:
    """The changes of a PUT, checked; fields that it leaves out stay as they are."""
    return _checked(resource, _root(resource.key, decoded(content)), creating=False)


def arguments(action: Action, content: bytes) -> dict[str, Any]:
    """The arguments of an action, checked; no body is a body without arguments."""
    body = decoded(content) if content or action.root else {}
    item = _root(action.root, body) if action.root else body
    given = _checked(action, item, creating=True)
    defaults = {f.name: f.default for f in action.arguments if f.default is not UNSET}
    values = defaults | given
    _refuse_missing((f.name for f in action.arguments if f.required), values)
    return values


def _root(name: str, body: dict[str, Any]) -> object:
    if name not in body:
        raise HTTPBadRequest(f"Unable to find '{name}' in request body")
    _nothing_else(body, name)
    return body[name]


def _nothing_else(body: dict[str, Any], root: str) -> None:
    if len(body) > 1:
        others = ", ".join(shown(key) for key in body if key != root)
        raise HTTPBadRequest(f"Unexpected {others} beside '{root}' in request body")


def _unwrapped(resource: Resource, item: object) -> object:
    """An item of a list; Neutron also takes it wrapped in its singular name."""
    if isinstance(item, dict) and len(item) == 1 and resource.key in item:
        return item[resource.key]
    return item


def _created(resource: Resource, item: object) -> dict[str, Any]:
    values = resource.defaults | _checked(resource, item, creating=True)
    _refuse_missing(resource.required, values)
    return values


def _refuse_missing(required: Iterable[str], values: dict[str, Any]) -> None:
    for name in required:
        if name not in values:
            message = f"Failed to parse request. Required attribute '{name}' not specified"
            raise HTTPBadRequest(message)


def _checked(of: Resource | Action, item: object, *, creating: bool) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise HTTPBadRequest(f"'{of.name}' must be a JSON object")
    field_by_name = of.field_by_name
    if not field_by_name.keys() >= item.keys():
        unknown = [shown(name)[1:-1] for name in item if name not in field_by_name]
        raise HTTPBadRequest(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    values: dict[str, Any] = {}
    for name, value in item.items():
        field = field_by_name[name]
        if not (field.post if creating else field.put or field.kept):
            raise _read_only(name, creating)
        try:
            parsed = field.type.parse(value)
        except ValueError as error:
            raise HTTPBadRequest(f"Invalid input for {name}. Reason: {error}.") from None
        if values.setdefault(field.name, parsed) != parsed:
            message = f"'{field.name}' and '{field.alias}' must be the same"
            raise HTTPBadRequest(message)
    return values


def _read_only(name: str, creating: bool) -> HTTPBadRequest:
    if creating:
        return HTTPBadRequest(f"Attribute '{name}' not allowed in POST")
    return HTTPBadRequest(f"Cannot update read-only attribute {name}")
