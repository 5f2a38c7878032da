"""Whatever writes into a process's log, each line is JSON."""

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.authority import Authority

from alcor.lab.waiting import wait_until
from alcor.transport.tls import TlsFiles

begins = """
import asyncio, logging, warnings
from alcor.runtime.observability import logs
logs.configure("json", "warning")
warnings.warn("of a library that changes", DeprecationWarning)
logging.getLogger("library").info("what it does")
logging.getLogger("library").warning("of %s", "a library")
try:
    raise ValueError("within a library")
except ValueError:
    logging.getLogger("library").exception("failed")
asyncio.run(asyncio.sleep(0))
"""


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class Guarded:
    """`alcor up` that serves hosts by mutual TLS."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "authority")
        files = self.authority.files("control")
        settings = folder / "up.toml"
        settings.write_text(
            '[agents]\nlisten = "127.0.0.1:0"\n'
            f'tls_authority = "{files.authority}"\ntls_certificate = "{files.certificate}"\n'
            f'tls_key = "{files.key}"\n[log]\nform = "json"\n'
        )
        self._log = folder / "up.log"
        argv = [sys.executable, "-m", "alcor.cli.main", "up", "--listen", "127.0.0.1:0"]
        argv += ["--data", str(folder / "data"), "--config", str(settings)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)

    def lines(self) -> list[dict[str, Any]]:
        return lines_of(self._log.read_text())

    def port(self) -> int:
        def ups() -> list[dict[str, Any]]:
            return [line for line in self.lines() if line["event"] == "up"]

        wait_until("the control plane to be up", lambda: bool(ups()), 60)
        return int(ups()[0]["agents_port"])

    def shake(self, port: int, files: TlsFiles | None) -> bytes:
        """What is heard after a handshake, by who has these files or none."""
        context = ssl.create_default_context(cafile=self.authority.folder / "ca.pem")
        context.set_alpn_protocols(["h2"])
        context.check_hostname = False
        if files is not None:
            context.load_cert_chain(files.certificate, files.key)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain) as secure,
        ):
            try:
                return secure.recv(9)
            except ssl.SSLError:
                return b""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    found = Guarded(tmp_path)
    yield found
    found.process.kill()
    found.process.wait()


def test_handshakes_that_fail_write_no_lines_of_their_own(guarded: Guarded, tmp_path: Path) -> None:
    port = guarded.port()
    stranger = Authority(tmp_path / "stranger").files("h1")

    assert guarded.shake(port, None) == b""
    assert guarded.shake(port, stranger) == b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.recv(100)
    assert guarded.shake(port, guarded.authority.files("h1"))  # HTTP/2's settings: it is let in
    guarded.process.terminate()
    guarded.process.wait(60)

    assert guarded.lines()


def test_an_agent_that_is_not_let_in_says_so_in_its_own_words(
    guarded: Guarded, tmp_path: Path
) -> None:
    files = Authority(tmp_path / "stranger").files("h1")
    log = tmp_path / "agent.log"
    argv = [sys.executable, "-m", "alcor.cli.main", "agent", "--host", "h1"]
    argv += ["--tunnel-ip", "192.0.2.1", "--control-plane", f"127.0.0.1:{guarded.port()}"]
    argv += ["--ovs-rundir", str(tmp_path), "--state-dir", str(tmp_path / "state")]
    argv += ["--tls-ca", str(files.authority), "--tls-certificate", str(files.certificate)]
    with log.open("ab") as told:
        agent = subprocess.Popen([*argv, "--tls-key", str(files.key)], stdout=told, stderr=told)
    try:
        wait_until("the reason", lambda: 'reason": "UNAVAILABLE' in log.read_text(), 60)
    finally:
        agent.kill()
        agent.wait()

    assert lines_of(log.read_text())


def test_what_libraries_tell_is_told_as_everything_else() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", begins], capture_output=True, text=True, check=True
    )

    warning, told, failed = lines_of(done.stderr)
    assert "of a library that changes" in warning["event"]
    assert (told["event"], told["level"], told["logger"]) == ("of a library", "warning", "library")
    assert (failed["event"], failed["level"]) == ("failed", "error")
    assert "ValueError: within a library" in failed["exception"]
