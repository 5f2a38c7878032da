"""HTTP and SQL alone: the bare echo, which also writes the rows of a create before it answers.

What comes while one transaction is being written is written by the next one, as the control plane
does it; nothing is read, checked, chosen or told. `python -m bench.api.inserting_echo PORT DATABASE
ROWS ANSWER`: the rows of a file are taken in order, one of each table a request; the answer is
another file's content.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from bench.api import bare_insert, echo
from bench.api.echo import Message, Receive, Send


class Table(msgspec.Struct, frozen=True):
    """What is inserted into one table: a statement, and the values of each request in order."""

    insert: str
    values: list[list[Any]]


def write_rows(file: Path, tables: Sequence[bare_insert.Rows]) -> None:
    """Put rows where `main` finds them."""
    told = [Table(table.insert, [list(row) for row in table.values]) for table in tables]
    file.write_bytes(msgspec.msgpack.encode(told))


class InsertingEcho:
    """The application."""

    def __init__(self, database: Path, tables: Sequence[Table], answer: bytes) -> None:
        self._database = database
        self._tables = tables
        self._answer = answer
        self._taken = 0  # requests whose rows were written, or are being written
        self._waiting: list[asyncio.Future[None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1)
        self._connection: sqlite3.Connection | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request when its rows are on the disk; a GET at once."""
        if scope["type"] != "http":
            return
        await echo.body_of(receive)
        if scope["method"] == "POST":
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(written)
            if self._writing is None:
                self._writing = asyncio.create_task(self._write_all())
            await written
        await echo.answer(send, scope["method"], self._answer)

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            await loop.run_in_executor(self._thread, self._write, self._taken, len(waiting))
            self._taken += len(waiting)
            for written in waiting:
                written.set_result(None)
        self._writing = None

    def _write(self, first: int, count: int) -> None:
        if self._connection is None:
            self._connection = bare_insert.opened(self._database)
        self._connection.execute("BEGIN IMMEDIATE")
        for table in self._tables:
            self._connection.executemany(table.insert, table.values[first : first + count])
        self._connection.execute("COMMIT")


def main(port: str, database: str, rows: str, answer: str) -> None:
    """Serve on this port of 127.0.0.1 until told to end."""
    tables = msgspec.msgpack.decode(Path(rows).read_bytes(), type=list[Table])
    application = InsertingEcho(Path(database), tables, Path(answer).read_bytes())
    uvicorn.run(application, host="127.0.0.1", port=int(port), **echo.SERVER)


if __name__ == "__main__":
    main(*sys.argv[1:])
