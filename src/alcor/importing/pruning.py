"""Delete what is only here: what was deleted at the source since it was brought.

Only what belongs to projects that the source knows is looked at. Users of things go before them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.bringing import Bringing, said_of
from alcor.importing.ends import NotOffered
from alcor.importing.subject import Subject
from alcor.importing.subjects import ROUTER_INTERFACE, SUB_PORT
from alcor.resource.declaration import Resource

_BY_THEMSELVES = ("default groups", "security group rules")  # compared with their groups
_HELD = (ROUTER_INTERFACE, "network:router_gateway", "network:floatingip", "network:local_ip")

Kinds = Mapping[str, Resource]


class Going(NamedTuple):
    """Something that is to go."""

    title: str
    item: Item
    do: Callable[[], None]


def prune(bringing: Bringing, subjects: Sequence[Subject], kinds: Kinds) -> list[Going]:
    """Delete what the source has no more, in the order in which it can go.

    What is still used is returned: it can go when the rest is as at the source.
    """
    projects = _projects(bringing, subjects)
    ports = next(each for each in subjects if each.title == "ports")
    left: list[Going] = []
    done: set[str] = set()
    for subject in reversed(subjects):
        if subject.kind.path in done or subject.title in _BY_THEMSELVES:
            continue
        done.add(subject.kind.path)
        if "project_id" not in subject.kind.field_by_name:
            continue
        if subject.title == "routers":
            left += _gone_now(bringing, _interfaces(bringing, ports, kinds["router"], projects))
        going = [
            Going(subject.title, item, partial(_delete, bringing, subject.kind, item, kinds))
            for item in _gone(bringing, subject, projects)
            if subject.title != "ports" or item["device_owner"] not in _HELD
        ]
        left += _gone_now(bringing, going)
    return left


def prune_rest(bringing: Bringing, left: Sequence[Going]) -> None:
    """Delete what could not go before; what still can't is told."""
    _gone_now(bringing, left, last=True)


def _gone_now(bringing: Bringing, going: Sequence[Going], *, last: bool = False) -> list[Going]:
    left: list[Going] = []
    for each in going:
        try:
            if not bringing.how.check:
                each.do()
        except Refused as refused:
            left.append(each)
            if last:
                bringing.ledger.differ(each.title, each.item, f"only here: {said_of(refused)}")
        else:
            bringing.ledger.tally(each.title).removed += 1
    return left


def _delete(bringing: Bringing, kind: Resource, item: Item, kinds: Kinds) -> None:
    if (seat := item.get("trunk_subport")) and item["device_owner"] == SUB_PORT:
        leaving = {"sub_ports": [{"port_id": item["id"]}]}
        bringing.target.act(kinds["trunk"], seat["trunk_id"], "remove_subports", leaving)
    bringing.target.delete(kind, item["id"])


def _projects(bringing: Bringing, subjects: Sequence[Subject]) -> set[str]:
    """Whoever has a group or a network at the source; every project that has a port has one."""
    if bringing.how.projects:
        return set(bringing.how.projects)
    titles = ("security groups", "networks", "routers", "floating IPs")
    found: set[str] = set()
    for subject in [each for each in subjects if each.title in titles]:
        try:
            for page in bringing.source.pages(
                subject.kind, [("fields", "id"), ("fields", "project_id")]
            ):
                found.update(str(each["project_id"]) for each in page if each["project_id"])
        except NotOffered:
            continue
    return found


def _gone(bringing: Bringing, subject: Subject, projects: set[str]) -> list[Item]:
    """All of them first: pages go on from the last item, which must still be there."""
    gone: list[Item] = []
    for page in bringing.target.pages(subject.kind, subject.only):
        ours = [each for each in page if each["project_id"] in projects]
        if subject.title == "security groups":
            ours = [each for each in ours if each["name"] != "default"]
        if subject.title == "segment ranges":
            ours = [each for each in ours if not each["default"]]
        try:
            there = bringing.source.by_ids(subject.kind, [each["id"] for each in ours])
        except NotOffered:
            return []
        gone += [each for each in ours if each["id"] not in there]
    return gone


def _interfaces(
    bringing: Bringing, ports: Subject, router: Resource, projects: set[str]
) -> list[Going]:
    """Those whose ports are gone at the source; their ports go with them."""
    only = (("device_owner", ROUTER_INTERFACE),)
    interfaces = Subject(title=ports.title, kind=ports.kind, only=only)

    def detach(port: Item) -> None:
        body = {"port_id": port["id"]}
        bringing.target.act(router, port["device_id"], "remove_router_interface", body)

    gone = _gone(bringing, interfaces, projects)
    return [Going("router interfaces", port, partial(detach, port)) for port in gone]
