"""A keyed log that another process keeps, and what that process does for whoever asks.

A watch, or a long snapshot, is read in batches that the reader asks for one by one: a reader that
is slow is behind in the keeper's log, where that has a limit, and never in a socket.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from itertools import count
from typing import Protocol

import msgspec

from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog, Slow, Snapshot

Call = Callable[[bytes], Awaitable[bytes]]

batch_max = 2_048  # entries of a snapshot that travel at once

_encode = msgspec.msgpack.Encoder().encode


class Caller(Protocol):
    """The way to the other process."""

    async def call(self, name: str, request: bytes) -> bytes:
        """Have it done there."""
        ...


class _Since(msgspec.Struct, frozen=True, array_like=True):
    """What of the log: everything under `prefix`, or what came after `position`."""

    prefix: str
    position: int = 0
    reading: int = 0  # the reader's number for it, so that it can be stopped before it is heard of


class _Batch(msgspec.Struct, frozen=True, array_like=True):
    """Entries in order; `reading` is where the next are asked for; 0: there are none."""

    reading: int
    entries: list[Entry] = []
    position: int = 0  # of a snapshot, as its epoch
    epoch: int = 0
    refused: str = ""  # compacted or slow, and why
    why: str = ""


_changes = msgspec.msgpack.Decoder(list[Change]).decode
_keys = msgspec.msgpack.Decoder(list[str]).decode
_entries = msgspec.msgpack.Decoder(list[Entry]).decode
_since = msgspec.msgpack.Decoder(_Since).decode
_batch = msgspec.msgpack.Decoder(_Batch).decode
_said = msgspec.msgpack.Decoder(tuple[str, int]).decode
_numbers = msgspec.msgpack.Decoder(dict[str, int]).decode
_number = msgspec.msgpack.Decoder(int).decode
_REFUSALS: dict[str, type[Exception]] = {"compacted": Compacted, "slow": Slow}


class RemoteLog:
    """Keeps `KeyedLog` by asking the keeper of the log `name`."""

    def __init__(self, caller: Caller, name: str, epoch: int) -> None:
        self._caller = caller
        self._name = name
        self._epoch = epoch
        self._numbers = count(1)

    @property
    def epoch(self) -> int:
        """Which life of the log this is, as far as we have heard."""
        return self._epoch

    @property
    def life(self) -> str:
        """What this life is called, as far as we have heard."""
        return str(self._epoch)

    async def renewed(self, epoch: int) -> int:
        """Wait until the log is in a later life than `epoch`, and say in which."""
        self._epoch = _number(await self._call("renewed", epoch))
        return self._epoch

    async def complete(self, writer: str, last: int) -> None:
        """Say that the log holds all that `writer` has."""
        await self._call("complete", (writer, last))

    async def completed(self, writers: Collection[str]) -> Mapping[str, int]:
        """Wait until each of the writers has said so."""
        return _numbers(await self._call("completed", list(writers)))

    async def put(self, changes: Sequence[Change]) -> int:
        """Take what is newer than what is held; return the position afterwards."""
        return _number(await self._call("put", changes))

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """What is held of these keys; what is gone is absent."""
        return {entry.key: entry for entry in _entries(await self._call("get", keys))}

    async def snapshot(self, prefix: str) -> Snapshot:
        """Every living key under `prefix`."""
        return await self._whole("snapshot", _Since(prefix))

    async def changes(self, prefix: str, since: int) -> Snapshot:
        """What changed under `prefix` after position `since`, tombstones included."""
        return await self._whole("changes", _Since(prefix, since))

    async def watch(self, prefix: str, since: int) -> AsyncGenerator[Sequence[Entry], None]:
        """Changes under `prefix` after `since`, in batches, for ever."""
        async with aclosing(self._read("watch", _Since(prefix, since))) as batches:
            async for batch in batches:
                yield batch.entries

    async def _whole(self, verb: str, of: _Since) -> Snapshot:
        entries: list[Entry] = []
        epoch = position = 0
        async with aclosing(self._read(verb, of)) as batches:
            async for batch in batches:
                entries += batch.entries
                epoch, position = batch.epoch, batch.position
        self._epoch = epoch
        return Snapshot(epoch, position, entries)

    async def _read(self, verb: str, of: _Since) -> AsyncGenerator[_Batch, None]:
        """The batches, while there are more; the keeper is told when we stop."""
        number = next(self._numbers)
        reading = True
        try:
            batch = _batch(await self._call(verb, msgspec.structs.replace(of, reading=number)))
            while not batch.refused:
                if batch.entries or not batch.reading:
                    yield batch
                if not batch.reading:
                    reading = False
                    return
                batch = _batch(await self._call("next", batch.reading))
            reading = False
            raise _REFUSALS[batch.refused](batch.why)
        finally:
            if reading:
                await self._call("stop", number)

    async def _call(self, verb: str, request: object) -> bytes:
        return await self._caller.call(f"{self._name}.{verb}", _encode(request))


class Keeper:
    """Does for one remote reader what it asks of a log; `calls` by name."""

    def __init__(self, log: KeyedLog, name: str) -> None:
        self._log = log
        self._readings: dict[int, _Reading] = {}
        verbs: Mapping[str, Call] = {
            "renewed": self._renewed,
            "complete": self._complete,
            "completed": self._completed,
            "put": self._put,
            "get": self._get,
            "snapshot": self._snapshot,
            "changes": self._changes,
            "watch": self._watch,
            "next": self._next,
            "stop": self._stop,
        }
        self.calls = {f"{name}.{verb}": call for verb, call in verbs.items()}

    async def close(self) -> None:
        """The reader is gone: end what it was reading."""
        while self._readings:
            _, reading = self._readings.popitem()
            await reading.stop()

    async def _renewed(self, request: bytes) -> bytes:
        return _encode(await self._log.renewed(_number(request)))

    async def _complete(self, request: bytes) -> bytes:
        await self._log.complete(*_said(request))
        return b""

    async def _completed(self, request: bytes) -> bytes:
        return _encode(await self._log.completed(_keys(request)))

    async def _put(self, request: bytes) -> bytes:
        return _encode(await self._log.put(_changes(request)))

    async def _get(self, request: bytes) -> bytes:
        return _encode(list((await self._log.get(_keys(request))).values()))

    async def _snapshot(self, request: bytes) -> bytes:
        of = _since(request)
        return await self._first(of.reading, _parts(of.reading, self._log.snapshot(of.prefix)))

    async def _changes(self, request: bytes) -> bytes:
        of = _since(request)
        read = self._log.changes(of.prefix, of.position)
        return await self._first(of.reading, _parts(of.reading, read))

    async def _watch(self, request: bytes) -> bytes:
        """Begin; the entries are asked for afterwards, as there may be none for long."""
        of = _since(request)
        watch = self._log.watch(of.prefix, of.position)
        self._readings[of.reading] = _Reading(_watched(of.reading, watch))
        return _encode(_Batch(of.reading))

    async def _first(self, number: int, batches: AsyncGenerator[_Batch, None]) -> bytes:
        self._readings[number] = _Reading(batches)
        return await self._next_of(number)

    async def _next(self, request: bytes) -> bytes:
        return await self._next_of(_number(request))

    async def _next_of(self, number: int) -> bytes:
        batch = await self._readings[number].more()
        if not batch.reading:
            await self._readings.pop(number).stop()
        return _encode(batch)

    async def _stop(self, request: bytes) -> bytes:
        reading = self._readings.pop(_number(request), None)
        if reading is not None:
            await reading.stop()
        return b""


class _Reading:
    """What one reader reads; it may be stopped while a batch is waited for that nobody wants."""

    def __init__(self, batches: AsyncGenerator[_Batch, None]) -> None:
        self._batches = batches
        self._taking = asyncio.Lock()

    async def more(self) -> _Batch:
        async with self._taking:
            return await anext(self._batches)

    async def stop(self) -> None:
        async with self._taking:
            await self._batches.aclose()


async def _parts(number: int, read: Awaitable[Snapshot]) -> AsyncGenerator[_Batch, None]:
    try:
        snapshot = await read
    except Compacted as error:
        yield _Batch(0, refused="compacted", why=str(error))
        return
    entries = snapshot.entries
    for start in range(0, max(len(entries), 1), batch_max):
        last = start + batch_max >= len(entries)
        some = list(entries[start : start + batch_max])
        yield _Batch(0 if last else number, some, snapshot.position, snapshot.epoch)


async def _watched(
    number: int, watch: AsyncIterator[Sequence[Entry]]
) -> AsyncGenerator[_Batch, None]:
    try:
        async for entries in watch:
            yield _Batch(number, list(entries))
    except Compacted as error:
        yield _Batch(0, refused="compacted", why=str(error))
    except Slow as error:
        yield _Batch(0, refused="slow", why=str(error))
