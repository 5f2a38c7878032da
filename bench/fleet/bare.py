"""Hosts that speak NATS as barely as the floor's subscribers do: they are not what is measured.

A real host has processors of its own; a thousand of these share two with the control plane. Each
has a connection of its own, says and takes what `transport.nats_envelope` lays down, and leaves
out what a healthy connection never needs: whatever is wrong ends the process.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from alcor.transport import nats_envelope, wire
from alcor.transport.link import Frame, Hello, Report
from alcor.transport.nats_client import took_every
from alcor.transport.nats_envelope import Envelope, Kind
from alcor.transport.standing import heartbeat_s


class BareHost(asyncio.Protocol):
    """One host's connection, for as long as the process lives."""

    def __init__(self, hello: Hello, number: int) -> None:
        """`number` is the connection's."""
        self.hello = hello
        self.take: Callable[[Frame], None] = lambda _: None  # is called with each frame
        self.let_in = asyncio.Event()
        self._number = number
        self._received = b""
        self._delivery = ""  # once it has let us in
        self._said = self._frames = 0
        self._waiting: list[wire.HostMessage] = []
        self._report = Report(0, 0)
        self._transport: asyncio.WriteTransport | None = None

    def subscribe(self, name: str) -> None:
        """Want a slice."""
        self._say(wire.Subscribe(name, 0, 0))

    def report(self, report: Report) -> None:
        """Tell how far the host is."""
        self._report = report
        self._say(report)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        subject = nats_envelope.down(self.hello.host)
        opening = f'CONNECT {{"verbose":false,"lang":"bench"}}\r\nSUB {subject} 1\r\n'
        self._transport.write(opening.encode())
        self._publish("hello", Kind.HELLO, 0, wire.host_message_bytes(self.hello))
        self._beat()

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
                self._write(b"PONG\r\n")
            else:
                assert line.startswith((b"INFO ", b"PONG")), line
        self._received = received[start:]

    def connection_lost(self, exc: Exception | None) -> None:
        raise SystemExit(f"{self.hello.host} has lost its connection: {exc}")

    def _hear(self, envelope: Envelope) -> None:
        if envelope.connection != self._number:
            return  # a beat
        match envelope.kind:
            case Kind.WELCOME:
                self._delivery = envelope.content.decode()
                self._write(f"SUB {nats_envelope.beat(self._delivery)} 2\r\n".encode())
                waiting, self._waiting = self._waiting, []
                for message in waiting:
                    self._say(message)
                self.let_in.set()
            case Kind.FRAME:
                self._frames += 1
                assert envelope.number == self._frames, "a frame has not come"
                if self._frames % took_every == 0:
                    self._publish(self._delivery, Kind.TOOK, self._frames)
                self.take(wire.read_frame(envelope.content))
            case kind:
                raise SystemExit(f"{self.hello.host} got {kind.name}: {envelope.content!r}")

    def _beat(self) -> None:
        """Say again how far it is, now and then: who is silent is hung up on."""
        if self._delivery:
            self._say(self._report)
        asyncio.get_running_loop().call_later(heartbeat_s, self._beat)

    def _say(self, message: wire.HostMessage) -> None:
        if not self._delivery:
            self._waiting.append(message)
            return
        self._said += 1
        self._publish(self._delivery, Kind.SAY, self._said, wire.host_message_bytes(message))

    def _publish(self, to: str, kind: Kind, number: int, content: bytes = b"") -> None:
        message = Envelope(kind, self._number, number, content).packed()
        subject = nats_envelope.up(self.hello.host, to)
        self._write(f"PUB {subject} {len(message)}\r\n".encode() + message + b"\r\n")

    def _write(self, data: bytes) -> None:
        assert self._transport is not None, "connected"
        self._transport.write(data)
