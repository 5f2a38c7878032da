"""The sharing policies of a manager's objects, in its own database.

Functions here run inside a transaction. Who sees an object is decided by conditions on the table of
policies, so that a page of what is shared is as cheap as a page of what is owned.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from alcor.contracts.resources import Caller, ListQuery
from alcor.contracts.sharing import ANYBODY, AS_SHARED, SharingPolicy
from alcor.runtime.tables.resource_table import Also, ResourceTable, Row, Taken
from alcor.values.errors import Conflict, NotFound

POLICIES = ResourceTable(
    "rbac_policy",
    "RbacPolicy",
    ("project_id", "object_type", "object_id", "action", "target_tenant"),
    conditions={"after": "id > {}", "before": "id < {}"},
    counted=True,
)

SCHEMA = (
    "CREATE TABLE rbac_policy (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "object_type TEXT NOT NULL, object_id TEXT NOT NULL, action TEXT NOT NULL, "
    "target_tenant TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE UNIQUE INDEX rbac_policy_one ON rbac_policy (object_id, action, target_tenant)",
    "CREATE INDEX rbac_policy_target ON rbac_policy (target_tenant, action, object_id)",
    "CREATE INDEX rbac_policy_project ON rbac_policy (project_id, id)",
    # Objects of which those who use them may have been told otherwise than the policies say.
    "CREATE TABLE resharing (id TEXT PRIMARY KEY) WITHOUT ROWID",
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SharingPolicy).decode


class Viewer(NamedTuple):
    """Who looks: a project, which sees `all` if it is an administrator's or a service's."""

    project: str
    all: bool


def viewer_of(caller: Caller) -> Viewer:
    """Who looks."""
    return Viewer(caller.project_id, caller.sees_all)


class DuplicateRbacPolicy(Conflict):
    """There is such a policy already."""

    def __init__(self) -> None:
        super().__init__("An RBAC policy already exists with those values.")


class RbacPolicyIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the RBAC policy. Its id is in use.")


class RbacPolicyNotFound(NotFound):
    """There is no such policy, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"RBAC policy of type unknown with ID {id_[:255]} not found")


def insert(connection: sqlite3.Connection, policies: Sequence[SharingPolicy]) -> list[Raw]:
    """Add policies; `DuplicateRbacPolicy` when one is there already, `RbacPolicyIdInUse`."""
    rows = [_row(policy) for policy in policies]
    try:
        POLICIES.insert(connection, rows)
    except Taken as taken:
        if taken.columns == ("id",):
            raise RbacPolicyIdInUse from None
        raise DuplicateRbacPolicy from None
    return [Raw(row.doc) for row in rows]


def replace(connection: sqlite3.Connection, policy: SharingPolicy) -> Raw:
    """Change a policy; `DuplicateRbacPolicy` when another one is so already."""
    row = _row(policy)
    try:
        POLICIES.replace(connection, [row])
    except Taken:
        raise DuplicateRbacPolicy from None
    return Raw(row.doc)


def remove(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Drop policies."""
    POLICIES.delete(connection, ids)


def policy(connection: sqlite3.Connection, id_: str, project: str | None) -> SharingPolicy:
    """One of the project's, or (None) anybody's; `RbacPolicyNotFound`."""
    row = POLICIES.row(connection, id_)
    if row is None or project not in (None, row.columns[0]):
        raise RbacPolicyNotFound(id_)
    return _decode(row.doc)


def of_object(connection: sqlite3.Connection, object_id: str) -> list[SharingPolicy]:
    """The policies of an object, in order of id."""
    rows = POLICIES.where(connection, "object_id = ? ORDER BY id", (object_id,))
    return [_decode(row.doc) for row in rows]


def drop_object(connection: sqlite3.Connection, object_id: str) -> None:
    """The object is gone, and so are its policies."""
    remove(connection, [each.id for each in of_object(connection, object_id)])
    unmark(connection, object_id)


def page(
    connection: sqlite3.Connection, query: ListQuery, project: str | None, object_type: str
) -> list[Raw]:
    """A page of the policies of one kind of object; with `project`, only its own."""
    only = Also("object_type = ?", (object_type,))
    return POLICIES.page(connection, query, project, only=[only])


def objects_page(
    connection: sqlite3.Connection,
    table: ResourceTable,
    actions: Sequence[str],
    query: ListQuery,
    viewer: Viewer,
) -> list[Raw]:
    """A page of objects: the viewer's own, and those that others let it see by these actions.

    `shared` is shown, and filtered by, as it is for the viewer's project.
    """
    project = None if viewer.all else viewer.project
    also = [] if viewer.all else [visible(table.name, actions, viewer.project)]
    query, only = _by_shared(query, viewer.project)
    documents = table.page(connection, query, project, also=also, only=only)
    return told_shared(connection, documents, viewer.project)


def _by_shared(query: ListQuery, project: str) -> tuple[ListQuery, list[Also]]:
    """The query without its filter by `shared`, and what that filter means for a project."""
    rest = tuple(each for each in query.filters if each.field != "shared")
    wanted = [value for each in query.filters if each.field == "shared" for value in each.values]
    if len(rest) == len(query.filters) or len(set(wanted)) == 2:
        return msgspec.structs.replace(query, filters=rest), []
    condition = (
        "id IN (SELECT object_id FROM rbac_policy WHERE target_tenant IN (?, ?) AND action = ?)"
    )
    only = Also(condition if wanted[0] else f"NOT {condition}", (project, ANYBODY, AS_SHARED))
    return msgspec.structs.replace(query, filters=rest), [only]


def visible(object_type: str, actions: Sequence[str], project: str) -> Also:
    """The condition for objects that others let a project see by these actions."""
    marks = ", ".join("?" * len(actions))
    return Also(
        "id IN (SELECT object_id FROM rbac_policy WHERE target_tenant IN (?, ?) "
        f"AND action IN ({marks}) AND object_type = ?)",
        (project, ANYBODY, *actions, object_type),
    )


def is_visible(
    connection: sqlite3.Connection, object_id: str, actions: Sequence[str], project: str
) -> bool:
    """Whether others let a project see an object by one of these actions."""
    marks = ", ".join("?" * len(actions))
    statement = (
        "SELECT 1 FROM rbac_policy WHERE object_id = ? AND target_tenant IN (?, ?) "
        f"AND action IN ({marks}) LIMIT 1"
    )
    values = (object_id, project, ANYBODY, *actions)
    return connection.execute(statement, values).fetchone() is not None


def objects_for(
    connection: sqlite3.Connection, object_type: str, action: str, project: str
) -> list[str]:
    """The ids of the objects that a project may reach by an action, in order."""
    rows = connection.execute(
        "SELECT DISTINCT object_id FROM rbac_policy WHERE target_tenant IN (?, ?) "
        "AND action = ? AND object_type = ? ORDER BY object_id",
        (project, ANYBODY, action, object_type),
    )
    return [id_ for (id_,) in rows]


def targets_of(
    connection: sqlite3.Connection, object_ids: Sequence[str], action: str = AS_SHARED
) -> dict[str, tuple[str, ...]]:
    """Whom the policies of each of these objects let do an action, in order."""
    rows = connection.execute(
        "SELECT object_id, target_tenant FROM json_each(?) CROSS JOIN rbac_policy "
        "ON object_id = value AND action = ? ORDER BY 1, 2",
        (msgspec.json.encode(object_ids).decode(), action),
    )
    found: dict[str, tuple[str, ...]] = dict.fromkeys(object_ids, ())
    for object_id, target in rows:
        found[object_id] = (*found[object_id], target)
    return found


def toggle(
    connection: sqlite3.Connection,
    table: ResourceTable,
    object_id: str,
    action: str,
    new_id: str,
    whole: bool = False,
) -> None:
    """Let everybody do the action by a policy of this id; or (no id) by no policy any more.

    With `whole`, the policies for single projects go as well.
    """
    if new_id:
        row = table.row(connection, object_id)
        assert row is not None
        owner = str(row.columns[table.columns.index("project_id")])
        insert(connection, [wildcard(table.name, object_id, action, owner, new_id)])
        return
    gone = [
        each.id
        for each in of_object(connection, object_id)
        if each.action == action and (whole or each.target_tenant == ANYBODY)
    ]
    remove(connection, gone)


def wildcard(object_type: str, object_id: str, action: str, owner: str, id_: str) -> SharingPolicy:
    """The policy that `shared: true` on an object means."""
    return SharingPolicy(
        id=id_,
        object_type=object_type,
        object_id=object_id,
        action=action,
        target_tenant=ANYBODY,
        project_id=owner,
        tenant_id=owner,
    )


def told_shared(connection: sqlite3.Connection, documents: Sequence[Raw], viewer: str) -> list[Raw]:
    """The documents as a project sees them: `shared` where it is a target by name.

    That all may see an object is in its document already.
    """
    rows = connection.execute(
        "SELECT object_id FROM rbac_policy WHERE target_tenant = ? AND action = ?",
        (viewer, AS_SHARED),
    )
    named = {id_ for (id_,) in rows} if viewer and documents else set()
    return [_told(each) if named and _id(each).id in named else each for each in documents]


def mark(connection: sqlite3.Connection, object_id: str) -> None:
    """Note that users of the object may be told otherwise than its policies say."""
    connection.execute("INSERT OR IGNORE INTO resharing VALUES (?)", (object_id,))


def unmark(connection: sqlite3.Connection, object_id: str) -> None:
    """Forget the note."""
    connection.execute("DELETE FROM resharing WHERE id = ?", (object_id,))


def marked(connection: sqlite3.Connection) -> list[str]:
    """The objects that have a note."""
    return [id_ for (id_,) in connection.execute("SELECT id FROM resharing")]


class _Id(msgspec.Struct):
    id: str


_id = msgspec.json.Decoder(_Id).decode


def _told(document: Raw) -> Raw:
    # Within a text the quotes would be escaped: this is the field and nothing else.
    return Raw(bytes(document).replace(b'"shared":false', b'"shared":true', 1))


def _row(policy: SharingPolicy) -> Row:
    columns = (
        policy.project_id,
        policy.object_type,
        policy.object_id,
        policy.action,
        policy.target_tenant,
    )
    return Row(policy.id, columns, 0, _encode(policy))
