"""One TCP connection of a machine with the host's services, as a state machine.

Pure: segments, bytes to send and the time come in, segments and bytes received come out. It is the
passive side of RFC 9293, made for a path of one hop inside a host: segments get lost only where a
meter or a queue is full, and are never out of order. So what is out of order is asked for again and
not kept, there is no congestion to control, and what is under way is limited by a constant.
"""

from enum import Enum

from alcor.agent.packets.tcp import ACK, FIN, PSH, RST, SYN, Segment

window_bytes = 16_384  # what a client may send ahead
flight_bytes_max = 16_384  # what we send ahead
pending_bytes_max = 1 << 20  # that wait to be sent
retry_s_min, retry_s_max, retries_max = 0.3, 5.0, 8
idle_s_max = 60.0
mss_default = 536  # bytes, of who says nothing (RFC 9293, 3.7.1)
_MODULO = 1 << 32


class State(Enum):
    """Of the connection as a whole; which side has finished is said by fields."""

    GREETED = "our greeting is not acknowledged yet"
    OPEN = "open"
    CLOSED = "closed"


def distance(later: int, earlier: int) -> int:
    """How far `later` is behind `earlier`, modulo 2^32; negative when it is before."""
    gap = (later - earlier) % _MODULO
    return gap - _MODULO if gap >= _MODULO // 2 else gap


class Connection:
    """The server's side, from the client's SYN on."""

    def __init__(self, syn: Segment, first: int, mss: int, now: float) -> None:
        self.state = State.GREETED
        self.peer_finished = False
        self._mss_told, self._mss = mss, min(mss, syn.mss or mss_default)
        self._first = first  # the number of our SYN
        self._received = (syn.seq + 1) % _MODULO  # the next byte that we wait for
        self._their_window = syn.window
        self._waiting = bytearray()  # ours that is not acknowledged
        self._acked = first  # the number of what is acknowledged next: the SYN, then `_waiting`
        self._sent = self._top = (first + 1) % _MODULO  # sent next, and ever
        self._finishing = self._finished = False  # our FIN follows what waits; is acknowledged
        self._retries = 0
        self._retry_at: float | None = now + retry_s_min
        self._idle_at = now + idle_s_max
        self._out = [self._greeting()]

    # What the service does

    @property
    def pending(self) -> int:
        """Bytes that are not acknowledged."""
        return len(self._waiting)

    def write(self, data: bytes, now: float) -> None:
        """Send; what is too much for a client that reads nothing ends the connection."""
        if self.state is State.CLOSED or self._finishing:
            return
        self._waiting += data
        if len(self._waiting) > pending_bytes_max:
            self.abort()
        else:
            self._push(now)

    def finish(self, now: float) -> None:
        """Say that nothing more comes."""
        if self.state is not State.CLOSED:
            self._finishing = True
            self._push(now)

    def abort(self) -> None:
        """End it at once, with a reset."""
        if self.state is not State.CLOSED:
            self._out.append(Segment(self._sent, self._received, RST | ACK, 0))
            self.state = State.CLOSED

    # What the shell does

    def take(self) -> list[Segment]:
        """The segments to send now."""
        out, self._out = self._out, []
        return out

    @property
    def wake_at(self) -> float:
        """When `tick` must be called, if nothing comes before."""
        return self._idle_at if self._retry_at is None else min(self._retry_at, self._idle_at)

    def tick(self, now: float) -> None:
        """Time has passed: send again what is not acknowledged, or give up."""
        if self.state is State.CLOSED:
            return
        if now >= self._idle_at:
            self.abort()
        elif self._retry_at is not None and now >= self._retry_at:
            self._retries += 1
            if self._retries > retries_max:
                self.abort()
                return
            self._retry_at = now + min(retry_s_min * 2**self._retries, retry_s_max)
            if self.state is State.GREETED:
                self._out.append(self._greeting())
            else:
                self._sent = self._acked
                self._send(room_min=1)  # a closed window is asked again with one byte

    def receive(self, segment: Segment, now: float) -> bytes:
        """Take a segment; the bytes that are new, in their order."""
        if self.state is State.CLOSED:
            return b""
        offset = distance(segment.seq, self._received)
        if segment.flags & RST:
            if 0 <= offset < window_bytes:
                self.state = State.CLOSED
            return b""
        if segment.flags & SYN:
            if self.state is State.GREETED and offset == -1:
                self._out.append(self._greeting())
            else:
                self._acknowledge()  # who means it answers with a reset (RFC 5961)
            return b""
        if not segment.flags & ACK or not self._take_ack(segment, now):
            return b""
        self._idle_at = now + idle_s_max
        data = self._take_data(segment, offset)
        self._push(now)
        if self._finished and self.peer_finished:
            self.state = State.CLOSED
        return data

    def _take_ack(self, segment: Segment, now: float) -> bool:
        """Whether the segment is of this connection as it is."""
        new = distance(segment.ack, self._acked)
        if new > distance(self._top, self._acked):
            self._acknowledge()
            return False
        if new <= 0:
            if new == 0:
                self._their_window = segment.window
            return self.state is State.OPEN
        self._their_window = segment.window
        if self.state is State.GREETED:
            self.state = State.OPEN
            new -= 1
        self._finished = new > len(self._waiting)
        del self._waiting[:new]
        self._acked = segment.ack
        if distance(self._sent, self._acked) < 0:
            self._sent = self._acked
        self._retries, self._retry_at = 0, None
        if self._sent != self._acked:
            self._retry_at = now + retry_s_min
        return True

    def _take_data(self, segment: Segment, offset: int) -> bytes:
        """What is new of a segment that begins `offset` bytes after what we wait for."""
        if not segment.payload and not segment.flags & FIN and offset >= 0:
            return b""
        data = b""
        if offset <= 0 and not self.peer_finished:
            data = segment.payload[-offset:][:window_bytes]
            self._received = (self._received + len(data)) % _MODULO
            end = segment.seq + len(segment.payload)
            if segment.flags & FIN and distance(end, self._received) == 0:
                self._received = (self._received + 1) % _MODULO
                self.peer_finished = True
        self._acknowledge()
        return data

    # What is sent

    def _push(self, now: float) -> None:
        if self.state is State.OPEN:
            self._send()
            if self._retry_at is None and (self._waiting or self._finishing > self._finished):
                self._retry_at = now + retry_s_min

    def _send(self, room_min: int = 0) -> None:
        """What the client has room for; our FIN after the last byte."""
        if self._finished:
            return
        room = max(min(self._their_window, flight_bytes_max), room_min)
        while (at := distance(self._sent, self._acked)) < min(room, len(self._waiting)):
            size = min(self._mss, room - at, len(self._waiting) - at)
            is_last = at + size == len(self._waiting)
            data = bytes(self._waiting[at : at + size])
            flags = ACK | PSH * is_last
            self._out.append(Segment(self._sent, self._received, flags, window_bytes, data))
            self._sent = (self._sent + size) % _MODULO
        if self._finishing and at == len(self._waiting):
            self._out.append(Segment(self._sent, self._received, FIN | ACK, window_bytes))
            self._sent = (self._sent + 1) % _MODULO
        if distance(self._sent, self._top) > 0:
            self._top = self._sent

    def _greeting(self) -> Segment:
        flags = SYN | ACK
        return Segment(self._first, self._received, flags, window_bytes, mss=self._mss_told)

    def _acknowledge(self) -> None:
        self._out.append(Segment(self._sent, self._received, ACK, window_bytes))


def refusal(segment: Segment) -> Segment | None:
    """The reset for a segment of no connection (RFC 9293, 3.5.2)."""
    if segment.flags & RST:
        return None
    if segment.flags & ACK:
        return Segment(segment.ack, 0, RST, 0)
    length = len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
    return Segment(0, (segment.seq + length) % _MODULO, RST | ACK, 0)
