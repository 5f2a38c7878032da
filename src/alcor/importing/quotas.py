"""Bring the limits of projects, last: while things are made, they may be in the way."""

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.bringing import Bringing, limits_of, said_of
from alcor.importing.ends import NotOffered
from alcor.importing.subject import differences, told
from alcor.resource.declaration import Resource

_TITLE = "quotas"


def bring_quotas(bringing: Bringing, quota: Resource) -> None:
    """Give each project the limits that it has at the source, or none of its own."""
    tally, how = bringing.ledger.tally(_TITLE), bringing.how
    try:
        theirs = {_whose(each): each for each in bringing.source.all(quota)}
    except NotOffered:
        theirs = {}
    if how.projects:
        theirs = {project: each for project, each in theirs.items() if project in how.projects}
    ours = {_whose(each): each for each in bringing.target.all(quota)}
    for project, item in theirs.items():
        tally.found += 1
        wanted = {name: item[name] for name in limits_of(quota) if name in item}
        held = ours.get(project)
        changes = wanted if held is None else differences(wanted, held)
        if not changes:
            tally.same += 1
        elif held is None or project in bringing.known.lifted or how.update:
            _set(bringing, quota, project, item, changes, new=held is None)
        else:
            bringing.ledger.differ(_TITLE, {**item, "id": project}, told(changes, held))
    for project, held in ours.items():
        unlimited = all(held[name] == -1 for name in limits_of(quota))
        left = project in bringing.known.lifted or (how.update and unlimited)
        if left and project not in theirs and not how.check:
            bringing.target.delete(quota, project)


def _whose(item: Item) -> str:
    return str(item.get("project_id") or item.get("tenant_id") or "")


def _set(
    bringing: Bringing, quota: Resource, project: str, item: Item, changes: Item, *, new: bool
) -> None:
    tally = bringing.ledger.tally(_TITLE)
    try:
        if not bringing.how.check:
            bringing.target.update(quota, project, changes)
    except Refused as refused:
        bringing.ledger.miss(_TITLE, {**item, "id": project}, said_of(refused))
        return
    if new or project in bringing.known.lifted:
        tally.made += 1
    else:
        tally.changed += 1
