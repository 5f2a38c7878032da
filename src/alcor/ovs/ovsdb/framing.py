"""Cut a stream of JSON objects that nothing separates.

Outside a string `}{` stands only between two messages; inside a string it may stand too. So: cut
there, and when the piece does not decode, cut at the next one.
"""

from typing import Any

import msgspec

message_bytes_max = 1 << 28  # a whole database in one reply; more is not believed


_OPEN = ord("{")
_LAST = b"} \t\r\n"  # what a whole message can end with


class Malformed(Exception):
    """The bytes are not what RFC 7047 says; the connection can't be trusted any more."""


class JsonFrames:
    """Feed bytes, get messages. After `Malformed` it is of no further use."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0  # no cut before this place makes a message
        self._decode = msgspec.json.Decoder().decode

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take what came from the socket and return the messages that are now complete."""
        self._rest += data
        messages = []
        while self._rest:
            message = self._next()
            if message is None:
                break
            messages.append(message)
        if len(self._rest) > message_bytes_max:
            raise Malformed(f"a message of more than {message_bytes_max} bytes")
        return messages

    def _next(self) -> dict[str, Any] | None:
        """The first message of what is held, or None when it is not complete."""
        if self._rest[0] != _OPEN:
            self._rest = self._rest.lstrip()
            if not self._rest:
                return None
            if self._rest[0] != _OPEN:
                raise Malformed("a message that is not an object")
        while True:
            end = self._rest.find(b"}{", self._searched)
            if end < 0:
                return self._last()
            message = self._decoded(end + 1)
            if message is not None:
                return message
            self._searched = end + 1

    def _last(self) -> dict[str, Any] | None:
        """What is held may be just one message, whole."""
        if self._rest[-1] in _LAST:
            message = self._decoded(len(self._rest))
            if message is not None:
                return message
        self._searched = max(self._searched, len(self._rest) - 1)
        return None

    def _decoded(self, size: int) -> dict[str, Any] | None:
        try:
            message = self._decode(memoryview(self._rest)[:size])
        except (msgspec.DecodeError, RecursionError):
            return None
        except UnicodeDecodeError as error:
            # No cut is within a character, so this is not a piece of a right message.
            raise Malformed(f"text that is not UTF-8: {error.reason}") from None
        if not isinstance(message, dict):
            raise Malformed("a message that is not an object")
        del self._rest[:size]
        self._searched = 0
        return message
