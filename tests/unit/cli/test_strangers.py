"""What answers at an endpoint may be any web server, or nobody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from alcor.cli.exits import Exit, exit_for
from alcor.cli.main import app
from alcor.client.connection import ClientError, Refused, Unreachable

PAGE = b"<html><body><h1>It works!</h1></body></html>"


@contextmanager
def stranger(status: int) -> Iterator[str]:
    """A web server that answers everything with the same page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("words", [("port", "list"), ("port", "show", "vm"), ("wait", "port:1")])
@pytest.mark.parametrize("status", [200, 404])
def test_it_is_told_from_a_control_plane_and_its_page_is_not_shown(
    status: int, words: tuple[str, ...]
) -> None:
    """A page was an exception, or was shown, with the exit status of a name that is not there."""
    with stranger(status) as endpoint:
        done = CliRunner().invoke(app, [*words, "--endpoint", endpoint])

    problem = done.exception
    assert isinstance(problem, ClientError)
    assert f"what answers at {endpoint} is not the Networking API" in str(problem)
    assert "It works" not in str(problem)
    assert exit_for(problem) is Exit.UNREACHABLE


def test_of_one_without_tls_it_is_said_that_it_has_none() -> None:
    """It was said that nobody answers."""
    with stranger(200) as endpoint:
        secure = endpoint.replace("http:", "https:")
        done = CliRunner().invoke(app, ["port", "list", "--endpoint", secure])

    assert f"what answers at {secure} speaks no TLS of ours" in str(done.exception)


def test_of_a_proxy_whose_control_plane_is_away_the_status_is_told() -> None:
    with stranger(502) as endpoint:
        done = CliRunner().invoke(app, ["port", "list", "--endpoint", endpoint])

    assert isinstance(done.exception, Refused)
    assert (done.exception.status, done.exception.kind) == (502, "Bad Gateway")
    assert exit_for(done.exception) is Exit.FAILED


@pytest.mark.parametrize("status", [200, 404])
def test_nothing_is_imported_from_it(status: int) -> None:
    """Of one that has no collection at all it was said that everything of it is here."""
    with stranger(status) as source:
        done = CliRunner().invoke(
            app, ["import", "--from", source, "--endpoint", "http://127.0.0.1:1", "--check"]
        )

    assert isinstance(done.exception, ClientError)
    assert source in str(done.exception)
    assert "is not the Networking API" in str(done.exception)


def test_no_control_plane_has_an_exit_code_of_its_own_and_says_what_to_do() -> None:
    done = CliRunner().invoke(app, ["network", "list", "--endpoint", "http://127.0.0.1:9"])

    assert isinstance(done.exception, Unreachable)
    assert "alcor up" in str(done.exception)
    assert exit_for(done.exception) is Exit.UNREACHABLE
