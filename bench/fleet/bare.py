"""Hosts that are hardly there: they are not what is measured.

A real host has processors of its own; thousands of these share two with the control plane. Each
has a connection of its own, says and takes what its transport lays down, and leaves out what a
healthy connection never needs: whatever is wrong ends the process. What one host has decoded, or
encoded, the next of the process does not again.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, cast

from alcor.transport import wire
from alcor.transport.link import Frame, Hello, Report
from alcor.transport.standing import heartbeat_s

read_frame = lru_cache(64)(wire.read_frame)


@lru_cache(64)
def _report_bytes(report: Report) -> bytes:
    return wire.host_message_bytes(report)


class BareHost(asyncio.Protocol):
    """One host's connection, for as long as the process lives."""

    repeats = True  # all of the process say again, now and then, how far they are
    _owing: ClassVar[list["BareHost"]] = []  # who would have said so while it was not

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.take: Callable[[Frame], None] = lambda _: None  # is called with each frame
        self.let_in = asyncio.Event()
        self._waiting: list[bytes] = []  # until it is let in
        self._report = Report(0, 0)
        self._transport: asyncio.WriteTransport | None = None

    @classmethod
    def repeat(cls, *, repeats: bool) -> None:
        """Whether all of the process say again how far they are, from now on: what they have not
        said meanwhile they say then, as who is silent for long is hung up on."""
        BareHost.repeats = repeats
        if repeats:
            owing, BareHost._owing = BareHost._owing, []
            for host in dict.fromkeys(owing):
                host.report(host._report)

    @abstractmethod
    def greet(self) -> None:
        """Begin, and say hello."""

    @abstractmethod
    def publish(self, message: bytes) -> None:
        """Say something to who has let the host in."""

    def subscribe(self, name: str) -> None:
        """Want a slice."""
        self._say(wire.host_message_bytes(wire.Subscribe(name, 0, 0)))

    def report(self, report: Report) -> None:
        """Tell how far the host is."""
        self._report = report
        self._say(_report_bytes(report))

    def welcome(self) -> None:
        """The host is let in: say what has waited for that."""
        self.let_in.set()
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.publish(message)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self.greet()
        self._beat()

    def connection_lost(self, exc: Exception | None) -> None:
        raise SystemExit(f"{self.hello.host} has lost its connection: {exc}")

    def write(self, data: bytes) -> None:
        """Send bytes."""
        assert self._transport is not None, "connected"
        self._transport.write(data)

    def _beat(self) -> None:
        """Say again how far it is, now and then: who is silent is hung up on."""
        if self.let_in.is_set():
            if BareHost.repeats:
                self.report(self._report)
            else:
                self._owing.append(self)
        asyncio.get_running_loop().call_later(heartbeat_s, self._beat)

    def _say(self, message: bytes) -> None:
        if self.let_in.is_set():
            self.publish(message)
        else:
            self._waiting.append(message)
