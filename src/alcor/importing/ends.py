"""The two ends of an import: a source that is only read, and a target.

A request is sent again while an end that has answered before is away or busy, and once more with a
new token when the old one is no good any longer: an import may outlive its token.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from alcor.client.api import Item
from alcor.client.connection import Connection, Refused, Unreachable
from alcor.resource.declaration import Resource

tries_max = 5
pause_first_s = 1.0  # doubled with each try
answer_s_max = 300.0  # a page of a source that is slow
source_ids_max, target_ids_max = 50, 150  # in one query: some servers take no longer ones
page_items = 1_000

T = TypeVar("T")
Query = Sequence[tuple[str, str]]
_BUSY = (429, 502, 503, 504)


def chunks(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """The items in order, at most so many at a time."""
    for first in range(0, len(items), most):
        yield items[first : first + most]


def under(kind: Resource, parent_id: str) -> str:
    """The path of what lives under a parent; Neutron has it under underscores alone."""
    head, tail = kind.place
    return f"{head.replace('/local-ips', '/local_ips')}/{parent_id}/{tail}"


class NotOffered(Exception):
    """The end has no such collection."""


class Source:
    """The end that things are read from: whatever is asked, is asked by GET."""

    _ids_max = source_ids_max

    def __init__(self, sign_in: Callable[[], Connection], pause: Callable[[float], None]) -> None:
        self._sign_in = sign_in
        self._pause = pause
        self._connection = sign_in()
        self._answered = False

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def offers(self, kind: Resource) -> bool:
        """Whether the end has such a collection."""
        try:
            self._listed(kind.path, [("limit", "1")])
        except NotOffered:
            return False
        return True

    def pages(self, kind: Resource, query: Query = ()) -> Iterator[list[Item]]:
        """All that match, page by page; `NotOffered`."""
        limited = [*query, ("limit", str(page_items))]
        return self._pages(kind.path, kind.collection, limited)

    def all(self, kind: Resource, query: Query = ()) -> list[Item]:
        """All that match, where they are few; `NotOffered`."""
        return [each for page in self._pages(kind.path, kind.collection, query) for each in page]

    def by_ids(self, kind: Resource, ids: Iterable[str]) -> dict[str, Item]:
        """Those of these ids that there are."""
        found: dict[str, Item] = {}
        for some in chunks(list(ids), self._ids_max):
            query = [("id", id_) for id_ in some]
            found |= {item["id"]: item for item in self.all(kind, query)}
        return found

    def under(self, kind: Resource, parent_id: str) -> list[Item]:
        """What lives under a parent; nothing where there is no such parent."""
        try:
            pages = self._pages(under(kind, parent_id), kind.collection, ())
            return [each for page in pages for each in page]
        except NotOffered:
            return []

    def listed(self, path: str, collection: str) -> list[Item]:
        """What a path lists that no kind here has; `NotOffered`."""
        items: list[Item] = self._listed(path, ()).get(collection, [])
        return items

    def _pages(self, path: str, collection: str, query: Query) -> Iterator[list[Item]]:
        """Page by page: an end may have a limit of its own, and a link says that there is more."""
        after: Query = ()
        while True:
            body = self._listed(path, [*query, *after])
            items: list[Item] = body[collection]
            if items:
                yield items
            links = body.get(f"{collection}_links", ())
            if not items or not any(link["rel"] == "next" for link in links):
                return
            after = [("marker", str(items[-1]["id"]))]

    def _listed(self, path: str, query: Query) -> dict[str, Any]:
        try:
            body: dict[str, Any] = self._ask("GET", path, query)
        except Refused as refused:
            if refused.status == 404:
                raise NotOffered(path) from None
            raise
        return body

    def _ask(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        renewed, tried = False, 0
        while True:
            try:
                answer = self._connection.request(
                    method, path, query=query, body=body, headers=headers, timeout_s=answer_s_max
                )
            except Unreachable:
                if tried + 1 == tries_max or not self._answered:
                    raise
            except Refused as refused:
                self._answered = True
                if refused.status == 401 and not renewed:
                    self._connection.close()
                    renewed, self._connection = True, self._sign_in()
                    continue
                if tried + 1 == tries_max or refused.status not in _BUSY:
                    raise
            else:
                self._answered = True
                return answer.body
            self._pause(pause_first_s * 2**tried)
            tried += 1


class Target(Source):
    """The end where things are made."""

    _ids_max = target_ids_max

    def create(self, kind: Resource, items: Sequence[Item], path: str = "") -> list[Item]:
        """Make all of these, or none; what was made by an answer that got lost is no error."""
        body = {kind.collection: items} if len(items) > 1 else {kind.key: items[0]}
        key = {"Idempotency-Key": items[0]["id"]} if kind.takes_ids and "id" in items[0] else {}
        made = self._ask("POST", path or kind.path, body=body, headers=key)
        return [made[kind.key]] if len(items) == 1 else list(made[kind.collection])

    def update(self, kind: Resource, id_: str, changes: Item, parent_id: str = "") -> None:
        """Change fields of one."""
        path = under(kind, parent_id) if parent_id else kind.path
        self._ask("PUT", f"{path}/{id_}", body={kind.key: changes})

    def act(self, kind: Resource, id_: str, verb: str, body: Item) -> None:
        """Do one of a resource's own actions."""
        self._ask("PUT", f"{kind.path}/{id_}/{verb}", body=body)

    def tag(self, kind: Resource, id_: str, tags: Sequence[str]) -> None:
        """Give one these tags and no others."""
        self._ask("PUT", f"{kind.tags_path or kind.path}/{id_}/tags", body={"tags": list(tags)})

    def delete(self, kind: Resource, id_: str, parent_id: str = "") -> None:
        """Delete one, if it is there."""
        path = under(kind, parent_id) if parent_id else kind.path
        try:
            self._ask("DELETE", f"{path}/{id_}")
        except Refused as refused:
            if refused.status != 404:
                raise
