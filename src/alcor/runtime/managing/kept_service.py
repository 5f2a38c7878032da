"""The four verbs of a kind that is kept whole: a manager's own service says what is special."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Raw

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.kept import Kept, KeptStore, KeptTransaction, Thing
from alcor.runtime.managing.writes import Makers, seen_by

T = TypeVar("T", bound=Thing)


class KeptService(Generic[T]):
    """Keeps the contract ResourceManager. Every check is made in the transaction that saves."""

    def __init__(self, store: KeptStore, kind: Kept[T], makers: Makers) -> None:
        self._store = store
        self._kind = kind
        self._makers = makers

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> T:
        """The thing that a checked body asks for."""
        raise AssertionError("the kind is not created")

    def changed(self, old: T, changes: Mapping[str, Any], now: str) -> T:
        """The thing after a checked PUT; the very same value when nothing is different."""
        raise AssertionError("the kind is not changed")

    def check_new(self, tx: KeptTransaction, things: Sequence[T], caller: Caller) -> None:
        """Refuse things that can't be, beside what is there; they are not there yet."""

    def check_changed(self, tx: KeptTransaction, old: T, new: T) -> None:
        """Refuse what a thing can't become."""

    def check_gone(self, tx: KeptTransaction, held: T) -> None:
        """Refuse to lose what is needed; or remove what goes with it."""

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query = seen_by(request.caller), request.query

        def work(tx: KeptTransaction) -> list[Raw]:
            return list(self.documents(tx, tx.page(self._kind, query, project)))

        return ListReply(await self._store.read(work))

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        now = self._makers.now()
        things = [self.new(v, v.get("id") or self._makers.new_id(), now) for v in request.items]

        def work(tx: KeptTransaction) -> Written:
            self.check_new(tx, things, request.caller)
            return tx.written(self.documents(tx, tx.insert(self._kind, things)))

        return await self._store.write(work, request.caller.request_id)

    def documents(self, tx: KeptTransaction, documents: Sequence[Raw]) -> Sequence[Raw]:
        """What clients are shown of documents: as they are kept, unless something is computed."""
        return documents

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: KeptTransaction) -> Written:
            old = tx.get(self._kind, request.id, seen_by(request.caller))
            check_revision(request.if_revision, getattr(old, "revision_number", -1))
            new = self.changed(old, request.changes, now)
            self.check_changed(tx, old, new)
            return tx.written(self.documents(tx, [tx.save(self._kind, new)]))

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: KeptTransaction) -> Written:
            held = tx.get(self._kind, request.id, seen_by(request.caller))
            self.check_gone(tx, held)
            tx.remove(self._kind, [held.id])
            return tx.written([])

        return await self._store.write(work, request.caller.request_id)
