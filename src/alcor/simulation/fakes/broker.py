"""The NATS server of a simulated region: subjects, queue groups, and streams that lose their end.

It keeps what the product relies on: what one client sends is taken in order; a stream holds the
last message of a subject and refuses a message whose expected predecessor is not that one; who
pushes a stream numbers what it pushes. A server that loses power loses what its streams have not
synced, and whatever of the older messages that removed is there again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import nats.js.errors

from alcor.simulation.fakes.clock import Process
from alcor.simulation.fakes.journal import Journal
from alcor.simulation.fakes.weather import Line, Weather

heartbeat_s = 1.0
sync_share = 0.02  # of the messages after which the disk happens to be in step
NO_RESPONDERS = {"Status": "503"}
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_WRONG_LAST_SEQUENCE = 10071


class Message(NamedTuple):
    """What a client is given: as much of `nats.aio.msg.Msg` as the product reads."""

    subject: str
    reply: str
    data: bytes
    headers: dict[str, str] | None = None


class Stored(NamedTuple):
    """A message of a stream; `nats.js.api.RawStreamMsg` in short."""

    subject: str
    seq: int
    data: bytes | None  # None: the message of this sequence was deleted


@dataclass(slots=True)
class Consumer:
    """Who is pushed a stream's messages."""

    connection: "Connection"
    inbox: str
    delivered: int = 0


@dataclass(slots=True)
class Stream:
    """The last message of every subject, and all that it was told since it was made."""

    name: str
    prefix: str  # of its subjects, with the dot
    chance: Random
    history: list[Stored] = field(default_factory=list)
    synced: int = 0  # how much of the history is on the disk
    last_seq: int = 0
    by_sequence: dict[int, Stored] = field(default_factory=dict)
    sequence_by_subject: dict[str, int] = field(default_factory=dict)
    consumers: list[Consumer] = field(default_factory=list)

    def put(self, subject: str, data: bytes) -> Stored:
        stored = Stored(subject, self.last_seq + 1, data)
        self._take(stored)
        return stored

    def delete(self, sequence: int) -> None:
        """`NotFoundError` when it is not there."""
        if sequence not in self.by_sequence:
            raise nats.js.errors.NotFoundError(code=404, err_code=10037, description="no message")
        self._take(Stored("", sequence, None))

    def lose_tail(self) -> int:
        """Forget some of what was not synced; how much."""
        kept = self.chance.randint(self.synced, len(self.history))
        lost = len(self.history) - kept
        history = self.history[:kept]
        self.history, self.last_seq = [], 0
        self.by_sequence, self.sequence_by_subject = {}, {}
        for stored in history:
            self._take(stored)
        self.synced = kept
        return lost

    def _take(self, stored: Stored) -> None:
        self.history.append(stored)
        if stored.data is None:
            gone = self.by_sequence.pop(stored.seq)
            del self.sequence_by_subject[gone.subject]
        else:
            before = self.sequence_by_subject.get(stored.subject)
            if before is not None:
                del self.by_sequence[before]
            self.sequence_by_subject[stored.subject] = self.last_seq = stored.seq
            self.by_sequence[stored.seq] = stored
        if self.chance.random() < sync_share:
            self.synced = len(self.history)


@dataclass(slots=True)
class _Interest:
    subject: str
    queue: str
    deliver: Callable[[Message], object]


class Connection:
    """One client's connection, as the server has it."""

    def __init__(self, client: Process, up: Line, down: Line) -> None:
        self.client = client
        self.up, self.down = up, down
        self.interests: dict[int, _Interest] = {}
        self.is_open = True


class Broker:
    """The server. Clients call its methods by their lines."""

    def __init__(self, weather: Weather, chance: Random, journal: Journal) -> None:
        self.process = Process("nats")
        self.server_id = "server-0"
        self.is_up = True
        self.streams: dict[str, Stream] = {}
        self.watch_put: Callable[[Stream, Stored | None, Stored], None] = lambda *_: None
        self._weather, self._chance, self._journal = weather, chance, journal
        self._connections: list[Connection] = []
        self._starts = 0

    # Life and death

    def stop(self, *, power_cut: bool) -> None:
        """It ends; with a power cut it loses what streams have not synced."""
        self.is_up = False
        lost = {s.name: s.lose_tail() for s in self.streams.values()} if power_cut else {}
        self._journal.note("nats.stop", power_cut=power_cut, lost=lost)
        for connection in list(self._connections):
            self.cut(connection)

    def start(self) -> None:
        """It is there again, as another life."""
        self._starts += 1
        self.server_id = f"server-{self._starts}"
        self.is_up = True
        self._journal.note("nats.start", life=self.server_id)

    def connect(self, client: Process, lost: Callable[[], object]) -> Connection | None:
        """A connection; None when the server, or the way to it, is not there. `lost` is called in
        the client when it has ended."""
        now = asyncio.get_running_loop().time()
        if not self.is_up or self._weather.away_until_s(client.name, self.process.name) > now:
            return None
        up = Line(self._weather, client.name, self.process)
        connection = Connection(client, up, Line(self._weather, self.process.name, client))
        connection.interests[0] = _Interest("", "", lambda _: lost())
        self._connections.append(connection)
        return connection

    def cut(self, connection: Connection) -> None:
        """A connection ends; what is on its way is lost."""
        if not connection.is_open:
            return
        connection.is_open = False
        connection.up.cut()
        connection.down.cut()
        self._connections.remove(connection)
        for stream in self.streams.values():
            stream.consumers = [c for c in stream.consumers if c.connection is not connection]
        lost = connection.interests[0].deliver
        Line(self._weather, "", connection.client).send(lost, Message("", "", b""))

    def cut_process(self, process: Process) -> None:
        """All connections of a process end."""
        for connection in [c for c in self._connections if c.client is process]:
            self.cut(connection)

    # Subjects

    def subscribe(
        self,
        connection: Connection,
        number: int,
        subject: str,
        queue: str,
        deliver: Callable[[Message], object],
    ) -> None:
        connection.interests[number] = _Interest(subject, queue, deliver)

    def unsubscribe(self, connection: Connection, number: int) -> None:
        connection.interests.pop(number, None)

    def publish(self, message: Message) -> None:
        """Give it to whoever wants it; of a queue group one gets it."""
        by_queue: dict[str, list[tuple[Connection, _Interest]]] = {}
        for connection in self._connections:
            for interest in list(connection.interests.values()):
                if _fits(interest.subject, message.subject):
                    by_queue.setdefault(interest.queue, []).append((connection, interest))
        for queue, found in by_queue.items():
            for connection, interest in [self._chance.choice(found)] if queue else found:
                connection.down.send(interest.deliver, message)
        if not by_queue and message.reply:
            self.publish(Message(message.reply, "", b"", NO_RESPONDERS))

    # Streams

    def put(self, subject: str, data: bytes, headers: dict[str, str] | None) -> Stored:
        """Store a message; `BadRequestError` when another is there than was expected."""
        stream = next(s for s in self.streams.values() if subject.startswith(s.prefix))
        held = stream.sequence_by_subject.get(subject, 0)
        expected = (headers or {}).get(_EXPECTED)
        if expected is not None and int(expected) != held:
            raise nats.js.errors.BadRequestError(code=400, err_code=_WRONG_LAST_SEQUENCE)
        before = stream.by_sequence.get(held)
        stored = stream.put(subject, data)
        self.watch_put(stream, before, stored)
        for consumer in stream.consumers:
            self._push(stream, consumer, stored, 0)
        return stored

    def last_of(self, name: str, subject: str) -> Stored:
        """The message of a subject; `NotFoundError` when there is none."""
        stream = self.stream(name)
        sequence = stream.sequence_by_subject.get(subject)
        if sequence is None:
            raise nats.js.errors.NotFoundError(code=404, err_code=10037, description="no message")
        return stream.by_sequence[sequence]

    def stream(self, name: str) -> Stream:
        """`NotFoundError` when there is none of this name."""
        if name not in self.streams:
            raise nats.js.errors.NotFoundError(code=404, err_code=10059, description="no stream")
        return self.streams[name]

    def add_stream(self, name: str, subjects: list[str]) -> Stream:
        """Make it, unless it is there."""
        made = Stream(name, subjects[0].removesuffix(">"), Random(self._chance.random()))
        return self.streams.setdefault(name, made)

    def add_consumer(self, connection: Connection, name: str, inbox: str) -> int:
        """Push everything that the stream holds, and what comes; how many messages it holds."""
        stream = self.stream(name)
        consumer = Consumer(connection, inbox)
        stream.consumers.append(consumer)
        held = sorted(stream.by_sequence.values(), key=lambda each: each.seq)
        for pending, stored in zip(range(len(held) - 1, -1, -1), held, strict=True):
            self._push(stream, consumer, stored, pending)
        self._beat(stream, consumer)
        return len(held)

    def _push(self, stream: Stream, consumer: Consumer, stored: Stored, pending: int) -> None:
        consumer.delivered += 1
        reply = f"$JS.ACK.{stream.name}.c.1.{stored.seq}.{consumer.delivered}.0.{pending}"
        self._give(consumer, Message(stored.subject, reply, stored.data or b""))

    def _beat(self, stream: Stream, consumer: Consumer) -> None:
        """Say now and then that the stream is still followed."""
        if consumer in stream.consumers:
            self._give(consumer, Message(consumer.inbox, "", b"", {}))
            asyncio.get_running_loop().call_later(heartbeat_s, self._beat, stream, consumer)

    @staticmethod
    def _give(consumer: Consumer, message: Message) -> None:
        for interest in list(consumer.connection.interests.values()):
            if interest.subject == consumer.inbox:
                consumer.connection.down.send(interest.deliver, message)


def _fits(wanted: str, subject: str) -> bool:
    if wanted.endswith(".*"):
        return subject.rpartition(".")[0] == wanted[:-2]
    return wanted == subject
