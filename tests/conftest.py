"""What all tests share: `--update` writes recorded outputs again; reviewers read the difference."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_server

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the recorded outputs of scenarios again"
    )


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether recorded outputs are to be written again."""
    return bool(request.config.getoption("--update"))


class NatsServer:
    """A NATS server with JetStream, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with create_server(("127.0.0.1", 0)) as door:
            self.port = door.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start it, on the data that it left."""
        program = Path(sys.executable).with_name("nats-server")
        argv = [program, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", self.folder]
        with self.folder.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server for everybody who needs none of their own."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.kill()


@pytest.fixture
def own_nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A NATS server that the test may kill."""
    server = NatsServer(tmp_path / "nats")
    yield server
    server.kill()
