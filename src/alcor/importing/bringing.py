"""Bring the items of one kind: page by page, in calls of many.

A call makes all of its items or none. When one is refused, halves of it are tried, down to the item
that is the reason: that one is a problem of the report, and the rest is made.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.ends import NotOffered, Query, Source, Target, chunks
from alcor.importing.ledger import Ledger, Watch
from alcor.importing.subject import Subject, differences, told
from alcor.resource import body as bodies
from alcor.resource.declaration import Resource
from alcor.values.errors import Refusal

items_per_call = 500
_NO_LIMITS = ("check_limit", "force")
_FORBIDDEN = (401, 403)


@dataclass(frozen=True, kw_only=True)
class How:
    """What an import is to do."""

    check: bool = False  # only say what would be done
    update: bool = False  # change what is here otherwise
    projects: Sequence[str] = ()  # only theirs; empty: all


@dataclass(frozen=True)
class Known:
    """What later kinds must know of earlier ones: by ids at the source."""

    here_by_id: dict[str, str] = field(default_factory=dict)  # what has another id here
    absent: dict[str, str] = field(default_factory=dict)  # what was not made, as it is called
    unneeded: set[str] = field(default_factory=set)  # networks that only the source needs
    lifted: set[str] = field(default_factory=set)  # projects without limits while this lasts
    made: set[str] = field(default_factory=set)  # of kinds that later steps complete


class New(NamedTuple):
    """An item that is to be made."""

    item: Item
    wanted: Item


class Bringing:
    """Brings kinds from a source to a target."""

    def __init__(
        self, source: Source, target: Target, how: How, ledger: Ledger, watch: Watch
    ) -> None:
        self.source = source
        self.target = target
        self.how = how
        self.ledger = ledger
        self.known = Known()
        self._watch = watch
        self._quota: Resource | None = None
        self._hooks: dict[str, Hooks] = {}

    def hook(self, title: str, hooks: "Hooks") -> None:
        """Have more done with the items of a subject."""
        self._hooks[title] = hooks

    def lift_by(self, quota: Resource) -> None:
        """Lift the limits of projects that have more at the source than they may have here."""
        self._quota = quota

    def pages(self, title: str, kind: Resource, query: Query = ()) -> Iterable[list[Item]]:
        """The source's pages, of the projects that are wanted, with counts told after each."""
        tally = self.ledger.tally(title)
        if self.how.projects:
            if "project_id" not in kind.field_by_name:
                return
            query = [*query, *(("project_id", each) for each in self.how.projects)]
        try:
            for page in self.source.pages(kind, query):
                yield page
                self._watch(tally)
        except NotOffered:
            return
        except Refused as refused:
            self.ledger.miss(title, {}, f"the source does not list them: {refused}")

    def run(self, subject: Subject) -> None:
        """Bring all of one kind."""
        for page in self.pages(subject.title, subject.kind, subject.only):
            self._page(subject, page)

    def _page(self, subject: Subject, page: Sequence[Item]) -> None:
        new: list[New] = []
        hooks = self._hooks.get(subject.title, Hooks())
        theirs = [item for item in page if self._is_wanted(subject, item)]
        ids: dict[str, str] = {
            str(item["id"]): self.known.here_by_id.get(item["id"]) or item["id"] for item in theirs
        }
        held = self.target.by_ids(subject.kind, ids.values())
        for item in theirs:
            try:
                wanted = self.renamed(subject.wanted(item))
                if hooks.shaped is not None:
                    hooks.shaped(item, wanted)
            except (LookupError, TypeError, AttributeError) as fault:
                self._miss(subject, item, f"it can't be read: {fault!r}")
                continue
            if item.get("network_id") in self.known.unneeded:
                self.ledger.tally(subject.title).owners += 1
            elif lacking := self.lacking(wanted):
                self._miss(subject, item, lacking)
            elif here := held.get(ids[item["id"]]) or (hooks.here and hooks.here(item, wanted)):
                self.compare(subject, item, wanted, here)
            else:
                new.append(New(item, wanted))
        for some in self._calls(subject, new):
            self._make(subject, some)

    def _is_wanted(self, subject: Subject, item: Item) -> bool:
        tally = self.ledger.tally(subject.title)
        try:
            verdict = subject.judge(item)
        except (LookupError, TypeError, AttributeError) as fault:
            tally.found += 1
            self._miss(subject, item, f"it can't be read: {fault!r}")
            return False
        if verdict is None:
            tally.found += 1
            return True
        if not verdict.owners:
            tally.found += 1
            self._miss(subject, item, verdict.why)
        elif verdict.why:
            tally.found += 1
            tally.owners += 1
            if subject.kind.key == "network":
                self.known.unneeded.add(item["id"])
        return False

    def _calls(self, subject: Subject, new: Sequence[New]) -> Iterable[Sequence[New]]:
        """In what calls they are made."""
        apart = sorted(new, key=lambda each: str(each.item.get(subject.apart, "")))
        for _, alike in groupby(apart, key=lambda each: str(each.item.get(subject.apart, ""))):
            yield from chunks(list(alike), items_per_call)

    def renamed(self, value: Any) -> Any:
        """With the ids that things have here, where these are others."""
        if not self.known.here_by_id:
            return value
        if isinstance(value, dict):
            return {name: self.renamed(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.renamed(each) for each in value]
        return self.known.here_by_id.get(value, value) if isinstance(value, str) else value

    def lacking(self, wanted: object) -> str:
        """What it refers to that is not here; empty: nothing is known to lack."""
        if not self.known.absent:
            return ""
        if isinstance(wanted, Mapping):
            return next(filter(None, map(self.lacking, wanted.values())), "")
        if isinstance(wanted, list):
            return next(filter(None, map(self.lacking, wanted)), "")
        if isinstance(wanted, str) and wanted in self.known.absent:
            return f"it needs {self.known.absent[wanted]}, which is not here"
        return ""

    def _miss(self, subject: Subject, item: Item, why: str) -> None:
        name = item.get("name") or item.get("id")
        if "id" in item:
            self.known.absent[item["id"]] = f"{subject.kind.key.replace('_', ' ')} {name}"
        self.ledger.miss(subject.title, item, why)

    def _make(self, subject: Subject, new: Sequence[New]) -> None:
        """Make all that can be made."""
        made = [subject.first(each.item, subject.body(each.wanted)) for each in new]
        if self.how.check:
            for each, one in zip(new, made, strict=True):
                self._check(subject, each, one)
            return
        try:
            done = self._create(subject, made)
        except Refused as refused:
            if refused.status in _FORBIDDEN:
                raise
            if len(new) > 1:
                self._make(subject, new[: len(new) // 2])
                self._make(subject, new[len(new) // 2 :])
            else:
                self._refused(subject, new[0], refused)
            return
        tally = self.ledger.tally(subject.title)
        tally.made += len(new)
        self._watch(tally)
        for each, here in zip(new, done, strict=True):
            self._finish(subject, each, here)

    def _create(self, subject: Subject, made: Sequence[Item]) -> list[Item]:
        try:
            return self.target.create(subject.kind, made)
        except Refused as refused:
            if refused.kind != "OverQuota" or self._quota is None:
                raise
        for project in {str(each.get("project_id") or "") for each in made} - self.known.lifted:
            self.target.update(self._quota, project, dict.fromkeys(limits_of(self._quota), -1))
            self.known.lifted.add(project)
        return self.target.create(subject.kind, made)

    def _check(self, subject: Subject, each: New, body: Item) -> None:
        """Whether the body is of the form that is taken here."""
        content = msgspec.json.encode({subject.kind.key: body})
        try:
            bodies.created(subject.kind, content, 1)
        except Refusal as refusal:
            self._miss(subject, each.item, refusal.message)
            return
        self.ledger.tally(subject.title).made += 1
        self._note_lost(subject, each.item)

    def _refused(self, subject: Subject, each: New, refused: Refused) -> None:
        hooks = self._hooks.get(subject.title, Hooks())
        if hooks.refused is not None and hooks.refused(subject, each, refused):
            return
        instead = hooks.instead(each, refused) if hooks.instead is not None else None
        if instead is None:
            self._miss(subject, each.item, said_of(refused))
        else:
            self._make(subject, [New(each.item, instead)])

    def _finish(self, subject: Subject, each: New, here: Item) -> None:
        """What is said of an item after it is there."""
        hooks = self._hooks.get(subject.title, Hooks())
        try:
            if hooks.made is not None:
                hooks.made(each, here)
            if later := subject.later(each.wanted) | subject.unasked(each.wanted, here):
                later.pop("tags", None)
                if later:
                    self.target.update(subject.kind, each.wanted["id"], later)
            tags = each.wanted.get("tags")
            if tags and not subject.kind.field_by_name["tags"].post:
                self.target.tag(subject.kind, each.wanted["id"], tags)
        except Refused as refused:
            self.ledger.differ(subject.title, each.item, said_of(refused))
        self._note_lost(subject, each.item)

    def _note_lost(self, subject: Subject, item: Item) -> None:
        if lost := subject.beyond(item):
            self.ledger.note(subject.title, item, ", ".join(lost))

    def compare(self, subject: Subject, item: Item, wanted: Item, here: Item) -> None:
        """Count one that is here by how it is, and make it as it is at the source if wanted."""
        wanted.pop("id", None)
        changes = differences(wanted, here)
        hooks = self._hooks.get(subject.title, Hooks())
        more = hooks.differs(item, wanted, here) if hooks.differs is not None else None
        if more is not None:
            for name in more.instead_of:
                changes.pop(name, None)
        tally = self.ledger.tally(subject.title)
        if not changes and (more is None or not more.said):
            tally.same += 1
            return
        said = "; ".join(filter(None, (told(changes, here), more.said if more else "")))
        if not self.how.update:
            self.ledger.differ(subject.title, item, said)
            return
        if self.how.check:
            tally.changed += 1
            return
        try:
            if more is not None and more.said:
                more.mend()
            self._change(subject, here["id"], changes)
        except Refused as refused:
            self.ledger.differ(subject.title, item, f"{said}: {said_of(refused)}")
            return
        if fixed := [name for name in changes if not _changes(subject, name)]:
            self.ledger.differ(subject.title, item, f"{said}: {', '.join(fixed)} can't change")
            return
        tally.changed += 1

    def _change(self, subject: Subject, id_: str, changes: Item) -> None:
        if "tags" in changes:
            self.target.tag(subject.kind, id_, changes["tags"] or [])
        if fields := {n: v for n, v in changes.items() if n != "tags" and _changes(subject, n)}:
            self.target.update(subject.kind, id_, fields)


class Difference(NamedTuple):
    """How an item is otherwise, beyond its fields, and what makes it alike.

    `instead_of` are fields that it speaks of.
    """

    said: str
    mend: Callable[[], None]
    instead_of: Sequence[str] = ()


class Hooks(NamedTuple):
    """What is particular in bringing a kind."""

    shaped: Callable[[Item, Item], None] | None = None  # changes what is wanted, by what is here
    here: Callable[[Item, Item], Item | None] | None = None  # the same, under another id
    made: Callable[[New, Item], None] | None = None  # an item has been made, and is so here
    # Whether it is here all the same, though refused.
    refused: Callable[[Subject, New, Refused], bool] | None = None
    instead: Callable[[New, Refused], Item | None] | None = None  # what else is wanted then
    differs: Callable[[Item, Item, Item], Difference | None] | None = None


def limits_of(quota: Resource) -> list[str]:
    """The kinds that a project has limits of."""
    return [each.name for each in quota.fields if each.put and each.name not in _NO_LIMITS]


def _changes(subject: Subject, name: str) -> bool:
    return name == "tags" or subject.kind.field_by_name[name].put


def said_of(refused: Refused) -> str:
    return f"{refused.kind} ({refused.status}): {refused.message}"
