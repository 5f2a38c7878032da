"""Bare hosts that speak NATS, as the floor's subscribers do: `transport.nats_envelope`."""

import asyncio
from collections.abc import Sequence
from typing import cast

from alcor.transport import nats_envelope, wire
from alcor.transport.link import Hello
from alcor.transport.nats_client import took_every
from alcor.transport.nats_envelope import Envelope, Kind
from bench.fleet.bare import BareHost, read_frame

_beats = b"0"  # the subscription to beats; those to hosts are numbered from 1


class NatsHost(BareHost):
    """One host, on a connection to NATS that it may share."""

    def __init__(self, hello: Hello, number: int) -> None:
        """`number` is its connection's with the delivery."""
        super().__init__(hello)
        self._number = number
        self._up = b""  # where it is heard
        self._said = self._frames = 0
        self.delivery = ""  # that has let it in

    def greet(self) -> None:
        self._up = nats_envelope.up(self.hello.host, "hello").encode()
        self._publish(Kind.HELLO, 0, wire.host_message_bytes(self.hello))

    def publish(self, message: bytes) -> None:
        self._said += 1
        self._publish(Kind.SAY, self._said, message)

    def hear(self, envelope: Envelope) -> None:
        """A message has come."""
        if envelope.connection != self._number:
            return  # of an earlier one
        match envelope.kind:
            case Kind.WELCOME:
                self.delivery = envelope.content.decode()
                self._up = nats_envelope.up(self.hello.host, self.delivery).encode()
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


class NatsConnection(asyncio.Protocol):
    """A connection to NATS, and the hosts on it: each has its own subjects."""

    def __init__(self, hosts: Sequence[NatsHost]) -> None:
        self._hosts = {b"%d" % number: host for number, host in enumerate(hosts, start=1)}
        self._followed: set[str] = set()  # deliveries whose beats come
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.write(b'CONNECT {"verbose":false,"lang":"bench"}\r\n')
        for number, host in self._hosts.items():
            subject = nats_envelope.down(host.hello.host).encode()
            self._transport.write(b"SUB %b %b\r\n" % (subject, number))
            host.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        raise SystemExit(f"a connection to NATS is lost: {exc}")

    def data_received(self, data: bytes) -> None:
        received = self._received + data
        start = 0
        while (end := received.find(b"\r\n", start)) >= 0:
            line = received[start:end]
            start = end + 2
            if line.startswith(b"MSG "):
                _, _, number, size_text = line.split(b" ")
                size = int(size_text)
                if len(received) < start + size + 2:
                    start = end - len(line)
                    break
                if number != _beats:
                    self._hear(self._hosts[number], received[start : start + size])
                start += size + 2
            elif line == b"PING":
                self._write(b"PONG\r\n")
            else:
                assert line.startswith((b"INFO ", b"PONG")), line
        self._received = received[start:]

    def _hear(self, host: NatsHost, message: bytes) -> None:
        host.hear(nats_envelope.opened(message))
        if host.delivery and host.delivery not in self._followed:
            self._followed.add(host.delivery)
            subject = nats_envelope.beat(host.delivery).encode()
            self._write(b"SUB %b %b\r\n" % (subject, _beats))

    def _write(self, data: bytes) -> None:
        assert self._transport is not None, "connected"
        self._transport.write(data)
