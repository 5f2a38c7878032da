"""Bring what lives under others: rules of QoS policies, port forwardings, helpers, associations.

They are few and small: those of one parent are compared as a whole, by id or by what they say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.bringing import Bringing, New, said_of
from alcor.importing.ends import Target, under
from alcor.importing.subject import Subject, differences, told
from alcor.resource.declaration import Resource


@dataclass(frozen=True, kw_only=True)
class Children:
    """One kind of them.

    `some` is a field of the parent that says whether it has any; `inline`, where the parent has
    them whole, which of them. `same_by` are the fields that no two of one parent have alike.
    """

    subject: Subject
    parent: Resource
    some: str = ""
    inline: Callable[[Item], list[Item]] | None = None
    same_by: Sequence[str]


def bring(bringing: Bringing, children: Children) -> None:
    """Those of all parents."""
    title = children.subject.title
    for page in bringing.pages(title, children.parent):
        here = bringing.target.by_ids(children.parent, [parent["id"] for parent in page])
        for parent in page:
            held = here.get(parent["id"])
            try:
                theirs = _of(bringing, children, parent, source=True)
            except Refused as refused:
                bringing.ledger.miss(title, parent, f"the source does not tell: {refused}")
                continue
            if bringing.lacking(parent["id"]) or (held is None and not bringing.how.check):
                for each in theirs:
                    bringing.ledger.tally(title).found += 1
                    bringing.ledger.miss(title, each, "what it is of is not here")
                continue
            ours = [] if held is None else _of(bringing, children, held, source=False)
            level(bringing, children, parent["id"], theirs, ours)


def _of(bringing: Bringing, children: Children, parent: Item, *, source: bool) -> list[Item]:
    if children.inline is not None:
        return children.inline(parent)
    if children.some and not parent.get(children.some):
        return []
    end = bringing.source if source else bringing.target
    return end.under(children.subject.kind, parent["id"])


def level(
    bringing: Bringing,
    children: Children,
    parent_id: str,
    theirs: Sequence[Item],
    ours: Sequence[Item],
) -> None:
    """Make what is here like what is there; what is too much goes first."""
    subject, how = children.subject, bringing.how
    tally = bringing.ledger.tally(subject.title)
    tally.found += len(theirs)
    wanted = [bringing.renamed(subject.wanted(each)) for each in theirs]
    held = [_match(children, each, ours) for each in wanted]
    kept = {id(each) for each in held if each is not None}
    for each in [each for each in ours if id(each) not in kept]:
        if not how.update:
            bringing.ledger.differ(subject.title, each, "it is only here")
        elif how.check or _done(bringing, subject, each, partial(_delete, parent_id=parent_id)):
            tally.removed += 1
    for item, want, one in zip(theirs, wanted, held, strict=True):
        _one(bringing, subject, parent_id, New(item, want), one)


def _one(bringing: Bringing, subject: Subject, parent_id: str, new: New, held: Item | None) -> None:
    how, tally = bringing.how, bringing.ledger.tally(subject.title)
    item, wanted = new
    if held is None:
        make = partial(_create, body=subject.body(wanted), parent_id=parent_id)
        if lacking := bringing.lacking(wanted):
            bringing.ledger.miss(subject.title, item, lacking)
        elif how.check or _done(bringing, subject, item, make, missing=True):
            tally.made += 1
        return
    changes = differences({n: v for n, v in wanted.items() if n != "id"}, held)
    change = partial(_change, id_=str(held.get("id")), changes=changes, parent_id=parent_id)
    if not changes:
        tally.same += 1
    elif not how.update:
        bringing.ledger.differ(subject.title, item, told(changes, held))
    elif how.check or _done(bringing, subject, item, change):
        tally.changed += 1


def _create(target: Target, kind: Resource, item: Item, *, body: Item, parent_id: str) -> None:
    target.create(kind, [body], under(kind, parent_id) if parent_id else "")


def _change(
    target: Target, kind: Resource, item: Item, *, id_: str, changes: Item, parent_id: str
) -> None:
    target.update(kind, id_, changes, parent_id)


def _delete(target: Target, kind: Resource, item: Item, *, parent_id: str) -> None:
    target.delete(kind, item["id"] if "id" in item else item["fixed_port_id"], parent_id)


def _match(children: Children, wanted: Item, ours: Sequence[Item]) -> Item | None:
    by_id = (each for each in ours if "id" in wanted and each.get("id") == wanted["id"])
    alike = (
        each
        for each in ours
        if all((each.get(name) or None) == (wanted.get(name) or None) for name in children.same_by)
    )
    return next(by_id, None) or next(alike, None)


def _done(
    bringing: Bringing,
    subject: Subject,
    item: Item,
    do: Callable[[Target, Resource, Item], None],
    *,
    missing: bool = False,
) -> bool:
    try:
        do(bringing.target, subject.kind, item)
    except Refused as refused:
        tell = bringing.ledger.miss if missing else bringing.ledger.differ
        tell(subject.title, item, said_of(refused))
        return False
    return True
