"""What a transaction will tell the intent log, under sequences taken as it goes."""

import sqlite3
from collections.abc import Sequence

from alcor.intent import outbox
from alcor.intent.outbox import Told


class Telling:
    """The outbox of one transaction; everything told bears the trace of its request."""

    def __init__(self, connection: sqlite3.Connection, trace: str) -> None:
        self._connection = connection
        self._trace = trace

    def tell(self, told: Sequence[Told]) -> int:
        """Tell these in order; return the sequence of the first."""
        first = outbox.take(self._connection, len(told))
        outbox.tell(self._connection, first, told, self._trace)
        return first

    def sequence(self) -> int:
        """Of the last change saved."""
        return outbox.last(self._connection)
