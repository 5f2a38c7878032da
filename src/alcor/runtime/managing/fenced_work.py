"""What a manager does with a resource only while nobody uses it: a deletion, a change of meaning.

The work is noted in the resource's row, those who may use the resource are fenced, the work is
done, and fences and note go. Whatever fails in between leaves the resource as it was, unfenced; and
what a crash cuts short is ended by `recover`: deletions are finished, changes are taken back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

from alcor.contracts.resources import Written
from alcor.intent.store import Store
from alcor.runtime.managing.unfinished import Unfinished
from alcor.values.errors import Refusal

DELETE, CHANGE = "delete", "change"  # what may be noted


class Users(Protocol):
    """All those whose resources may use what is fenced."""

    async def fence(self, id_: str) -> bool:
        """Whether nobody uses it, nor begins to from now on; otherwise call `lift`."""
        ...

    async def lift(self, ids: Sequence[str]) -> None:
        """These may be used again."""
        ...


class Notes(Protocol):
    """As much of a transaction as is needed here."""

    def work_on(self, id_: str) -> str:
        """What was begun with a resource and is not finished; empty: nothing."""
        ...

    def set_work(self, id_: str, work: str) -> None: ...

    def works(self) -> list[tuple[str, str]]:
        """Every resource with which something was begun, and what."""
        ...


class Refusing(Protocol):
    """Makes the refusal of work on a resource: it is in use, or what the reason says."""

    def __call__(self, id_: str, reason: str = ..., /) -> Refusal: ...


Transaction = TypeVar("Transaction", bound=Notes)


class FencedWork(Generic[Transaction]):
    """Works on one resource at a time; `remove` ends a deletion within a transaction."""

    def __init__(
        self,
        store: Store[Transaction],
        users: Users,
        remove: Callable[[Transaction, str], Written],
        in_use: Refusing,
    ) -> None:
        self._store = store
        self._users = users
        self._remove = remove
        self._in_use = in_use
        self._unfinished = Unfinished()

    async def delete(self, id_: str, check: Callable[[Transaction], object], trace: str) -> Written:
        """Refused by `check`, which sees the transaction that notes it, or if it is in use."""
        async with self._unfinished.begun(id_):
            await self._begin(id_, check, DELETE)
            if not await self._fenced(id_):
                raise self._in_use(id_)
            return await self._store.write(lambda tx: self._remove(tx, id_), trace)

    @asynccontextmanager
    async def changing(
        self, id_: str, check: Callable[[Transaction], object], in_use: Refusal
    ) -> AsyncIterator[None]:
        """Within it nobody uses the resource. Refused by `check`, or by `in_use`."""
        async with self._unfinished.begun(id_):
            await self._begin(id_, check, CHANGE)
            if not await self._fenced(id_):
                raise in_use
            try:
                yield
            finally:
                await self._take_back(id_)

    async def recover(self) -> None:
        """End what was cut short: what is in use stays."""
        for id_, _ in await self._store.read(lambda tx: tx.works()):
            async with self._unfinished.begun(id_):
                await self._end(id_)

    async def run(self, recover: Callable[[], Awaitable[None]]) -> None:
        """Call `recover`, the manager's, after every failure, for ever."""
        await self._unfinished.run(recover)

    async def _end(self, id_: str) -> None:
        work = await self._store.read(lambda tx: tx.work_on(id_))
        if work == DELETE:
            if await self._fenced(id_):
                await self._store.write(lambda tx: self._remove(tx, id_))
        elif work:
            await self._take_back(id_)

    async def _begin(self, id_: str, check: Callable[[Transaction], object], work: str) -> None:
        def begin(tx: Transaction) -> None:
            check(tx)
            if tx.work_on(id_):
                raise self._in_use(id_, "is being changed or deleted already")
            tx.set_work(id_, work)

        await self._store.write(begin)

    async def _fenced(self, id_: str) -> bool:
        """Whether nobody uses it from now on; if somebody does it is as if nothing was begun."""
        fenced = False
        try:
            fenced = await self._users.fence(id_)
        finally:
            if not fenced:
                await self._take_back(id_)
        return fenced

    async def _take_back(self, id_: str) -> None:
        await self._users.lift([id_])
        await self._store.write(lambda tx: tx.set_work(id_, ""))
