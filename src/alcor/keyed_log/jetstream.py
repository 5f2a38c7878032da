"""A keyed log in a JetStream stream, with a copy of all of it in this process.

The stream keeps the last message of every subject, and its sequence is the log's position. Reads
and watches are answered from the copy, which follows the stream; a put waits until the copy has
seen it, so every process reads what it wrote. Two writers of one key are told apart by the
sequence that each expects to replace (`Nats-Expected-Last-Subject-Sequence`).

JetStream acknowledges before it syncs, so a server that comes back may have lost an acknowledged
tail. After every change of server the copy is therefore made again, as a new life of the log:
watchers are told `Compacted`, and whoever waits for `renewed` puts all that it knows again.
The same happens when an operator empties the log (`begin_anew`).

There is one server: its life is the life of the log, and in a cluster there would be several.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.js.api import StreamConfig

from alcor.keyed_log.held import Held
from alcor.keyed_log.log import Change, Compacted, Entry, Snapshot
from alcor.keyed_log.stream_copy import Lost, Message, follow
from alcor.keyed_log.subjects import key_of, subject_of

tombstones_max = 100_000  # entries; the oldest are forgotten first
watcher_pending_max = 1_000_000  # entries that one watcher may be behind
in_flight_max = 256  # publishes that wait for their acknowledgement
header_bytes_max = 256  # of a message that is put
ask_again_s = 0.5  # after a server did not answer
answer_timeout_s = 5.0
life_letters = 16  # of a server's name, which are 56 by chance

_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_WRONG_LAST_SEQUENCE = 10071

_log = structlog.get_logger(__name__)
_away = (
    nats.errors.TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.NoServersError,
    nats.errors.OutboundBufferLimitError,
    nats.js.errors.NoStreamResponseError,
    nats.js.errors.ServiceUnavailableError,
)


class Body(msgspec.Struct, frozen=True, array_like=True):
    """What a message says beside its subject."""

    revision: int
    value: bytes | None
    trace: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Body).decode


async def begin_anew(client: Client, name: str, number: int) -> None:
    """Empty a log while others use it, and begin another life of it, which `number` names: it is
    greater than any before. Everybody reads the log again, and who writes puts all that it has.
    Cut short between the two, it is only empty, and nobody has heard: do it again.

    `nats.js.errors.NotFoundError` when there is no such log."""
    jetstream = client.jetstream(timeout=answer_timeout_s)
    await jetstream.purge_stream(f"alcor_{name}")
    await jetstream.publish(_anew(f"alcor.{name}"), _encode(Body(number, None)))


def _anew(prefix: str) -> str:
    """Where a log's last new beginning is told."""
    return f"{prefix}.anew"


class Conflict(Exception):
    """Another writer has changed the key since we looked."""


class JetStreamLog:
    """A log by name; `run` keeps the copy, and everything else waits until there is one."""

    def __init__(
        self,
        client: Client,
        name: str,
        epoch: int,
        *,
        tombstones_max: int = tombstones_max,
        watcher_pending_max: int = watcher_pending_max,
    ) -> None:
        """`client` is connected, and reconnects for ever. `epoch` grows from start to start."""
        self._nats = client
        self._jetstream = client.jetstream(timeout=answer_timeout_s)
        self._stream = f"alcor_{name}"
        self._prefix = f"alcor.{name}"
        self._forgotten = f"{self._prefix}.forgotten"  # tells up to where tombstones were dropped
        self._complete = f"{self._prefix}.complete"  # under it: what each writer has said
        self._anew = _anew(self._prefix)
        self._begun = 0  # the number of the log's last new beginning; 0: there was none
        self._epoch = epoch
        self._life = ""  # the server's: what is acknowledged within it is not lost
        self._tombstones_max = tombstones_max
        self._watcher_pending_max = watcher_pending_max
        self._held = Held(watcher_pending_max)
        self._said: dict[str, Body] = {}  # by writer, that the log is complete
        self._current = asyncio.Event()  # the copy is complete
        self._moved = asyncio.Condition()  # the copy has changed, or the life
        self._flights = asyncio.Semaphore(in_flight_max)

    @property
    def epoch(self) -> int:
        """Which life of the log this is, as this process counts them."""
        return self._epoch

    @property
    def life(self) -> str:
        """What this life is called: it is the server's, or that of a new beginning."""
        server, dot, begun = self._life.partition(".")
        return f"{server[:life_letters]}{dot}{begun}"

    @property
    def position(self) -> int:
        """Of the last change that the copy holds."""
        return self._held.position

    @property
    def living(self) -> int:
        """How many keys the copy holds that are not gone."""
        return self._held.living

    async def renewed(self, epoch: int) -> int:
        """Wait until the copy has been made again, and is complete."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._epoch > epoch and self._current.is_set())
        return self._epoch

    async def complete(self, writer: str, last: int) -> None:
        """Say that the log holds all that `writer` has, for as long as this server lives."""
        await self._current.wait()
        body = _encode(Body(last, self._life.encode()))
        subject = f"{self._complete}.{writer}"
        while True:
            try:
                return await self._seen((await self._jetstream.publish(subject, body)).seq)
            except _away:
                await asyncio.sleep(ask_again_s)

    async def completed(self, writers: Collection[str]) -> Mapping[str, int]:
        """Wait until each of the writers has said so since the server was started."""

        async with self._moved:
            await self._moved.wait_for(lambda: not self.awaited(writers))
        return {writer: self._said[writer].revision for writer in writers}

    def awaited(self, writers: Collection[str]) -> list[str]:
        """Which of the writers have not said that the log is complete, in this life."""
        if not self._current.is_set():
            return list(writers)
        life = self._life.encode()
        said = {writer for writer, body in self._said.items() if body.value == life}
        return [writer for writer in writers if writer not in said]

    async def put(self, changes: Sequence[Change]) -> int:
        """Take what is newer than what is held; waits as long as there is no server."""
        for batch in _each_key_once(changes):
            await self._current.wait()
            news = [change for change in batch if self._held.is_news(change)]
            sequences = await asyncio.gather(*(self._publish(change) for change in news))
            await self._seen(max(sequences, default=0))
        with suppress(*_away):  # a later put will forget them
            await self._forget_tombstones()
        return self._held.position

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """What is held of these keys; what is gone is absent."""
        await self._current.wait()
        found = ((key, self._held.get(key)) for key in keys)
        return {key: entry for key, entry in found if entry and entry.value is not None}

    async def snapshot(self, prefix: str) -> Snapshot:
        """Every living key under `prefix`."""
        await self._current.wait()
        living = [entry for entry in self._held.under(prefix) if entry.value is not None]
        return Snapshot(self._epoch, self._held.position, living)

    async def changes(self, prefix: str, since: int) -> Snapshot:
        """What changed under `prefix` after position `since`, tombstones included."""
        await self._current.wait()
        return Snapshot(self._epoch, self._held.position, self._held.after(prefix, since))

    async def watch(self, prefix: str, since: int) -> AsyncGenerator[Sequence[Entry], None]:
        """Changes under `prefix` after `since`, in batches, for ever."""
        await self._current.wait()
        async for entries in self._held.watch(prefix, since):
            yield entries

    # Writing

    async def _publish(self, change: Change) -> int:
        """Put a change unless the stream has a newer one; the sequence to wait for."""
        subject = subject_of(self._prefix, change.key)
        body = _encode(Body(change.revision, change.value, change.trace))
        if len(body) + header_bytes_max > self._nats.max_payload:
            # Who saved it should have refused it. All that comes after it must not wait for it.
            _log.error("log.too_large", log=self._stream, key=change.key, bytes=len(body))
            return 0
        held = self._held.get(change.key)
        if held is not None and not self._held.is_news(change):
            return held.position  # a newer one has come since the caller looked
        expected: int | None = held.position if held is not None else 0
        while True:
            try:
                if expected is None:
                    found = await self._last_of(subject)
                    if found is not None and found[1].revision >= change.revision:
                        return found[0]
                    expected = found[0] if found is not None else 0
                async with self._flights:
                    return await self._send(subject, body, expected)
            except Conflict:
                expected = None
            except _away as problem:
                _log.info("log.waits_for_server", log=self._stream, why=_why(problem))
                await asyncio.sleep(ask_again_s)

    async def _send(self, subject: str, body: bytes, expected: int) -> int:
        headers = {_EXPECTED: str(expected)}
        try:
            acknowledged = await self._jetstream.publish(subject, body, headers=headers)
        except nats.js.errors.BadRequestError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                raise Conflict from None
            raise
        return acknowledged.seq

    async def _last_of(self, subject: str) -> tuple[int, Body] | None:
        """What the stream holds of a subject, with its sequence."""
        with suppress(nats.js.errors.NotFoundError):
            message = await self._jetstream.get_last_msg(self._stream, subject)
            return message.seq or 0, _decode(message.data or b"")
        return None

    async def _forget_tombstones(self) -> None:
        """Drop the oldest tombstones beyond the limit from the stream; copies follow."""
        surplus = self._held.tombstones - self._tombstones_max
        if surplus <= self._tombstones_max // 10:
            return
        positions = self._held.oldest_tombstones(surplus)
        told = await self._jetstream.publish(self._forgotten, _encode(Body(positions[-1], None)))
        await asyncio.gather(*(self._drop(position) for position in positions))
        await self._seen(told.seq)

    async def _drop(self, position: int) -> None:
        async with self._flights:
            with suppress(nats.js.errors.APIError):  # another process has dropped it
                await self._jetstream.delete_msg(self._stream, position)

    async def _seen(self, sequence: int) -> None:
        """Wait until the copy has what the stream took at `sequence`."""
        if self._held.position >= sequence:
            return
        life = self._epoch
        async with self._moved:
            await self._moved.wait_for(
                lambda: self._held.position >= sequence or self._epoch != life
            )

    # The copy

    async def run(self) -> None:
        """Keep the copy, for ever: make it, follow the stream, make it again."""
        said = ""
        while True:
            life = self._epoch
            try:
                await self._live()
            except (*_away, Lost, nats.js.errors.APIError) as problem:
                why = _why(problem)
                if why != said or self._epoch != life:  # else each attempt says the same
                    _log.warning("log.lost_stream", stream=self._stream, why=why)
                said = why
                await asyncio.sleep(ask_again_s)

    async def _live(self) -> None:
        """One life: from an empty copy until the stream can't be followed any more."""
        connection = self._nats.stats["reconnects"]
        life = self._nats._server_info["server_id"]  # another one at every start of a server
        last = await self._open()
        copy = Held(self._watcher_pending_max)
        self._begun = 0
        following = follow(self._nats, self._jetstream, self._stream, connection)
        async with aclosing(following) as batches:
            async for messages, pending in batches:
                taken = self._take(copy, messages)
                if copy is self._held:
                    copy.offer(taken)
                elif pending == 0:
                    copy.position = max(copy.position, last)  # its last messages may be gone
                    self._begin(copy, f"{life}.{self._begun:x}" if self._begun else life)
                async with self._moved:
                    self._moved.notify_all()

    async def _open(self) -> int:
        """Make the stream if there is none; the sequence of its last message."""
        config = StreamConfig(
            name=self._stream,
            subjects=[f"{self._prefix}.>"],
            max_msgs_per_subject=1,
        )
        try:
            info = await self._jetstream.stream_info(self._stream)
        except nats.js.errors.NotFoundError:
            info = await self._jetstream.add_stream(config)
        return info.state.last_seq

    def _take(self, copy: Held, messages: Sequence[Message]) -> list[Entry]:
        taken = []
        for subject, sequence, data in messages:
            try:
                body = _decode(data)
            except msgspec.DecodeError as error:
                _log.error("log.unreadable", subject=subject, error=str(error))
                continue
            if subject == self._forgotten:
                copy.position = sequence
                copy.forget(body.revision)
                continue
            if subject == self._anew:
                if copy is self._held:
                    raise Lost(f"{self._stream}: it was emptied, and begins anew")
                copy.position, self._begun = sequence, body.revision
                continue
            if subject.startswith(self._complete):
                copy.position = sequence
                self._said[subject.rpartition(".")[2]] = body
                continue
            key = key_of(self._prefix, subject)
            taken.append(copy.take(Change(key, body.value, body.revision, body.trace), sequence))
        return taken

    def _begin(self, copy: Held, life: str) -> None:
        before, self._held, self._life = self._held, copy, life
        if self._current.is_set():
            self._epoch += 1
            _log.warning("log.new_life", stream=self._stream, epoch=self._epoch)
        self._current.set()
        before.end(Compacted("the log was read again"))


def _each_key_once(changes: Sequence[Change]) -> Iterable[list[Change]]:
    """The changes in their order, cut where a key comes again."""
    batch: dict[str, Change] = {}
    for change in changes:
        if change.key in batch:
            yield list(batch.values())
            batch = {}
        batch[change.key] = change
    yield list(batch.values())


def _why(problem: Exception) -> str:
    if isinstance(problem, nats.js.errors.ServiceUnavailableError) and problem.code is None:
        return "nobody answers for JetStream: is it enabled (jetstream {}, or nats-server -js)?"
    return str(problem) or repr(problem)
