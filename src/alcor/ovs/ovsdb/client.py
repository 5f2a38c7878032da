"""A session with ovsdb-server: transact, monitor with a copy of rows in memory, lock.

    db = await Ovsdb.connect(run_dir / "db.sock")
    await db.lock("my-agent")
    await db.monitor({"Interface": ("name", "ofport")})
    await db.transact([...])

`Disconnected` from any call means: connect and monitor again. Source: RFC 7047 section 4.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, cast

import msgspec

from alcor.ovs.ovsdb.framing import JsonFrames, Malformed

answer_wait_s_max = 10.0
_MONITOR = "monitor"  # the id of the one monitor of a session

Row = dict[str, Any]
Rows = dict[str, dict[str, Row]]  # table -> row's UUID -> column -> value, as on the wire


class Disconnected(ConnectionError):
    """The database is not there any more; what was asked may or may not have been done."""


class Refused(Exception):
    """The database refused: the whole transaction was undone."""


class Ovsdb(asyncio.Protocol):
    """One connection. `rows` follows the database once `monitor` was called."""

    def __init__(self, timeout_s: float, database: str) -> None:
        self.rows: Rows = {}
        self._timeout_s, self._database = timeout_s, database
        self._frames = JsonFrames()
        self._last_id = 0
        self._pending: dict[int, tuple[asyncio.Future[Any], Callable[[Any], None] | None]] = {}
        self._transport: asyncio.Transport | None = None
        self._changed = asyncio.Event()
        self._locks: set[str] = set()
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(
        cls,
        path: str | os.PathLike[str],
        timeout_s: float = answer_wait_s_max,
        database: str = "Open_vSwitch",
    ) -> Self:
        """Connect to the server's socket; `OSError` when nobody listens."""
        loop = asyncio.get_running_loop()
        _, session = await loop.create_unix_connection(
            lambda: cls(timeout_s, database), os.fspath(path)
        )
        return session

    def close(self, reason: str = "closed by us") -> None:
        """Close; pending calls raise `Disconnected`, and locks are given up."""
        if self._closed.done():
            return
        self._closed.set_result(reason)
        self._changed.set()
        for future, _ in tuple(self._pending.values()):
            if not future.done():
                future.set_exception(Disconnected(reason))
                future.exception()  # perhaps nobody waits any more: that is no fault
        if self._transport is not None:
            self._transport.abort()

    async def closed(self) -> str:
        """Wait until the session is over; returns why."""
        return await asyncio.shield(self._closed)

    async def transact(self, operations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Do all of it or nothing; the results, one for each operation. `Refused` otherwise."""
        results = await self._call("transact", [self._database, *operations])
        # The error of the commit itself stands behind the last operation's result.
        for result in results:
            if isinstance(result, dict) and result.get("error"):
                raise Refused(f"{result['error']}: {result.get('details', '')}")
        return cast(list[dict[str, Any]], results)

    async def monitor(self, columns: Mapping[str, Sequence[str]]) -> Rows:
        """Follow these columns of these tables, once a session; returns `rows`, now filled."""
        wanted = {table: {"columns": list(names)} for table, names in columns.items()}
        await self._call("monitor", [self._database, _MONITOR, wanted], self._take_updates)
        return self.rows

    async def change(self) -> None:
        """Wait until a row or a lock has changed since this was called last."""
        await self._changed.wait()
        self._changed.clear()
        if self._closed.done():
            raise Disconnected(self._closed.result())

    def look_again(self) -> None:
        """Have `change` return though nothing has: what is wanted of the database has changed."""
        self._changed.set()

    async def lock(self, name: str) -> bool:
        """Ask for a lock, to be had as long as the session lives; whether it is ours already.

        Otherwise it becomes ours when whoever has it goes: `change` then returns.
        """
        said = await self._call("lock", [name])
        if said.get("locked"):
            self._locks.add(name)
        return name in self._locks

    def holds(self, name: str) -> bool:
        """Whether a lock is ours."""
        return name in self._locks and not self._closed.done()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Handle what is complete."""
        try:
            for message in self._frames.feed(data):
                self._take(message)
        except (Malformed, LookupError, TypeError, ValueError, AttributeError) as error:
            self.close(f"malformed: {error!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        """The server went."""
        self.close(str(exc) if exc else "the database closed the connection")

    # How

    async def _call(
        self, method: str, params: list[Any], take: Callable[[Any], None] | None = None
    ) -> Any:
        """Ask, and wait for the result; `take` gets it at once, before what follows it."""
        if self._closed.done():
            raise Disconnected(self._closed.result())
        self._last_id += 1
        number = self._last_id
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = (future, take)
        self._send({"method": method, "params": params, "id": number})
        try:
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            self.close(f"no answer to {method} within {self._timeout_s} s")
            raise Disconnected(self._closed.result()) from None
        finally:
            self._pending.pop(number, None)

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._transport is not None:
            self._transport.write(msgspec.json.encode(message))

    def _take(self, message: Mapping[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            self._take_answer(message)
        elif method == "echo":
            self._send({"result": message["params"], "error": None, "id": message["id"]})
        elif method == "update":
            self._take_updates(message["params"][1])
        elif method in ("locked", "stolen"):
            change = self._locks.add if method == "locked" else self._locks.discard
            change(str(message["params"][0]))
            self._changed.set()

    def _take_answer(self, message: Mapping[str, Any]) -> None:
        future, take = self._pending.get(message["id"], (None, None))
        if future is None or future.done():
            return  # its caller has given up
        if message.get("error"):
            future.set_exception(Refused(str(message["error"])))
            return
        if take is not None:
            take(message["result"])
        future.set_result(message["result"])

    def _take_updates(self, updates: Mapping[str, Any]) -> None:
        """Rows as they were and are now (RFC 7047, 4.1.6): an update's `new` is the whole row."""
        for table, rows in updates.items():
            held = self.rows.setdefault(table, {})
            for uuid, change in rows.items():
                new = change.get("new")
                if new is None:
                    held.pop(uuid, None)
                else:
                    held[uuid] = new
        self._changed.set()
