"""HTTP of machines: what is whole is asked in order, the doubtful refused, any bytes survived."""

import asyncio
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import Wired
from alcor.agent.services.http import (
    HttpRequest,
    HttpResponse,
    HttpSession,
    Reply,
    body_bytes_max,
    head_bytes_max,
    requests_waiting_max,
    target_of,
)
from alcor.agent.services.metadata import Metadata, identity, requests_burst
from alcor.agent.services.streams import Line
from alcor.agent.services.upstream import Upstream
from alcor.goal_state.entries import FixedIp, Network, Port
from alcor.values.addresses import Mac, address

PORT = Port(
    "p1", "n1", Mac(1), (FixedIp("s", address("10.0.0.5")),), True, True, "web", "vm-1",
    project_id="project-1",
)  # fmt: skip
WIRED = Wired(PORT, Network("n1", 7, 1450, True, ""), 3, 3, PORT.device_id)


class Wire:
    """A connection that keeps what is written."""

    def __init__(self, wired: Wired = WIRED) -> None:
        self.wired, self.client = wired, "10.0.0.5"
        self.said = b""
        self.is_finished = False

    def write(self, data: bytes) -> None:
        assert not self.is_finished
        self.said += data

    def finish(self) -> None:
        self.is_finished = True

    def abort(self) -> None:
        self.is_finished = True


class Service:
    """Keeps what it is asked; answers when it is told to, or at once."""

    def __init__(self, at_once: bool = True) -> None:
        self.at_once = at_once
        self.asked: list[HttpRequest] = []
        self.replies: list[Reply] = []

    def __call__(self, request: HttpRequest, line: Line, reply: Reply) -> None:
        self.asked.append(request)
        if self.at_once:
            reply(HttpResponse(200, (), request.target))
        else:
            self.replies.append(reply)


def session(service: Service) -> tuple[Wire, HttpSession]:
    wire = Wire()
    return wire, HttpSession(wire, service)


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    lines = [f"GET {path} HTTP/{version}", "Host: 169.254.169.254", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def statuses(wire: Wire) -> list[int]:
    return [int(each[:3]) for each in wire.said.split(b"HTTP/1.1 ")[1:]]


@given(st.integers(1, 60))
def test_a_request_in_pieces_is_asked_once_and_answered(size: int) -> None:
    service = Service()
    wire, http = session(service)
    data = get("/latest/meta-data?x=1", "X-A: b")

    for at in range(0, len(data), size):
        http.received(data[at : at + size])

    (asked,) = service.asked
    assert (asked.method, asked.target) == (b"GET", b"/latest/meta-data?x=1")
    assert (b"X-A", b"b") in asked.headers
    assert wire.said.endswith(b"\r\n\r\n/latest/meta-data?x=1")
    assert not wire.is_finished


def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    service = Service(at_once=False)
    wire, http = session(service)
    http.received(get("/a") + get("/b"))
    assert [each.target for each in service.asked] == [b"/a"]

    service.replies[0](HttpResponse(200, (), b"A"))
    service.replies[1](HttpResponse(200, (), b"B"))

    assert [each.target for each in service.asked] == [b"/a", b"/b"]
    assert wire.said.index(b"\r\n\r\nA") < wire.said.index(b"\r\n\r\nB")


def test_who_wants_no_more_is_hung_up_on_after_the_answer() -> None:
    for request in (get("/", "Connection: close"), get("/", version="1.0")):
        wire, http = session(Service())
        http.received(request)
        assert wire.is_finished
        assert b"Connection: close" in wire.said


def test_a_client_that_finished_speaking_still_gets_its_answer() -> None:
    service = Service(at_once=False)
    wire, http = session(service)
    http.received(get("/"))
    http.ended()
    assert not wire.is_finished

    service.replies[0](HttpResponse(200, (), b"late"))

    assert wire.said.endswith(b"late")
    assert wire.is_finished


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (get("/", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (get("/", "Content-Length: 3", "Content-Length: 4"), 400),
        (get("/", "X-A: " + "x" * head_bytes_max), 431),
        (get("/" + "x" * head_bytes_max), 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"
         + bytes(body_bytes_max + 1), 413),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_or_is_too_large_is_refused(
    data: bytes, status: int
) -> None:
    service = Service()
    wire, http = session(service)

    http.received(data)
    http.received(get("/after"))

    assert statuses(wire) == [status]
    assert wire.is_finished
    assert service.asked == []


def test_nobody_speaks_another_protocol_after_an_upgrade() -> None:
    wire, http = session(Service())

    http.received(get("/", "Upgrade: websocket", "Connection: Upgrade") + b"x")

    assert statuses(wire)[-1] == 400
    assert wire.is_finished


def test_requests_that_wait_are_limited() -> None:
    service = Service(at_once=False)
    wire, http = session(service)

    http.received(get("/x") * (requests_waiting_max + 3))

    assert wire.is_finished
    assert len(service.asked) == 1


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_are_requests_or_refused(pieces: list[bytes]) -> None:
    for start in (b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"):
        wire, http = session(Service())
        http.received(start)
        for piece in pieces:
            if not wire.is_finished:
                http.received(piece)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (b"/latest?x=y", b"/latest?x=y"),
        (b"//latest", b"//latest"),
        (b"http://elsewhere:1/latest?x", b"/latest?x"),
        (b"http://elsewhere", b"/"),
        (b"", None),
    ],
)
def test_a_request_asks_for_a_path_whatever_host_it_names(url: bytes, target: bytes) -> None:
    assert target_of(url) == target


def test_who_asks_is_said_by_the_port_and_signed() -> None:
    said = dict(identity(WIRED, "10.9.9.9", b"secret"))

    assert said[b"X-Instance-ID"] == b"vm-1"
    assert said[b"X-Tenant-ID"] == b"project-1"
    assert said[b"X-Forwarded-For"] == b"10.0.0.5"
    signature = hmac.new(b"secret", b"vm-1", hashlib.sha256).hexdigest()
    assert said[b"X-Instance-ID-Signature"] == signature.encode()


def asked(metadata: Metadata, request: HttpRequest, port: Port = PORT) -> list[int]:
    told: list[int] = []
    wired = WIRED._replace(port=port, device_id=port.device_id)
    metadata.ask(request, Wire(wired), lambda response: told.append(response.status))
    return told


def test_ports_of_no_machine_have_no_metadata_and_floods_are_stopped() -> None:
    now = [0.0]
    request = HttpRequest(b"GET", b"/", (), b"", True)

    async def play() -> None:
        metadata = Metadata(Upstream("http://127.0.0.1:1"), b"", lambda: now[0], Metrics())
        assert asked(metadata, request, PORT._replace(device_id="")) == [404]
        assert asked(metadata, request._replace(method=b"BREW")) == [405]
        told = [asked(metadata, request) for _ in range(requests_burst)]
        assert told[-1] == [429]
        assert asked(metadata, request, PORT._replace(id="p2", device_id="")) == [404]
        now[0] += 1.0
        assert asked(metadata, request) == []

    asyncio.run(play())


@pytest.mark.parametrize("url", ["", "nova:8775", "ftp://nova", "http://"])
def test_where_metadata_is_must_be_an_http_url(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Upstream(url)
