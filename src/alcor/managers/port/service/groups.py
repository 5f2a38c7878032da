"""The security groups of ports: which a port may have, and which it has when none are named.

From a copy kept by the intent log. What the copy does not have, or has as another project's, is
asked of the groups' manager before anything is refused: it knows what is new and what is shared.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from alcor.contracts.peers import GroupsRequest, Projects, SecurityGroupPeer
from alcor.intent.follow import Ready, follow, id_of, record_of
from alcor.intent.records import GroupRecord
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.managers.port.model.port import PortSecurityAndIPRequiredForSecurityGroups, is_trusted
from alcor.values.errors import Conflict, NotFound, Refusal

default_name = "default"  # no other group of a project can have it


class SecurityGroupConflict(Conflict):
    """Groups that track connections, and groups that don't, on one port."""

    def __init__(self) -> None:
        super().__init__(
            "Error Cannot apply both stateful and stateless security groups on the same port at "
            "the same time while attempting the operation."
        )


class Asked(NamedTuple):
    """The groups that one port shall have; `ids` is None when the body names none."""

    viewer: str | None  # the project whose groups are seen; None: all
    project: str  # the port's
    ids: tuple[str, ...] | None


Answer = tuple[str, ...] | Refusal


def asked(
    item: Mapping[str, Any], viewer: str | None, project: str, *, secured: bool
) -> Asked | Answer:
    """What a checked POST asks for, or at once the answer where nobody must be asked."""
    given: list[str] | None = item.get("security_groups")
    if is_trusted(item["device_owner"]):
        return ()
    if not secured:
        return PortSecurityAndIPRequiredForSecurityGroups() if given else ()
    if given is not None and not given:
        return ()
    return Asked(viewer, project, None if given is None else tuple(given))


class PortGroups:
    """Looks up the groups that ports ask for."""

    def __init__(self, peer: SecurityGroupPeer) -> None:
        self._peer = peer
        self._record_by_id: dict[str, GroupRecord] = {}
        self._default_by_project: dict[str, str] = {}

    async def run(self, log: KeyedLog, rebuilt: Ready) -> None:
        """Keep the copy, for ever."""
        await follow(log, "security_group", rebuilt, self._replace, self._apply)

    async def answers(self, all_asked: Sequence[Asked]) -> list[Answer]:
        """The ids for each port, or why it can't have them; in order."""
        defaults = await self._defaults({each.project for each in all_asked if each.ids is None})
        named: dict[str | None, set[str]] = {}
        for each in all_asked:
            named.setdefault(each.viewer, set()).update(each.ids or ())
        seen = {viewer: await self._seen(viewer, ids) for viewer, ids in named.items()}
        return [
            (defaults[each.project],) if each.ids is None else _answer(each.ids, seen[each.viewer])
            for each in all_asked
        ]

    async def _defaults(self, projects: Iterable[str]) -> dict[str, str]:
        """The default group by project."""
        wanted = sorted(projects)
        found = {p: id_ for p in wanted if (id_ := self._default_by_project.get(p))}
        if missing := [project for project in wanted if project not in found]:
            reply = await self._peer.defaults_of(Projects(missing))
            found |= {record.project_id: record.id for record in reply.groups}
        return found

    async def _seen(self, viewer: str | None, ids: set[str]) -> dict[str, GroupRecord]:
        """Those of the ids that the project may use."""
        found = {
            id_: record
            for id_ in ids
            if (record := self._record_by_id.get(id_)) and viewer in (None, record.project_id)
        }
        if missing := sorted(ids - found.keys()):
            reply = await self._peer.groups(GroupsRequest(missing, viewer or ""))
            found |= {record.id: record for record in reply.groups}
        return found

    async def _replace(self, entries: Sequence[Entry]) -> None:
        self._record_by_id.clear()
        self._default_by_project.clear()
        await self._apply(entries)

    async def _apply(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._forget(id_of(entry))
            record = record_of(entry)
            if isinstance(record, GroupRecord):
                self._record_by_id[record.id] = record
                if record.name == default_name:
                    self._default_by_project[record.project_id] = record.id

    def _forget(self, id_: str) -> None:
        held = self._record_by_id.pop(id_, None)
        if held is not None and self._default_by_project.get(held.project_id) == id_:
            del self._default_by_project[held.project_id]


def group_not_found(ids: Sequence[str]) -> NotFound:
    """The refusal of groups that are not there, or not theirs."""
    message = f"Security group {', '.join(ids)} does not exist"
    return NotFound(message, type="SecurityGroupNotFound")


def _answer(ids: tuple[str, ...], seen: Mapping[str, GroupRecord]) -> Answer:
    if missing := [id_ for id_ in ids if id_ not in seen]:
        return group_not_found(missing)
    if len({seen[id_].stateful for id_ in ids}) > 1:
        return SecurityGroupConflict()
    return ids
