"""How one kind is brought: what of an item is asked for, and how it differs from ours. Pure.

What is asked for are the fields that the kind's declaration lets a client say; the rest follows
from them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alcor.client.api import Item
from alcor.importing.ends import Query
from alcor.resource.declaration import Field, Resource

_IN_ORDER = ("dns_nameservers", "external_gateways")
_NULL_SAYS = ("gateway_ip",)  # a word of its own: without it another would be chosen
_NOTHING: tuple[Any, ...] = (None, "", False, [], {})
# What Neutron's answers have besides, made by what else they say.
_FOLLOWS = frozenset(
    ("tenant_id", "status", "created_at", "updated_at", "revision_number", "availability_zones")
)


class Verdict(NamedTuple):
    """Why an item is not brought: there is nothing like it here, or its owner makes it.

    An empty reason: it is of another subject.
    """

    why: str
    owners: bool = False


def _everything(item: Item) -> Verdict | None:
    return None


def _as_it_is(item: Item, wanted: Item) -> None:
    return None


def _whole(item: Item, body: Item) -> Item:
    return body


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One kind.

    `left_out` are fields that others make, or that mean nothing here; `apart` is one by which
    items must be alike to be made together, `only` a filter of the source's list.
    """

    title: str  # as in the report: several of them
    kind: Resource
    left_out: Collection[str] = ()
    apart: str = ""
    only: Query = ()
    judge: Callable[[Item], Verdict | None] = _everything
    shape: Callable[[Item, Item], None] = _as_it_is  # changes what is asked for
    first: Callable[[Item, Item], Item] = _whole  # what is made first, of a body
    lost: Callable[[Item], list[str]] = field(default=lambda item: [])

    def wanted(self, item: Item) -> Item:
        """All that is asked for, of a field that a client may say; also null and tags."""
        wanted = {
            each.name: item[each.name]
            for each in self.kind.fields
            if each.name in item and each.name not in self.left_out and _may_be_said(each)
        }
        if "id" in item:  # not of what its parent alone names
            wanted["id"] = item["id"]
        self.shape(item, wanted)
        return wanted

    def body(self, wanted: Item) -> Item:
        """Of that, what a POST carries."""
        fields = self.kind.field_by_name
        return {
            name: value
            for name, value in wanted.items()
            if fields[name].post and (value is not None or name in _NULL_SAYS)
        }

    def later(self, wanted: Item) -> Item:
        """Of that, what only a PUT carries; `tags` have calls of their own."""
        fields = self.kind.field_by_name
        return {
            name: value
            for name, value in wanted.items()
            if not fields[name].post and fields[name].put and not _is_nothing(value)
        }

    def unasked(self, wanted: Item, made: Item) -> Item:
        """What was given to one that has nothing of it at the source, such as a project's default
        QoS policy, or a subnet's pools: nothing is no word in a POST, and is one in a PUT."""
        fields = self.kind.field_by_name
        return {
            name: value
            for name, value in wanted.items()
            if _is_nothing(value) and fields[name].put and not alike(name, value, made.get(name))
        }

    def beyond(self, item: Item) -> list[str]:
        """What is said of the item at the source that nothing here can keep."""
        fields = self.kind.field_by_name
        unknown = [
            f"{name}={value}"
            for name, value in item.items()
            if name not in fields and name not in _FOLLOWS and not _is_nothing(value)
        ]
        return unknown + self.lost(item)


def _may_be_said(field: Field) -> bool:
    if field.type.name.startswith("only "):  # one value alone: there is nothing to say
        return False
    return field.post or field.put or field.name == "tags"


def differences(wanted: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are otherwise here, as they are wanted."""
    return {
        name: value
        for name, value in wanted.items()
        if name in held and not alike(name, value, held[name])
    }


def _is_nothing(value: Any) -> bool:
    """One of the words for nothing; the number 0 is none."""
    return value in _NOTHING and not (isinstance(value, int) and value is not False)


def alike(name: str, one: Any, other: Any) -> bool:
    """Whether two values of a field mean the same."""
    return bool(_plain(name, one) == _plain(name, other))


def _plain(name: str, value: Any) -> Any:
    """Without order where it says nothing, and with one word for nothing."""
    if _is_nothing(value):
        return None
    if isinstance(value, list):
        parts = [_plain("", each) for each in value]
        return parts if name in _IN_ORDER else sorted(parts, key=repr)
    if isinstance(value, dict):
        parts_by_name = {key: _plain(key, each) for key, each in value.items()}
        return {key: each for key, each in sorted(parts_by_name.items()) if each is not None}
    if isinstance(value, str):
        return value.lower() if name.endswith("mac_address") else value
    return value


def told(changes: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    """Differences, for people."""
    return "; ".join(f"{name} is {held.get(name)!r}, not {changes[name]!r}" for name in changes)
