"""Work done only while nobody uses a resource leaves no fence and no note, however it ends."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from alcor.contracts.resources import Written
from alcor.runtime.managing.fenced_work import CHANGE, DELETE, FencedWork
from alcor.values.errors import Conflict, NotFound, Unavailable

T = TypeVar("T")


class Rows:
    """A store of ids with what was begun with each, and its transactions."""

    def __init__(self, **works: str) -> None:
        self.by_id = works

    async def read(self, work: Callable[["Rows"], T]) -> T:
        return work(self)

    async def write(self, work: Callable[["Rows"], T], trace: str = "") -> T:
        before = dict(self.by_id)
        try:
            return work(self)
        except BaseException:
            self.by_id = before
            raise

    def see(self, id_: str) -> None:
        if id_ not in self.by_id:
            raise NotFound(f"There is no {id_}.")

    def remove(self, id_: str) -> Written:
        del self.by_id[id_]
        return Written([], "row:1")

    def work_on(self, id_: str) -> str:
        return self.by_id.get(id_, "")

    def set_work(self, id_: str, work: str) -> None:
        if id_ in self.by_id:
            self.by_id[id_] = work

    def works(self) -> list[tuple[str, str]]:
        return [(id_, work) for id_, work in self.by_id.items() if work]


class Users:
    """Who uses ids, and from what they are kept."""

    def __init__(self, *used: str) -> None:
        self.used = set(used)
        self.fenced: set[str] = set()
        self.are_away = False

    async def fence(self, id_: str) -> bool:
        self.fenced.add(id_)
        if self.are_away:
            raise Unavailable("They are away.")
        return id_ not in self.used

    async def lift(self, ids: Sequence[str]) -> None:
        self.fenced -= set(ids)


def in_use(id_: str, reason: str = "in use") -> Conflict:
    return Conflict(f"{id_} {reason}.")


def work_of(rows: Rows, users: Users) -> FencedWork[Rows]:
    return FencedWork(rows, users, Rows.remove, in_use)


def delete(rows: Rows, users: Users, id_: str) -> None:
    asyncio.run(work_of(rows, users).delete(id_, lambda tx: tx.see(id_), ""))


def change(rows: Rows, users: Users, work: Callable[[], None]) -> None:
    """Change `a` by `work`."""

    async def run() -> None:
        refusal = in_use("a", "can't change")
        async with work_of(rows, users).changing("a", lambda tx: tx.see("a"), refusal):
            work()

    asyncio.run(run())


def test_what_nobody_uses_is_deleted() -> None:
    rows, users = Rows(a="", b=""), Users("b")

    delete(rows, users, "a")

    assert rows.by_id == {"b": ""}
    assert users.fenced == {"a"}  # what comes late still gets none


def test_what_is_used_stays_without_fence_and_note() -> None:
    rows, users = Rows(a=""), Users("a")

    with pytest.raises(Conflict, match="in use"):
        delete(rows, users, "a")

    assert (rows.by_id, users.fenced) == ({"a": ""}, set())


def test_what_is_not_there_is_neither_noted_nor_fenced() -> None:
    rows, users = Rows(), Users()

    with pytest.raises(NotFound):
        delete(rows, users, "a")

    assert users.fenced == set()


def test_users_that_are_away_keep_no_fence() -> None:
    rows, users = Rows(a=""), Users()
    users.are_away = True

    with pytest.raises(Unavailable):
        delete(rows, users, "a")

    assert (rows.by_id, users.fenced) == ({"a": ""}, set())


def test_a_change_is_fenced_and_noted_only_while_it_is_made() -> None:
    rows, users = Rows(a=""), Users()

    during: list[object] = []

    change(rows, users, lambda: during.extend((dict(rows.by_id), set(users.fenced))))

    assert during == [{"a": CHANGE}, {"a"}]
    assert (rows.by_id, users.fenced) == ({"a": ""}, set())


def test_a_change_that_fails_is_taken_back() -> None:
    rows, users = Rows(a=""), Users()

    def work() -> None:
        raise NotFound("What it needs has gone.")

    with pytest.raises(NotFound):
        change(rows, users, work)

    assert (rows.by_id, users.fenced) == ({"a": ""}, set())


def test_what_is_used_is_not_changed() -> None:
    rows, users = Rows(a=""), Users("a")

    with pytest.raises(Conflict, match="can't change"):
        change(rows, users, lambda: pytest.fail("it was changed"))

    assert (rows.by_id, users.fenced) == ({"a": ""}, set())


def test_what_was_begun_by_another_is_refused_and_left_to_it() -> None:
    rows, users = Rows(a=DELETE), Users()

    with pytest.raises(Conflict, match="already"):
        delete(rows, users, "a")

    assert rows.by_id == {"a": DELETE}


def test_what_a_crash_cut_short_is_ended() -> None:
    rows, users = Rows(gone=DELETE, kept=DELETE, changed="stateful", other=""), Users("kept")
    users.fenced = {"gone", "kept", "changed"}

    asyncio.run(work_of(rows, users).recover())

    assert rows.by_id == {"kept": "", "changed": "", "other": ""}
    assert users.fenced == {"gone"}
