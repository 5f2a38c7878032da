"""A bare host that speaks NATS, as the floor's subscribers do: `transport.nats_envelope`."""

from alcor.transport import nats_envelope, wire
from alcor.transport.link import Hello
from alcor.transport.nats_client import took_every
from alcor.transport.nats_envelope import Envelope, Kind
from bench.fleet.bare import BareHost, read_frame


class NatsHost(BareHost):
    """One connection to NATS."""

    def __init__(self, hello: Hello, number: int) -> None:
        """`number` is the connection's."""
        super().__init__(hello)
        self._number = number
        self._received = b""
        self._up = b""  # where it is heard
        self._said = self._frames = 0

    def greet(self) -> None:
        subject = nats_envelope.down(self.hello.host)
        self.write(f'CONNECT {{"verbose":false,"lang":"bench"}}\r\nSUB {subject} 1\r\n'.encode())
        self._up = nats_envelope.up(self.hello.host, "hello").encode()
        self._publish(Kind.HELLO, 0, wire.host_message_bytes(self.hello))

    def publish(self, message: bytes) -> None:
        self._said += 1
        self._publish(Kind.SAY, self._said, message)

    def data_received(self, data: bytes) -> None:
        received = self._received + data
        start = 0
        while (end := received.find(b"\r\n", start)) >= 0:
            line = received[start:end]
            start = end + 2
            if line.startswith(b"MSG "):
                size = int(line.rpartition(b" ")[2])
                if len(received) < start + size + 2:
                    start = end - len(line)
                    break
                self._hear(nats_envelope.opened(received[start : start + size]))
                start += size + 2
            elif line == b"PING":
                self.write(b"PONG\r\n")
            else:
                assert line.startswith((b"INFO ", b"PONG")), line
        self._received = received[start:]

    def _hear(self, envelope: Envelope) -> None:
        if envelope.connection != self._number:
            return  # a beat
        match envelope.kind:
            case Kind.WELCOME:
                delivery = envelope.content.decode()
                self._up = nats_envelope.up(self.hello.host, delivery).encode()
                self.write(f"SUB {nats_envelope.beat(delivery)} 2\r\n".encode())
                self.welcome()
            case Kind.FRAME:
                self._frames += 1
                assert envelope.number == self._frames, "a frame has not come"
                if self._frames % took_every == 0:
                    self._publish(Kind.TOOK, self._frames)
                self.take(read_frame(envelope.content))
            case kind:
                raise SystemExit(f"{self.hello.host} got {kind.name}: {envelope.content!r}")

    def _publish(self, kind: Kind, number: int, content: bytes = b"") -> None:
        message = Envelope(kind, self._number, number, content).packed()
        self.write(b"PUB %b %d\r\n%b\r\n" % (self._up, len(message), message))
