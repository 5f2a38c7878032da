"""Writes that wait together share one transaction, and one wait for the disk.

Each is done within a savepoint: one that raises is undone and hurts no other. What is answered was
committed. If the transaction as a whole is lost (a full disk, say), each is done again by itself.
"""

import sqlite3
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Work = Callable[[sqlite3.Connection], Any]

together_max = 32  # writes in one transaction: whoever comes next waits for all of them


class Outcome(NamedTuple):
    """What became of a write: it was committed, or it raised and changed nothing."""

    result: Any = None
    error: BaseException | None = None


class Waiting:
    """A write that was asked for."""

    __slots__ = ("dropped", "outcome", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.outcome: Outcome | None = None
        self.dropped = False  # nobody waits any more: it is not begun


class GroupCommit:
    """The writes that wait for one connection. Whoever asks adds; the thread of the connection
    calls `settle` for each in the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()

    def add(self, work: Work) -> Waiting:
        """Let it wait; from any thread."""
        waiting = Waiting(work)
        self._waiting.append(waiting)
        return waiting

    def settle(self, connection: sqlite3.Connection, waiting: Waiting) -> bool:
        """Have it done, if that was not done with one before it, and with it those that wait;
        whether there was anything to do."""
        if waiting.outcome is not None:
            return False
        while waiting.outcome is None:
            _do(connection, self._some())
        return True

    def _some(self) -> list[Waiting]:
        some: list[Waiting] = []
        while self._waiting and len(some) < together_max:
            waiting = self._waiting.popleft()
            if waiting.dropped:  # the thread may have come to it before that
                waiting.outcome = Outcome(error=CancelledError())
            else:
                some.append(waiting)
        return some


def _do(connection: sqlite3.Connection, some: Sequence[Waiting]) -> None:
    if len(some) > 1:
        outcomes = _together(connection, some)
        if outcomes is not None:
            for waiting, outcome in zip(some, outcomes, strict=True):
                waiting.outcome = outcome
            return
    for waiting in some:
        waiting.outcome = _alone(connection, waiting.work)


def _together(connection: sqlite3.Connection, some: Sequence[Waiting]) -> list[Outcome] | None:
    """All of them in one transaction; None when that is lost, and nothing was written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_within_savepoint(connection, waiting.work) for waiting in some]
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return None
    return outcomes


def _within_savepoint(connection: sqlite3.Connection, work: Work) -> Outcome:
    """`sqlite3.Error` when the whole transaction is gone, with the savepoint."""
    connection.execute("SAVEPOINT one")
    try:
        outcome = Outcome(work(connection))
    except BaseException as error:  # whoever asked gets it
        connection.execute("ROLLBACK TO one")
        outcome = Outcome(error=error)
    connection.execute("RELEASE one")
    return outcome


def _alone(connection: sqlite3.Connection, work: Work) -> Outcome:
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException as error:  # whoever asked gets it
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return Outcome(error=error)
    return Outcome(result)
