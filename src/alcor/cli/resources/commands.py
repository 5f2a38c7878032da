"""The commands of one kind of resource, all made of its declaration.

`list`, `show`, `create`, `set`, `delete`, `tag`, `untag`, and one for each of its actions; what
some kinds have besides is in `shortcuts`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter
from typing import Annotated, Any

import typer

from alcor.cli.exits import Exit, exit_for, tell
from alcor.cli.kinds import called_of, client_kind, parent_of, plural, resources, singular
from alcor.cli.options import Fields, fields, named, pair
from alcor.cli.resources import rows
from alcor.cli.resources.inputs import (
    FindId,
    body_of,
    kind_fields,
    option_names,
    options_of,
    row_of,
)
from alcor.cli.resources.shortcuts import BODIES, SHORTCUTS
from alcor.cli.session import Session, names_of, reading, writing
from alcor.cli.tables import Output
from alcor.client.api import Item, Kind, NotOne, NotThere
from alcor.client.connection import ClientError, Refused
from alcor.resource.declaration import Action, Field, Resource
from alcor.resource.glossary import meaning

ACTION_NAMES = {
    "add_router_interface": "attach",
    "remove_router_interface": "detach",
    "add_extraroutes": "add-route",
    "remove_extraroutes": "remove-route",
}
page_items = 1_000  # asked for at once; a list goes on to the last page

Command = tuple[str, Callable[..., None]]  # its help, and what it does


def commands_of(name: str) -> dict[str, Callable[[], Command]]:
    """The commands of a kind by their names, each made when it is wanted."""
    kind = resources()[name]
    made: dict[str, Callable[[], Command]] = {"list": lambda: _list(name, kind)}
    if client_kind(name).key:
        made["show"] = lambda: _show(name, kind)
    if kind.creatable:
        made["create"] = lambda: _create(name, kind)
    if kind.updatable and kind_fields(name, creating=False):
        made["set"] = lambda: _set(name, kind)
    if kind.deletable:
        made["delete"] = lambda: _delete(name, kind)
    if "tags" in kind.field_by_name and kind.updatable:
        made["tag"] = lambda: _tag(name, kind, on=True)
        made["untag"] = lambda: _tag(name, kind, on=False)
    for action in kind.actions:
        if "." not in action.name:
            called = ACTION_NAMES.get(action.name, action.name.replace("_", "-"))
            made[called] = partial(_act, name, kind, action)
    for short, command in SHORTCUTS.get(name, {}).items():
        made[short] = partial(_ready, command)
    return made


def _ready(command: Command) -> Command:
    return command


def _argument(
    name: str,
    metavar: str,
    *,
    about: str = "",
    names: str = "",
    many: bool = False,
    optional: bool = False,
) -> Parameter:
    """An argument; `names` is the kind whose names the shell may complete it by."""
    complete = names_of(names) if names else None
    argument = typer.Argument(metavar=metavar, help=about, autocompletion=complete)
    annotation: Any = list[str] if many else str
    return named(name, Annotated[annotation, argument], "" if optional else Parameter.empty)


def _parent(name: str) -> list[Parameter]:
    kind = resources()[name]
    if not kind.parent:
        return []
    above = parent_of(kind)
    about = f"The {singular(resources()[above])} that it is of."
    return [_argument("parent", above.upper(), about=about, names=above)]


def _which(name: str, *, many: bool = False) -> list[Parameter]:
    kind = resources()[name]
    called = called_of(kind).rpartition("_")[2].upper()
    metavar = f"{called}_OR_ID" if called else client_kind(name).key.upper()
    names = "" if kind.parent else name
    which = _argument("which", metavar, names=names, many=many)
    return [*_parent(name), which]


def _kind(session: Session, name: str, given: dict[str, Any]) -> Kind:
    """The kind as the client asks for it, under its parent if it has one."""
    kind = client_kind(name)
    if "parent" not in given:
        return kind
    return kind.under(session.find_id(parent_of(resources()[name]), given.pop("parent")))


_Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="FIELD=VALUE", help="Only those. Repeatable."),
]
_Sort = Annotated[
    list[str] | None,
    typer.Option(metavar="FIELD[:desc]", help="Sort by this field. Repeatable."),
]
_Limit = Annotated[int, typer.Option(min=0, metavar="NUMBER", help="At most so many; 0: all.")]


def _list(name: str, kind: Resource) -> Command:
    filters = [field for field in kind.fields if field.is_filter]

    def run(session: Session, **given: Any) -> None:
        wanted = _kind(session, name, given)
        limit = given.pop("limit")
        query = [pair(one, "FIELD=VALUE") for one in given.pop("filter_") or ()]
        for key in given.pop("sort") or ():
            field, _, direction = key.partition(":")
            query += [("sort_key", field), ("sort_dir", direction or "asc")]
        for field, value in body_of(filters, given, _finding(session, name, given)).items():
            query.append((field, _of_query(value)))
        session.tell_items(wanted, list(session.api.list_all(wanted, query, limit, page_items)))

    own = [
        *_parent(name),
        named("filter_", _Filters),
        named("sort", _Sort),
        named("limit", _Limit, 0),
        *options_of(kind.name, filters, panel="Only those with"),
    ]
    return f"List {plural(kind)}.", reading(run, own)


def _of_query(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _show(name: str, kind: Resource) -> Command:
    def run(session: Session, **given: Any) -> None:
        wanted = _kind(session, name, given)
        session.tell_item(wanted, session.api.find(wanted, given["which"]))

    return f"Show one {singular(kind)} with all its fields.", reading(run, _which(name))


_From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Make all of a JSON, YAML or CSV file in one call, or none; -: of standard input.",
    ),
]


def _field_named(kind: Resource) -> Field | None:
    """The field that a create takes as its argument."""
    id_, name = kind.field_by_name.get("id"), kind.field_by_name.get("name")
    if id_ is not None and id_.required:
        return id_
    return name if name is not None and name.post else None


def _create(name: str, kind: Resource) -> Command:
    called_by = _field_named(kind)
    options = [f for f in kind_fields(name, creating=True) if f is not called_by]
    more, bodies = BODIES.get(name, ((), None))
    argument = []
    if called_by is not None:
        about = meaning(kind.name, called_by.name)
        argument = [_argument("name_", called_by.name.upper(), about=about, optional=True)]

    def run(session: Session, **given: Any) -> None:
        wanted = _kind(session, name, given)
        file, called, extra = given.pop("from_"), given.pop("name_", ""), given.pop("more")
        if file:
            writable = kind_fields(name, creating=True)
            made = [
                row_of(writable, row, _finding(session, name, row))
                for row in rows.read(file, kind.collection)
            ]
            made = [_object_ids(session, name, body) for body in made]
        else:
            body = body_of(options, given, _finding(session, name, given)) | fields(extra)
            if called_by is not None and called:
                body = {called_by.name: called, **body}
            body = _object_ids(session, name, body)
            made = bodies(session, body, given) if bodies is not None else [body]
            _check_required(kind, made[0], called_by)
        done = session.api.create(wanted, made)
        session.tell_written(wanted, done.items, done.revision)

    own = [
        *_parent(name),
        *argument,
        *more,
        *options_of(kind.name, options, creating=True),
        named("more", Fields),
        named("from_", _From, ""),
    ]
    return f"Make a {singular(kind)}.", writing(run, own)


def _check_required(kind: Resource, body: Item, called_by: Field | None) -> None:
    for field in kind.fields:
        if field.required and field.name not in body and field.alias not in body:
            how = field.name.upper() if field is called_by else f"--{option_names(field)[0]}"
            raise typer.BadParameter(f"a {singular(kind)} needs {how}")


def _finding(session: Session, name: str, said: Mapping[str, Any]) -> FindId:
    """How names become ids: what a log's resource is, its type says, or else its name."""
    types = (said.get("resource_type"), said.get("field_resource_type"))  # of a row, of options
    if name != "log" or "security_group" in types:
        return session.find_id
    only_acls = "network_acl" in types

    def find(kind: str, text: str) -> str:
        if kind != "security-group":
            return session.find_id(kind, text)
        try:
            return session.find_id("network-acl", text)
        except NotThere:
            if only_acls:
                raise
            return session.find_id(kind, text)

    return find


def _object_ids(session: Session, name: str, body: Item) -> Item:
    """An RBAC policy's object may be called by its name: its type says what it is."""
    types = {kind.rule_name: command for command, kind in resources().items()} | {
        "qos_policy": "qos-policy"
    }
    kind = types.get(str(body.get("object_type")))
    if name != "rbac-policy" or kind is None or "object_id" not in body:
        return body
    return body | {"object_id": session.find_id(kind, body["object_id"])}


def _set(name: str, kind: Resource) -> Command:
    options = kind_fields(name, creating=False)

    def run(session: Session, **given: Any) -> None:
        wanted = _kind(session, name, given)
        changes = body_of(options, given, session.find_id) | fields(given["more"])
        if not changes:
            raise typer.BadParameter("nothing to change: name a field, as in --name NEW")
        found = _key(session, wanted, given["which"])
        item, revision = session.api.update(wanted, found, changes)
        session.tell_written(wanted, [item], revision)

    own = [
        *_which(name),
        *options_of(kind.name, options),
        named("more", Fields),
    ]
    about = f"Change fields of a {singular(kind)}: a list replaces the one before, 'none' clears."
    return about, writing(run, own)


def _key(session: Session, kind: Kind, which: str) -> str:
    if kind.key == "project_id":  # of quotas: every project has some, also an unknown one
        return which
    return str(session.api.find(kind, which)[kind.key])


_OF_ONE = (400, 403, 404, 409)  # what is refused so may be of one alone: others can be deleted
_MissingOk = Annotated[
    bool, typer.Option("--missing-ok", help="One that is not there is no error.")
]


def _delete(name: str, kind: Resource) -> Command:
    def run(session: Session, **given: Any) -> None:
        wanted = _kind(session, name, given)
        revision, problems = "", list[ClientError]()
        for one in given["which"]:
            try:
                revision = session.api.delete(wanted, _key(session, wanted, one))
            except (NotThere, NotOne, Refused) as problem:
                if not (given["missing_ok"] and exit_for(problem) is Exit.NOT_THERE):
                    problems.append(problem)
                if isinstance(problem, Refused) and problem.status not in _OF_ONE:
                    break
        for each in problems[:-1]:
            tell(each)
        try:
            session.tell_revision(revision)
        finally:  # also when hosts are behind
            if problems:
                raise problems[-1]

    own = [*_which(name, many=True), named("missing_ok", _MissingOk, False)]
    return f"Delete {plural(kind)}: all that can be.", writing(run, own)


def _tag(name: str, kind: Resource, *, on: bool) -> Command:
    def run(session: Session, **given: Any) -> None:
        wanted = client_kind(name)
        found = session.api.find(wanted, given["which"])
        path, revision = kind.tags_path or kind.path, ""
        for one in given["tags"]:
            revision = session.api.tag(path, found[wanted.key], one, on=on)
        session.tell_written(wanted, [session.api.show(wanted, found[wanted.key])], revision)

    own = [*_which(name), _argument("tags", "TAG", many=True)]
    return f"{'Put tags on' if on else 'Take tags off'} a {singular(kind)}.", writing(run, own)


def _act(name: str, kind: Resource, action: Action) -> Command:
    def run(session: Session, **given: Any) -> None:
        wanted = _kind(session, name, given)
        body = body_of(action.arguments, given, session.find_id)
        body = {action.root: body} if action.root else body
        found = _key(session, wanted, given["which"])
        answer, revision = session.api.act(wanted, found, action.name, body, action.method)
        _tell_answer(session, wanted, answer, action.answer_root)
        session.tell_revision(revision)

    own = [
        *_which(name),
        *options_of(kind.name, action.arguments, creating=True),
    ]
    what = action.name.replace("_", " ").replace("extraroutes", "extra routes")
    about = f"{what.capitalize()} of a {singular(kind)}."
    return about, (reading if action.method == "GET" else writing)(run, own)


def _tell_answer(session: Session, kind: Kind, answer: Any, root: str) -> None:
    """An action answers one thing, or a list of them, bare or under a name."""
    if session.output is Output.REVISION:
        return
    found = answer.get(root, answer) if isinstance(answer, dict) and root else answer
    if isinstance(found, dict) and len(found) == 1 and isinstance(next(iter(found.values())), list):
        found = next(iter(found.values()))
    untyped = kind._replace(command="")
    if isinstance(found, list):
        session.tell_items(untyped, found)
    else:
        session.tell_item(kind, found)
