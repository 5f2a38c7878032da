"""A keyed log in a JetStream stream, with a copy of all of it in this process.

The stream keeps the last message of every subject, and its sequence is the log's position. Reads
and watches are answered from the copy, which follows the stream; a put waits until the copy has
seen it, so every process reads what it wrote. Two writers of one key are told apart by the
sequence that each expects to replace (`Nats-Expected-Last-Subject-Sequence`).

JetStream acknowledges before it syncs, so servers that come back may have lost an acknowledged
tail. Then a new life of the log begins: watchers are told `Compacted`, and whoever waits for
`renewed` puts all that it knows again. With one server every start of it is another life, as
nobody else could know. A cluster's stream outlives its servers: who loses the way to it reads it
again and sees whether all is there that was there before. If not, everybody begins anew, as when
an operator empties the log (`begin_anew`). Servers of a cluster may lag, so who reads puts a mark
that a quorum of them takes, and is done when that has come.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import NoReturn

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import StreamConfig, StreamInfo
from prometheus_client import Gauge

from alcor.keyed_log.held import Held
from alcor.keyed_log.log import Change, Compacted, Entry, Snapshot
from alcor.keyed_log.stream_copy import Lost, follow
from alcor.keyed_log.stream_reading import Beginning, Body, Reading, Subjects, decode, encode
from alcor.keyed_log.subjects import subject_of

tombstones_max = 100_000  # entries; the oldest are forgotten first
watcher_pending_max = 1_000_000  # entries that one watcher may be behind
in_flight_max = 256  # publishes that wait for their acknowledgement
header_bytes_max = 256  # of a message that is put
ask_again_s = 0.5  # after a server did not answer
answer_timeout_s = 5.0
conflict_again_s = 0.05  # after another change of the key was on its way
look_every_s = 5.0  # whether a cluster has more than we were given
witness_s = 2.0  # for an answer of whoever follows the log
life_letters = 16  # of an origin; a server's name has 56, by chance

_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_WRONG_LAST_SEQUENCE = (10071, 10164)  # the other where a cluster has one on its way

servers_missing = Gauge(
    "alcor_log_servers_missing",
    "Servers of NATS's cluster that a log is to be on and is not, or not up to its end.",
    ["log"],
)

_log = structlog.get_logger(__name__)
_away = (
    nats.errors.TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.NoServersError,
    nats.errors.OutboundBufferLimitError,
    nats.js.errors.NoStreamResponseError,
    nats.js.errors.ServiceUnavailableError,
    nats.js.errors.ServerError,  # of a cluster that has no leader, for instance
)


async def begin_anew(client: Client, name: str, number: int) -> None:
    """Empty a log while others use it, and begin another life of it, which `number` names: it is
    greater than any before. Everybody reads the log again, and who writes puts all that it has.
    Cut short between the two, it is only empty, and nobody has heard: do it again.

    `nats.js.errors.NotFoundError` when there is no such log."""
    jetstream = client.jetstream(timeout=answer_timeout_s)
    await jetstream.purge_stream(f"alcor_{name}")
    await jetstream.publish(Subjects(f"alcor.{name}").anew, encode(Body(number, None)))


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
        replicas: int = 1,
        tombstones_max: int = tombstones_max,
        watcher_pending_max: int = watcher_pending_max,
    ) -> None:
        """`client` is connected, and reconnects for ever. `epoch` grows from start to start.
        `replicas`: on how many servers of a cluster the stream is to be."""
        self._nats = client
        self._jetstream = client.jetstream(timeout=answer_timeout_s)
        self._stream = f"alcor_{name}"
        self._prefix = f"alcor.{name}"
        self._subjects = Subjects(self._prefix)
        self._witness = f"alcor.witness.{name}"  # where who follows the log says so
        self._witnessing: Subscription | None = None
        self._replicas = replicas
        self._told_replicas = False
        self._epoch = epoch
        self._origin = ""  # of the life: the start of the server, or when a cluster made the stream
        self._life = ""
        self._tombstones_max = tombstones_max
        self._watcher_pending_max = watcher_pending_max
        self._reading = Reading(self._prefix, watcher_pending_max)  # the copy
        self._first_begun: Beginning | None = None  # as it was when we came
        self._followed = False
        self._look_at_s = 0.0
        self._awaited = 0  # a sequence that is to have come by the next look; 0: none
        self._current = asyncio.Event()  # the copy is complete
        self._moved = asyncio.Condition()  # the copy has changed, or the life
        self._flights = asyncio.Semaphore(in_flight_max)

    @property
    def epoch(self) -> int:
        """Which life of the log this is, as this process counts them."""
        return self._epoch

    @property
    def life(self) -> str:
        """What this life is called: it is its origin's, or that of a new beginning."""
        origin, dot, begun = self._life.partition(".")
        return f"{origin[:life_letters]}{dot}{begun}"

    @property
    def _held(self) -> Held:
        return self._reading.held

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
        """Say that the log holds all that `writer` has, in this life."""
        await self._current.wait()
        body = encode(Body(last, self._life.encode()))
        subject = f"{self._subjects.complete}.{writer}"
        while True:
            try:
                return await self._seen((await self._jetstream.publish(subject, body)).seq)
            except _away:
                await asyncio.sleep(ask_again_s)

    async def completed(self, writers: Collection[str]) -> Mapping[str, int]:
        """Wait until each of the writers has said so in this life."""

        async with self._moved:
            await self._moved.wait_for(lambda: not self.awaited(writers))
        return {writer: self._reading.said[writer].last for writer in writers}

    def awaited(self, writers: Collection[str]) -> list[str]:
        """Which of the writers have not said that the log is complete, in this life."""
        if not self._current.is_set():
            return list(writers)
        life = self._life.encode()
        said = {writer for writer, each in self._reading.said.items() if each.life == life}
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
        body = encode(Body(change.revision, change.value, change.trace))
        if len(body) + header_bytes_max > self._nats.max_payload:
            # Who saved it should have refused it. All that comes after it must not wait for it.
            _log.error("log.too_large", log=self._stream, key=change.key, bytes=len(body))
            return 0
        held = self._held.get(change.key)
        if held is not None and not self._held.is_news(change):
            return held.position  # a newer one has come since the caller looked
        expected: int | None = held.position if held is not None else 0
        refused: int | None = None
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
                if expected == refused:  # what is there now is on its way to being replaced
                    await asyncio.sleep(conflict_again_s)
                expected, refused = None, expected
            except _away as problem:
                _log.info("log.waits_for_server", log=self._stream, why=_why(problem))
                await asyncio.sleep(ask_again_s)

    async def _send(self, subject: str, body: bytes, expected: int) -> int:
        headers = {_EXPECTED: str(expected)}
        try:
            acknowledged = await self._jetstream.publish(subject, body, headers=headers)
        except nats.js.errors.BadRequestError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise Conflict from None
            raise
        return acknowledged.seq

    async def _last_of(self, subject: str) -> tuple[int, Body] | None:
        """What the stream holds of a subject, with its sequence."""
        with suppress(nats.js.errors.NotFoundError):
            message = await self._jetstream.get_last_msg(self._stream, subject)
            return message.seq or 0, decode(message.data or b"")
        return None

    async def _forget_tombstones(self) -> None:
        """Drop the oldest tombstones beyond the limit from the stream; copies follow."""
        surplus = self._held.tombstones - self._tombstones_max
        if surplus <= self._tombstones_max // 10:
            return
        positions = self._held.oldest_tombstones(surplus)
        told = await self._jetstream.publish(
            self._subjects.forgotten, encode(Body(positions[-1], None))
        )
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

    @property
    def is_followed(self) -> bool:
        """Whether the copy is whole, and the stream can be read now, as far as we have heard."""
        return self._followed and self._current.is_set()

    async def run(self) -> None:
        """Keep the copy, for ever: make it, follow the stream, make it again."""
        said = ""
        while True:
            life = self._epoch
            try:
                await self._live()
            except (*_away, Lost, nats.js.errors.APIError) as problem:
                self._followed = False
                why = _why(problem)
                if why != said or self._epoch != life:  # else each attempt says the same
                    _log.warning("log.lost_stream", stream=self._stream, why=why)
                said = why
                await asyncio.sleep(ask_again_s)

    async def _live(self) -> None:
        """From an empty copy until the stream can't be followed any more."""
        connection = self._nats.stats["reconnects"]
        server = self._nats._server_info["server_id"]  # another one at every start of a server
        info = await self._opened()
        is_cluster = info.cluster is not None and bool(info.cluster.name)  # one alone has none
        origin = _made(info) if is_cluster else server
        end = await self._mark() if is_cluster else info.state.last_seq
        reading = Reading(self._prefix, self._watcher_pending_max)
        since, news = self._held.position, list[Entry]()
        following = follow(self._nats, self._jetstream, self._stream, connection)
        async with aclosing(following) as batches:
            async for messages, pending in batches:
                self._followed = True
                is_in_place = reading is self._reading
                if is_in_place and any(each.subject == self._subjects.anew for each in messages):
                    raise Lost(f"{self._stream}: it begins anew")
                taken = reading.take(messages)
                if is_in_place:
                    reading.held.offer(taken)
                    if is_cluster:
                        await self._look(info)
                else:
                    news += (entry for entry in taken if entry.position > since)
                    if pending == 0 and (reading.held.position >= end or not is_cluster):
                        reading.held.position = max(reading.held.position, end)  # it may be gone
                        await self._put_in_place(reading, origin, news, is_cluster)
                async with self._moved:
                    self._moved.notify_all()

    async def _opened(self) -> StreamInfo:
        """The stream, made if there is none, and on as many servers as it should be."""
        config = StreamConfig(
            name=self._stream,
            subjects=[f"{self._prefix}.>"],
            max_msgs_per_subject=1,
            num_replicas=self._replicas,
        )
        try:
            info = await self._jetstream.stream_info(self._stream)
        except nats.js.errors.NotFoundError:
            info = await self._jetstream.add_stream(config)
        await self._replicate(info)
        return info

    async def _replicate(self, info: StreamInfo) -> None:
        """Have the stream on more servers; it is never taken from any."""
        if (info.config.num_replicas or 1) >= self._replicas:
            return
        try:
            await self._jetstream.update_stream(info.config, num_replicas=self._replicas)
        except nats.js.errors.APIError as problem:  # tried again at the next look
            if not self._told_replicas:
                _log.warning("log.not_replicated", stream=self._stream, why=_why(problem))
            self._told_replicas = True
        else:
            _log.info("log.replicated", stream=self._stream, servers=self._replicas)

    async def _mark(self) -> int:
        """Where the stream ends: a quorum of its servers has said so."""
        subject, body = self._subjects.mark, encode(Body(self._epoch, None))
        return (await self._jetstream.publish(subject, body)).seq

    async def _put_in_place(
        self, reading: Reading, origin: str, news: Sequence[Entry], is_cluster: bool
    ) -> None:
        """The reading is whole: go on with it, in the same life if nothing is missing in it."""
        before, is_first = self._reading, not self._current.is_set()
        number, _ = reading.begun
        life = f"{origin}.{number:x}" if number else origin
        if is_first:
            if is_cluster and not await self._is_witnessed(reading):
                await self._have_all_begin_anew(reading, "nobody else has followed it")
            _log.debug("log.read", stream=self._stream, life=life)
        elif origin == self._origin and number <= before.begun.number:
            if before.held.position < reading.held.forgotten:
                _log.info("log.forgot_meanwhile", stream=self._stream)  # watchers can't go on
            elif reading.continues(before):
                reading.held.succeed(before.held, news)
                self._reading = reading
                return
            else:
                await self._have_all_begin_anew(reading, "it has lost what was there")
        if not is_first:
            self._epoch += 1
            _log.warning("log.new_life", stream=self._stream, epoch=self._epoch)
        self._reading, self._origin, self._life = reading, origin, life
        if is_cluster and self._witnessing is None:
            self._witnessing = await self._nats.subscribe(self._witness, cb=_testify)
        self._current.set()
        before.held.end(Compacted("the log was read again"))

    async def _is_witnessed(self, reading: Reading) -> bool:
        """Whether somebody has followed the stream until now, and would have seen it lose its end;
        or its life has begun since we are here."""
        if self._first_begun is None:
            self._first_begun = reading.begun
        if reading.begun != self._first_begun:
            return True
        try:
            await self._nats.request(self._witness, timeout=witness_s)
        except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
            return False
        return True

    async def _have_all_begin_anew(self, reading: Reading, why: str) -> NoReturn:
        """Begin another life of the stream as it is, unless somebody else does so first."""
        _log.warning("log.begins_anew", stream=self._stream, why=why)
        number = max(self._epoch, 1 + max(reading.begun.number, self._reading.begun.number))
        headers = {_EXPECTED: str(reading.begun.position)}
        body = encode(Body(number, None))
        await self._jetstream.publish(self._subjects.anew, body, headers=headers)
        raise Lost(f"{self._stream}: it begins anew")

    async def _look(self, was: StreamInfo) -> None:
        """See now and then that we follow the stream that there is, and that it is on as many
        servers as it should be; `Lost` when it goes on without us."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + look_every_s
        position, awaited = self._held.position, self._awaited
        self._awaited = 0
        try:
            info = await self._jetstream.stream_info(self._stream)
            await self._replicate(info)
        except (*_away, nats.js.errors.APIError) as problem:
            _log.info("log.has_no_leader", stream=self._stream, why=_why(problem))
            return
        missing = max(0, self._replicas - _current(info))
        servers_missing.labels(self._stream.removeprefix("alcor_")).set(missing)
        if info.created != was.created or info.state.last_seq < position:
            raise Lost(f"{self._stream}: it is another one")
        if awaited > position:
            raise Lost(f"{self._stream}: {awaited} has not come")
        if info.state.last_seq > position:
            self._awaited = info.state.last_seq


def _made(info: StreamInfo) -> str:
    """When a stream was made: all servers of a cluster say the same."""
    return f"{int(info.created.timestamp() * 1_000_000):x}" if info.created else ""


def _current(info: StreamInfo) -> int:
    """How many servers have all of the stream: the leader, and others."""
    others = (info.cluster and info.cluster.replicas) or []
    return 1 + sum(each.current is True and not each.offline for each in others)


async def _testify(message: Msg) -> None:
    await message.respond(b"")


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
