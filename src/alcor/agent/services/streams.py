"""TCP for machines: their connections with the host's services, by packets in and out.

No kernel is between: a machine is known by the port that its packets come in by, so addresses of
different networks may be the same, and nothing of the host's own network can be reached. Bounded:
connections of a port and in all, bytes each way, seconds of silence.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import Wired
from alcor.agent.packets.tcp import ACK, RST, SYN, Ends, Segment, build_segment, parse_segment
from alcor.agent.services.connection import Connection, State, refusal

connections_max, connections_of_port_max = 4_096, 64
pending_bytes_of_port_max = 4 << 20  # that its machine has not taken yet, on all its connections

Send = Callable[[Wired, bytes], None]  # a frame to a port


class Line(Protocol):
    """What a service does with a connection."""

    @property
    def wired(self) -> Wired:
        """The port that asks, as it was when it connected."""
        ...

    @property
    def client(self) -> str:
        """The address that it uses."""
        ...

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    def finish(self) -> None:
        """Nothing more comes."""
        ...

    def abort(self) -> None:
        """End it at once."""
        ...


class Session(Protocol):
    """What a service is told of a connection."""

    def received(self, data: bytes) -> None:
        """Bytes that the machine sent."""
        ...

    def ended(self) -> None:
        """The machine sends nothing more; it may still be written to."""
        ...


Service = Callable[[Line], Session]


class _Key(NamedTuple):
    port_id: str
    ends: Ends


@dataclass(slots=True)
class _Stream:
    """A connection, its service, and its alarm; this is the service's `Line`."""

    streams: "Streams"
    key: _Key
    wired: Wired
    connection: Connection
    session: Session | None = None
    alarm: asyncio.TimerHandle | None = None
    told_end: bool = False

    @property
    def client(self) -> str:
        return str(self.key.ends.client)

    def write(self, data: bytes) -> None:
        if self.streams.has_room(self.key.port_id, len(data)):
            self.connection.write(data, self.streams.now)
        else:
            self.connection.abort()
        self.streams.settle(self)

    def finish(self) -> None:
        self.connection.finish(self.streams.now)
        self.streams.settle(self)

    def abort(self) -> None:
        self.connection.abort()
        self.streams.settle(self)


class Streams:
    """Every connection of this host's machines with its services."""

    def __init__(
        self,
        send: Send,
        chance: Callable[[], float],
        metrics: Metrics,
        services: Mapping[int, Service],
    ) -> None:
        self._send, self._chance, self._metrics, self._services = send, chance, metrics, services
        self._streams: dict[_Key, _Stream] = {}
        self._count_by_port: dict[str, int] = {}

    @property
    def now(self) -> float:
        """The event loop's time, in seconds."""
        return asyncio.get_running_loop().time()

    def __len__(self) -> int:
        return len(self._streams)

    def has_room(self, port_id: str, size: int) -> bool:
        """Whether so many bytes more may wait for a port's machine."""
        held = (s.connection.pending for s in self._streams.values() if s.key.port_id == port_id)
        if sum(held) + size <= pending_bytes_of_port_max:
            return True
        self._metrics.limit_reached.labels("agent_connection_bytes").inc()
        return False

    def take(self, frame: bytes, wired: Wired) -> None:
        """A frame that a port sent to a service; `Malformed` when it is no segment."""
        ends, segment = parse_segment(frame)
        key = _Key(wired.port.id, ends)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._accept(key, segment, wired)
        else:
            self._hear(stream, segment)
        if stream is not None:
            self.settle(stream)

    def _accept(self, key: _Key, segment: Segment, wired: Wired) -> _Stream | None:
        """A new connection, or a reset."""
        is_call = segment.flags & (SYN | ACK | RST) == SYN
        service = self._services.get(key.ends.server_port)
        if not is_call or service is None:
            answer = refusal(segment)
            if answer is not None:
                self._send(wired, build_segment(key.ends, answer))
            return None
        count = self._count_by_port.get(key.port_id, 0)
        if count >= connections_of_port_max or len(self._streams) >= connections_max:
            self._metrics.limit_reached.labels("agent_connections").inc()
            return None
        headers = 40 if key.ends.client.version == 4 else 60
        mss = max(wired.network.mtu - headers, 536)
        first = int(self._chance() * (1 << 32)) % (1 << 32)
        connection = Connection(segment, first, mss, self.now)
        stream = self._streams[key] = _Stream(self, key, wired, connection)
        stream.session = service(stream)
        self._count_by_port[key.port_id] = count + 1
        return stream

    def _hear(self, stream: _Stream, segment: Segment) -> None:
        data = stream.connection.receive(segment, self.now)
        assert stream.session is not None
        if data:
            stream.session.received(data)
        over = stream.connection.peer_finished or stream.connection.state is State.CLOSED
        if over and not stream.told_end:
            stream.told_end = True
            stream.session.ended()

    def settle(self, stream: _Stream) -> None:
        """Send what is to be sent, and set the alarm; forget what is over."""
        for segment in stream.connection.take():
            self._send(stream.wired, build_segment(stream.key.ends, segment))
        if stream.alarm is not None:
            stream.alarm.cancel()
            stream.alarm = None
        if stream.connection.state is State.CLOSED:
            self._forget(stream)
        else:
            loop = asyncio.get_running_loop()
            stream.alarm = loop.call_at(stream.connection.wake_at, self._wake, stream)

    def _wake(self, stream: _Stream) -> None:
        stream.connection.tick(self.now)
        self.settle(stream)

    def _forget(self, stream: _Stream) -> None:
        if self._streams.pop(stream.key, None) is None:
            return
        count = self._count_by_port.pop(stream.key.port_id) - 1
        if count:
            self._count_by_port[stream.key.port_id] = count
        if not stream.told_end and stream.session is not None:
            stream.told_end = True
            stream.session.ended()
