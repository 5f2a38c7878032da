"""Keystone's client against an identity service in miniature, which knows one user's password."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from structlog.testing import capture_logs

from alcor.assembly.identity import service_password
from alcor.integrations.keystone.client import KeystoneClient
from alcor.integrations.keystone.settings import KeystoneSettings
from alcor.integrations.keystone.tokens import KeystoneDown

TOKEN = {
    "user": {"id": "u", "name": "u", "domain": {"id": "default", "name": "Default"}},
    "project": {"id": "p", "name": "p", "domain": {"id": "default", "name": "Default"}},
    "roles": [{"id": "r", "name": "member"}],
    "methods": ["password"],
    "issued_at": "2026-01-01T00:00:00.000000Z",
    "expires_at": "2126-01-01T00:00:00.000000Z",
}


class Miniature(ThreadingHTTPServer):
    """`POST /v3/auth/tokens` for the password of now, `GET` with a token signed for it."""

    password = "first"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v3"


class Asked(BaseHTTPRequestHandler):
    server: Miniature

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = body["auth"]["identity"]["password"]["user"]["password"]
        self._answer(201 if said == self.server.password else 401)

    def do_GET(self) -> None:
        self._answer(200 if self.headers["X-Auth-Token"] == self.server.password else 401)

    def _answer(self, status: int) -> None:
        content: Any = {"token": TOKEN} if status < 300 else {"error": {"message": "no"}}
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Subject-Token", self.server.password)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing: tests are quiet."""


@contextmanager
def miniature() -> Iterator[Miniature]:
    with Miniature() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def asked(client: KeystoneClient) -> str:
    """Whose a token is, or why nobody can tell."""
    try:
        token = asyncio.run(client.token("some-token"))
    except KeystoneDown as down:
        return str(down)
    assert token is not None
    return token.user_id


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("first\n")
    return path


def test_a_password_that_is_changed_is_read_from_its_file_without_a_restart(file: Path) -> None:
    with miniature() as server:
        settings = KeystoneSettings(auth_url=server.url, password_file=str(file))
        client = KeystoneClient(settings, service_password(settings))
        assert asked(client) == "u"

        server.password = "second"
        refused = asked(client)
        file.unlink()  # a moment without a file, as some tools renew it
        assert asked(client) == refused
        file.write_text("second\n")

        assert asked(client) == "u"
        client.close()


def test_a_wrong_password_of_ours_is_not_called_silence(file: Path) -> None:
    with miniature() as server, capture_logs() as told:
        server.password = "another"
        settings = KeystoneSettings(auth_url=server.url, password_file=str(file))
        client = KeystoneClient(settings, service_password(settings))

        assert asked(client) == "it refuses the service user of the network service"
        client.close()

    assert "keystone refuses our service user" in [line["event"] for line in told]
