"""A resource as clients see it: its names and its fields, declared once by its manager.

The gateway reads bodies and queries by these declarations; managers get values that are checked
and of their types. Source of names and rules: Neutron's API reference v2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from alcor.contracts.resources import Filter
from alcor.resource.fields import FieldType
from alcor.values.ids import is_uuid

# A filter of kinds with `field_words`: what `fields` a client asks for that it is shown one.
SHOWN_FIELDS = "fields"

UNSET: Any = type("Unset", (), {"__repr__": lambda _: "UNSET"})()  # no default: the manager chooses


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One attribute of a resource.

    `post` and `put` say whether a body may carry it; `default` is what a POST without it means.
    What is `kept` a PUT may carry, and its manager refuses another value than it has.
    A scalar is a filter and a sort key unless said otherwise. `parts` are those keys of an object
    that have policy rules of their own.
    """

    name: str
    type: FieldType
    alias: str = ""  # another name, in bodies, filters and answers
    default: Any = UNSET
    required: bool = False
    post: bool = True
    put: bool = True
    kept: bool = False
    filterable: bool = True
    sortable: bool = True
    parts: Sequence[str] = ()

    @property
    def is_filter(self) -> bool:
        return self.filterable and self.type.of_query is not None

    @property
    def is_sort_key(self) -> bool:
        return self.sortable and self.type.of_query is not None


def read_only(name: str, type_: FieldType, **how: Any) -> Field:
    """A field that the server makes and no body may carry."""
    return Field(name=name, type=type_, post=False, put=False, **how)


@dataclass(frozen=True, kw_only=True)
class Action:
    """A call on one member beyond the four verbs: `<method> <path>/<id>/<name>`.

    The body's arguments are bare, or (`root`) under one key. Its answer is what the manager
    answers, bare or under `answer_root`: an object, or a list of them.
    """

    name: str
    arguments: Sequence[Field] = ()
    root: str = ""
    answer_root: str = ""
    method: str = "PUT"
    answers_list: bool = False

    @cached_property
    def field_by_name(self) -> dict[str, Field]:
        """Of the arguments, by name and by alias."""
        return _by_name(self.arguments)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of resource.

    `title` makes the names of its refusals (`Network` -> `NetworkNotFound`). `special_filters`
    are filters that are no field: each turns the values given into conditions for the manager.
    `extension` is the alias under which the kind is announced; empty: of the core. A kind with
    `actions` needs a manager that keeps `ActingManager`.

    A kind whose resources live under those of another has the name of the other's id in its path
    (`/v2.0/floatingips/{floatingip_id}/port_forwardings`) and as `parent`: its manager gets that id
    as a field of what is created, and as a filter of what is listed. `policy_name` is the name in
    policy rules where it is not `name`, `root` the key of one in bodies. With `local_ids` an id
    means something under its parent only: the manager gets `<parent's id>/<id>`. `tags_path` is
    another path of the tags' routes.

    Of a kind that `every_id_has` there is one for every id, as there are limits of every project:
    who may not see it is told so, and not that it is missing.

    Words of `fields` that mean more than a name are `field_words`: the manager of such a kind is
    told what was asked for when one is shown (`SHOWN_FIELDS`).
    """

    name: str  # in a body: {"network": {...}}
    collection: str  # {"networks": [...]}, and the links' key
    title: str
    path: str  # "/v2.0/networks"
    fields: Sequence[Field]
    special_filters: Mapping[str, Callable[[list[str]], list[Filter]]] = field(default_factory=dict)
    is_id: Callable[[object], bool] = is_uuid
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    extension: str = ""
    actions: Sequence[Action] = ()
    parent: str = ""
    policy_name: str = ""
    root: str = ""
    field_words: Sequence[str] = ()
    local_ids: bool = False
    every_id_has: bool = False
    tags_path: str = ""

    @property
    def rule_name(self) -> str:
        """The kind as policy rules call it."""
        return self.policy_name or self.name

    @property
    def key(self) -> str:
        """What one is called in bodies."""
        return self.root or self.name

    @cached_property
    def place(self) -> tuple[str, str]:
        """Of a kind under another: the other's path, and the last part of its own."""
        head, _, tail = self.path.partition(f"/{{{self.parent}}}/")
        return head, tail

    @cached_property
    def field_by_name(self) -> dict[str, Field]:
        """By name and by alias."""
        return _by_name(self.fields)

    @cached_property
    def takes_ids(self) -> bool:
        """Whether who creates one may say its id, and need not."""
        id_ = self.field_by_name.get("id")
        return id_ is not None and id_.post and not id_.required

    @cached_property
    def action_by_name(self) -> dict[str, Action]:
        """The calls beyond the four verbs."""
        return {action.name: action for action in self.actions}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What a POST means by the fields that it leaves out."""
        return {f.name: f.default for f in self.fields if f.post and f.default is not UNSET}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields that a POST must carry."""
        return tuple(f.name for f in self.fields if f.required)


def _by_name(fields: Sequence[Field]) -> dict[str, Field]:
    return {f.name: f for f in fields} | {f.alias: f for f in fields if f.alias}
