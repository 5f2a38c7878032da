"""Ports for servers of tests."""

from contextlib import suppress
from random import SystemRandom
from socket import create_server

_given: set[int] = set()
_any = SystemRandom()  # whatever seed a test sets


def free_port() -> int:
    """A port of the loopback that nobody listens at, and that is given to nobody else.

    The system gives higher ones: whoever asks it for any, or connects, takes none of these, also
    while their server is away.
    """
    while True:
        port = _any.randrange(20_000, 32_768)
        if port in _given:
            continue
        with suppress(OSError), create_server(("127.0.0.1", port)):
            _given.add(port)
            return port
