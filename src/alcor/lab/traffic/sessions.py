"""TCP and UDP between machines: what can be opened, and what still goes through when it is open.

Sockets are made inside the machines' namespaces and used from here. Every exchange sends words that
were never sent before and waits for exactly those, so an old answer proves nothing.
"""

import select
import socket
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Literal, Self

from alcor.lab import namespaces

Protocol = Literal["tcp", "udp"]

open_timeout_s = 5.0
_word_bytes = 16


class Session:
    """A connection that a client's machine opens to a server's.

    Of UDP the server knows its client once the first words have come.
    """

    def __init__(
        self,
        protocol: Protocol,
        client: str,
        server: str,
        address: str,
        port: int,
        timeout_s: float = open_timeout_s,
    ) -> None:
        """`client` and `server` are namespaces; `TimeoutError` when it can't be opened in time."""
        self._stream = protocol == "tcp"
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._sent = 0
        self._stack = ExitStack()
        try:
            listener = self._socket(server)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            self._client = self._socket(client)
            self._client.settimeout(timeout_s)
            self._open(listener, (address, port), timeout_s)
        except BaseException:
            self._stack.close()
            raise

    def _socket(self, namespace: str) -> socket.socket:
        kind = socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM
        with namespaces.inside(namespace):
            return self._stack.enter_context(socket.socket(self._family, kind))

    def _open(self, listener: socket.socket, there: tuple[str, int], timeout_s: float) -> None:
        if self._stream:
            listener.listen()
            self._client.connect(there)
            listener.settimeout(timeout_s)
            self._server = self._stack.enter_context(listener.accept()[0])
            listener.close()  # another session may have the same port
        else:
            self._client.connect(there)
            self._server = listener
            self._greet(listener, timeout_s)
        self._client.setblocking(False)
        self._server.setblocking(False)

    def _greet(self, listener: socket.socket, timeout_s: float) -> None:
        deadline = monotonic() + timeout_s
        while (left := deadline - monotonic()) > 0:
            self._client.send(self._word())
            if select.select([listener], [], [], min(0.2, left))[0]:
                listener.connect(listener.recvfrom(64)[1])
                return
        raise TimeoutError("no datagram came")

    def _word(self) -> bytes:
        self._sent += 1
        return str(self._sent).rjust(_word_bytes).encode()

    def ask(self, within_s: float) -> bool:
        """Whether words of the client reach the server and its answer comes back, in time."""
        half = within_s / 2
        return self._tell(self._client, self._server, half) and self.push(half)

    def push(self, within_s: float) -> bool:
        """Whether words of the server reach the client in time, unasked."""
        return self._tell(self._server, self._client, within_s)

    def _tell(self, source: socket.socket, target: socket.socket, within_s: float) -> bool:
        word, heard, deadline = self._word(), b"", monotonic() + within_s
        with suppress(OSError):  # an ICMP error about earlier words
            source.send(word)
        while word not in heard:
            left = deadline - monotonic()
            if left <= 0 or not select.select([target], [], [], left)[0]:
                return False
            try:
                more = target.recv(4096)
            except OSError:
                continue
            if not more and self._stream:
                return False
            heard = (heard + more)[-4096:]
        return True

    def close(self) -> None:
        """Close both ends."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()


def opens(
    protocol: Protocol, client: str, server: str, address: str, port: int, timeout_s: float
) -> bool:
    """Whether a session can be opened and used in time; `client` and `server` are namespaces."""
    try:
        with Session(protocol, client, server, address, port, timeout_s) as session:
            return session.ask(timeout_s)
    except OSError:  # no answer in time, or an error that says why not
        return False
