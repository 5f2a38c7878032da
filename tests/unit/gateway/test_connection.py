"""A connection: requests in whatever pieces they come, answers in order, and nothing for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from alcor.gateway.app import GatewaySettings
from alcor.gateway.errors import refusal_response
from alcor.gateway.http.arriving import ahead_bytes_max, drained_bytes_max
from alcor.gateway.http.connection import Connection, Serving, head_bytes_max
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response
from alcor.values.errors import Refusal

most = 200_000  # bytes of a body
LIMITS = Limits(**{name: getattr(GatewaySettings(), name) for name in Limits._fields})


class Line(asyncio.Transport):
    """The client's end of a connection, as a test sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""  # to the client
        self.open = True
        self.reading = True
        self.unread = 0

    def write(self, data: Any) -> None:
        assert self.open
        self.sent += data

    def close(self) -> None:
        self.open = False

    def abort(self) -> None:
        self.open = False

    def is_closing(self) -> bool:
        return not self.open

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert self.open
        assert not self.reading
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.unread


class Client:
    """Speaks to a connection whose requests are answered with their path and body."""

    def __init__(self) -> None:
        self.line = Line()
        self.go = asyncio.Event()
        self.go.set()
        self.asked: list[str] = []  # the paths, when their turn came
        self.serving = Serving(self._answer, LIMITS._replace(body_bytes_max=most))
        self.connection = Connection(self.serving)
        self.connection.connection_made(self.line)

    async def _answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        await self.go.wait()
        if request.path == "/gone":
            return Response(204)
        if request.path == "/unread":
            return Response(401, b"who?")
        try:
            content = await request.body()
        except Refusal as refusal:
            return refusal_response(refusal)
        return Response(200, request.path.encode() + b" " + content)

    async def send(self, *pieces: bytes) -> None:
        """Send, piece by piece, and wait until nothing more happens."""
        for piece in pieces:
            self.connection.data_received(piece)
            await turns()

    def hang_up(self) -> None:
        self.line.open = False
        self.connection.connection_lost(None)

    def answers(self) -> list[tuple[int, bytes]]:
        """Status and body of each answer that was sent."""
        found, left = [], self.line.sent
        while left:
            head, _, left = left.partition(b"\r\n\r\n")
            lines = dict(line.split(b": ") for line in head.split(b"\r\n")[1:])
            size = int(lines.get(b"content-length", b"0"))
            found.append((int(head[9:12]), left[:size]))
            left = left[size:]
        return found


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(case: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        await case(Client())

    asyncio.run(main())


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Length: {size}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", *headers, "", ""]).encode()


def test_a_request_in_any_pieces_is_one_request() -> None:
    async def case(client: Client) -> None:
        whole = post("/a%20b?x=1", b"hello")
        await client.send(*[bytes([byte]) for byte in whole])
        await client.send(whole)
        assert client.answers() == [(200, b"/a b hello")] * 2

    run(case)


def test_a_body_in_chunks_is_put_together() -> None:
    async def case(client: Client) -> None:
        head = get("/x", "Transfer-Encoding: chunked", method="POST")
        await client.send(head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
        assert client.answers() == [(200, b"/x abcde")]

    run(case)


def test_requests_sent_ahead_are_answered_in_order_one_at_a_time() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(get("/1") + get("/2") + get("/3"))
        assert (client.asked, client.line.reading) == (["/1"], False)
        client.go.set()
        await turns()
        assert [body for _, body in client.answers()] == [b"/1 ", b"/2 ", b"/3 "]
        assert client.line.reading

    run(case)


def test_a_second_request_whose_body_is_still_to_come_is_read_when_it_is_its_turn() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(get("/1") + post("/2", b"he", length=5))
        assert not client.line.reading
        client.go.set()
        await turns()
        assert client.line.reading
        await client.send(b"llo")
        assert client.answers() == [(200, b"/1 "), (200, b"/2 hello")]

    run(case)


def test_a_body_that_nobody_asked_for_yet_is_not_read_ahead() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        part = bytes(ahead_bytes_max)
        await client.send(post("/x", b"", length=3 * len(part)), part)
        assert client.line.reading
        await client.send(part)
        assert not client.line.reading
        client.go.set()
        await turns()
        assert client.line.reading
        await client.send(part)
        ((status, body),) = client.answers()
        assert (status, len(body)) == (200, len("/x ") + 3 * len(part))

    run(case)


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_larger_than_allowed_is_refused_and_its_rest_thrown_away(declared: bool) -> None:
    async def case(client: Client) -> None:
        part = bytes(most // 2)
        if declared:
            head, parts = post("/x", b"", length=len(part) * 4), [part] * 4
        else:
            head = get("/x", "Transfer-Encoding: chunked", method="POST")
            parts = [*([b"%x\r\n%b\r\n" % (len(part), part)] * 4), b"0\r\n\r\n"]
        await client.send(head, *parts[:3])
        ((status, body),) = client.answers()
        assert status == 413
        assert b"larger than 200000 bytes" in body
        assert (client.line.open, client.line.reading) == (True, True)
        await client.send(*parts[3:])
        assert not client.line.open

    run(case)


def test_whoever_sends_on_for_ever_is_cut_off() -> None:
    async def case(client: Client) -> None:
        await client.send(post("/unread", b"", length=1 << 40))
        part = bytes(1 << 20)
        for _ in range(drained_bytes_max // len(part)):
            await client.send(part)
        assert client.line.open
        await client.send(part)
        assert not client.line.open

    run(case)


def test_an_answer_before_the_body_is_the_last() -> None:
    async def case(client: Client) -> None:
        await client.send(post("/unread", b"", length=5))
        assert client.answers() == [(401, b"who?")]
        assert b"connection: close" in client.line.sent
        await client.send(b"hello" + get("/next"))
        assert client.asked == ["/unread"]
        assert not client.line.open

    run(case)


def test_a_client_that_asks_may_send_its_body() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(post("/x", b"", "Expect: 100-continue", length=5))
        assert client.line.sent == b""
        client.go.set()
        await turns()
        assert client.line.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.line.sent = b""
        await client.send(b"hello")
        assert client.answers() == [(200, b"/x hello")]

    run(case)


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00", b"MADEUP / HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_is_refused(garbage: bytes) -> None:
    async def case(client: Client) -> None:
        await client.send(garbage)
        ((status, body),) = client.answers()
        assert (status, b"NeutronError" in body, client.line.open) == (400, True, False)

    run(case)


def test_what_is_no_request_after_one_is_not_answered() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(get("/1") + b"\x16\x03\x01\x02\x00")
        assert client.line.open
        client.go.set()
        await turns()
        assert (client.answers(), client.line.open) == ([(200, b"/1 ")], False)

    run(case)


def test_a_body_that_is_broken_off_is_refused() -> None:
    async def case(client: Client) -> None:
        head = get("/x", "Transfer-Encoding: chunked", method="POST")
        await client.send(head, b"3\r\nabc\r\n", b"nonsense")
        ((status, body),) = client.answers()
        assert (status, client.line.open) == (400, False)
        assert b"ended too soon" in body

    run(case)


def test_a_head_without_end_is_refused() -> None:
    async def case(client: Client) -> None:
        await client.send(b"GET / HTTP/1.1\r\n", b"a: " + b"b" * head_bytes_max)
        assert [status for status, _ in client.answers()] == [400]
        assert not client.line.open

    run(case)


def test_many_requests_are_no_long_head() -> None:
    async def case(client: Client) -> None:
        for _ in range(40):
            await client.send(post("/x", bytes(1 + head_bytes_max // 20 - 100)))
        assert [status for status, _ in client.answers()] == [200] * 40

    run(case)


@pytest.mark.parametrize(
    "last",
    [
        get("/x", "Connection: close"),
        get("/x", version="1.0"),
        get("/x", "Connection: Upgrade", "Upgrade: websocket"),
    ],
)
def test_the_last_request_is_answered_and_the_connection_closed(last: bytes) -> None:
    async def case(client: Client) -> None:
        await client.send(last)
        assert client.answers() == [(200, b"/x ")]
        assert b"connection: close" in client.line.sent
        assert not client.line.open

    run(case)


def test_some_answers_have_no_body() -> None:
    async def case(client: Client) -> None:
        await client.send(get("/x", method="HEAD"))
        assert b"content-length: 3\r\n" in client.line.sent
        assert client.line.sent.endswith(b"\r\n\r\n")
        client.line.sent = b""
        await client.send(get("/gone", method="DELETE"))
        assert b"content-length" not in client.line.sent
        assert client.answers() == [(204, b"")]

    run(case)


def test_whoever_does_not_read_an_answer_gets_no_other() -> None:
    async def case(client: Client) -> None:
        client.connection.pause_writing()
        await client.send(get("/1"))
        assert client.asked == []
        client.connection.resume_writing()
        await turns()
        assert client.answers() == [(200, b"/1 ")]

    run(case)


def test_a_client_that_hangs_up_ends_what_waits_for_it() -> None:
    async def case(client: Client) -> None:
        await client.send(post("/x", b"he", length=5))
        assert not client.connection.idle
        client.hang_up()
        await turns()
        assert client.connection.idle
        assert client.line.sent == b""
        assert client.serving.connections == set()

    run(case)


def test_silence_ends_a_connection_only_where_it_is_the_clients() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(get("/1"))
        client.connection.silent()
        assert client.line.open  # it is our turn
        client.go.set()
        await turns()
        client.connection.silent()
        assert not client.line.open

    run(case)


def test_a_head_that_comes_bit_by_bit_is_waited_for_no_longer_than_one_that_does_not() -> None:
    async def case(client: Client) -> None:
        for piece in (b"GET /x HTTP/1.1\r\n", b"a: 1\r\n", b"b: 2\r\n"):
            client.serving.second += 30
            await client.send(piece)
        assert client.serving.second - client.connection.heard == 60
        await client.send(b"\r\n")
        assert client.asked == ["/x"]
        client.serving.second += 30
        await client.send(b"GET /y HTTP/1.1\r\n")
        assert client.connection.heard == client.serving.second

    run(case)


def test_a_body_that_comes_bit_by_bit_is_heard() -> None:
    async def case(client: Client) -> None:
        whole = post("/x", b"hello", length=5)
        for piece in (whole[:20], whole[20:-5], whole[-5:-3], whole[-3:]):
            client.serving.second += 30
            await client.send(piece)
        assert client.connection.heard == client.serving.second
        assert [status for status, _ in client.answers()] == [200]

    run(case)


def test_who_was_answered_late_may_ask_again() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(get("/1"))
        client.serving.second += 100
        client.go.set()
        await turns()
        assert client.connection.heard == client.serving.second

    run(case)


def test_silence_within_a_body_is_told() -> None:
    async def case(client: Client) -> None:
        await client.send(post("/x", b"he", length=5))
        client.connection.silent()
        await turns()
        assert [status for status, _ in client.answers()] == [400]
        assert not client.line.open

    run(case)


def test_whoever_reads_slowly_is_not_silent() -> None:
    async def case(client: Client) -> None:
        client.connection.pause_writing()
        for client.line.unread in (9_000, 8_000):
            client.connection.silent()
            assert client.line.open
        client.connection.silent()
        assert not client.line.open

    run(case)


def test_while_stopping_an_answer_is_the_last() -> None:
    async def case(client: Client) -> None:
        client.go.clear()
        await client.send(get("/1") + get("/2"))
        client.serving.stopping = True
        client.go.set()
        await turns()
        assert (client.asked, client.line.open) == (["/1"], False)
        assert client.answers() == [(200, b"/1 ")]

    run(case)
