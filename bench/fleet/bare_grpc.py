"""A bare host that speaks gRPC: one stream of HTTP/2 (RFC 9113), of which headers are not read.

It grants all that may ever come at once, and says too little to be short of what it is granted.
"""

import struct

from alcor.transport import wire
from alcor.transport.link import Hello
from bench.fleet.bare import BareHost, read_frame

_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_window_max = (1 << 31) - 1  # RFC 9113, 6.9.1
_window_first = 65_535
_stream = 1
_HEAD = struct.Struct(">BHBBI")  # of a frame: its length in the first two
_PREFIX = struct.Struct(">BI")  # of a message of gRPC: not compressed, its length


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return _HEAD.pack(len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()  # RFC 7541, 5.2: shorter than 127, no Huffman


_REQUEST = b"".join(
    (
        b"\x83\x86",  # POST, http: RFC 7541, appendix A
        b"\x04" + _text(wire.watch_method),
        b"\x01" + _text("alcor"),
        b"\x0f\x10" + _text("application/grpc"),
        b"\x00" + _text("te") + _text("trailers"),
    )
)
_OPENING = b"".join(
    (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        _frame(_SETTINGS, 0, 0, struct.pack(">HI", 4, _window_max)),
        _frame(_WINDOW, 0, 0, struct.pack(">I", _window_max - _window_first)),
        _frame(_HEADERS, _END_HEADERS, _stream, _REQUEST),
    )
)


class GrpcHost(BareHost):
    """One `Watch`."""

    def __init__(self, hello: Hello) -> None:
        super().__init__(hello)
        self._received = b""  # of a frame that is not complete
        self._content = b""  # of a message that is not complete

    def greet(self) -> None:
        self.write(_OPENING)
        self.publish(wire.host_message_bytes(self.hello))

    def publish(self, message: bytes) -> None:
        self.write(_frame(_DATA, 0, _stream, _PREFIX.pack(0, len(message)) + message))

    def data_received(self, data: bytes) -> None:
        received, start = self._received + data, 0
        while len(received) >= start + _HEAD.size:
            high, low, kind, flags, _ = _HEAD.unpack_from(received, start)
            end = start + _HEAD.size + (high << 16 | low)
            if len(received) < end:
                break
            self._hear(kind, flags, received[start + _HEAD.size : end])
            start = end
        self._received = received[start:]

    def _hear(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == _DATA:
            self._content += payload
            self._read()
        elif kind == _HEADERS and not flags & _END_STREAM:
            self.welcome()
        elif kind in (_SETTINGS, _PING) and not flags & _ACK:
            self.write(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
        elif kind in (_HEADERS, _RESET, _GOAWAY):
            raise SystemExit(f"{self.hello.host} was hung up on: {kind}, {payload!r}")

    def _read(self) -> None:
        content, start = self._content, 0
        while len(content) >= start + _PREFIX.size:
            _, size = _PREFIX.unpack_from(content, start)
            end = start + _PREFIX.size + size
            if len(content) < end:
                break
            self.take(read_frame(content[start + _PREFIX.size : end]))
            start = end
        self._content = content[start:]
