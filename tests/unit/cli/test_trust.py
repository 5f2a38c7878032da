"""Whose certificates the client believes, as OpenStack's own settings say it."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.fixtures.authority import Authority

from alcor.client.connection import ClientError, Connection, Unreachable
from alcor.client.credentials import sign_in


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"versions": []}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "own")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "stranger")


@pytest.fixture(scope="module")
def endpoint(authority: Authority) -> Iterator[str]:
    """An API by TLS, with a certificate of an authority that no system knows."""
    files = authority.files("network.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    server = HTTPServer(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


def ask(endpoint: str, environment: dict[str, str]) -> object:
    signed = sign_in(environment)
    connection = Connection(endpoint, token=signed.token, trust=signed.trust)
    try:
        return connection.request("GET", "/").body
    finally:
        connection.close()


def cloud(folder: Path, more: str) -> dict[str, str]:
    (folder / "clouds.yaml").write_text(f"clouds: {{own: {{auth_type: none, {more}}}}}")
    return {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"), "OS_CLOUD": "own"}


@pytest.mark.parametrize("token", [{}, {"OS_TOKEN": "known"}])
def test_an_authority_of_ones_own_is_named_by_a_variable(
    endpoint: str, authority: Authority, token: dict[str, str]
) -> None:
    assert ask(endpoint, {"OS_CACERT": str(authority.folder / "ca.pem"), **token}) == {
        "versions": []
    }


def test_a_cloud_names_its_authority_or_asks_for_none(
    endpoint: str, authority: Authority, tmp_path: Path
) -> None:
    for said in (f"cacert: {authority.folder / 'ca.pem'}", "verify: false"):
        assert ask(endpoint, cloud(tmp_path, said)) == {"versions": []}


def test_others_are_refused_and_it_is_said_where_to_name_the_authority(
    endpoint: str, stranger: Authority, tmp_path: Path
) -> None:
    for environment in (
        {},
        {"OS_CACERT": str(stranger.folder / "ca.pem")},
        cloud(tmp_path, "verify: true"),
    ):
        with pytest.raises(Unreachable, match=r"not trusted .* by OS_CACERT, or as cacert"):
            ask(endpoint, environment)


def test_a_file_that_is_none_of_authorities_is_named(endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(ClientError, match=f"{name}, named by OS_CACERT or as cacert"):
            ask(endpoint, {"OS_CACERT": str(tmp_path / name)})
