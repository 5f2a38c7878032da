"""Servers under measurement, each a process of its own."""

import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import clock_gettime, monotonic, sleep
from typing import Self

from alcor.client.api import Api

ready_timeout_s = 600.0  # several deliveries may plan a large region beside each other
quiet_timeout_s = 120.0
_idle_s = 0.003  # of processor time in 30 ms: timers, no work
_quiet_looks = 3  # of 30 ms, one after the other
_scheduler_clock = 2  # of a process, in ns: what clock_getcpuclockid(3) makes of its id
_ALCOR = (sys.executable, "-m", "alcor.cli.main")


class Unexpected(Exception):
    """A server did not do what a bench relies on; the message holds what it answered."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """The processor time that a process, its threads and its children have used, in seconds."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _own_cpu_s(pid) + sum(cpu_s(int(child)) for child in children)


def _own_cpu_s(pid: int) -> float:
    return clock_gettime((~pid << 3) | _scheduler_clock)


def memory_bytes(pid: int) -> int:
    """What a process and its children hold in memory."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = next(
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(own.split()[1]) * 1024 + sum(memory_bytes(int(child)) for child in children)


class Server:
    """A process that serves a port of 127.0.0.1; use it as a context."""

    def __init__(self, argv: Sequence[str], port: int, log: Path, agents_port: int = 0) -> None:
        self._argv = argv
        self.port = port
        self.agents_port = agents_port  # where hosts are served, if they are
        self.api = Api(f"http://127.0.0.1:{port}")
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def _wait_until_ready(self) -> None:
        deadline = monotonic() + ready_timeout_s
        while self.lives and monotonic() < deadline:
            if self.api.answers():
                return
            sleep(0.02)
        tail = self._log.read_text(errors="replace")[-1_000:]
        raise Unexpected(f"{' '.join(self._argv)} did not get ready: {tail}")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """The processor time it has used so far."""
        return cpu_s(self.pid)

    def wait_until_quiet(self, patience_s: float = quiet_timeout_s) -> bool:
        """Wait until it uses no processor time: what was asked of it is done, behind it as well.

        Whether that came within `patience_s`: what many hosts repeat may never leave it quiet.
        """
        deadline = monotonic() + patience_s
        before, still = self.cpu_s(), 0
        while still < _quiet_looks and monotonic() < deadline:
            sleep(0.03)
            now = self.cpu_s()
            still = still + 1 if now - before < _idle_s else 0
            before = now
        return still == _quiet_looks

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()

    def _end(self) -> None:
        self.api.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __exit__(self, *problem: object) -> None:
        self._end()


def control_plane(data: Path, tokens: Path | None = None, nats: str = "") -> Server:
    """`alcor up` with its databases in this folder, on free ports; with a file of tokens, only for
    their bearers; with the URL of a NATS server, it serves hosts there too."""
    port, agents_port = free_port(), free_port()
    config = data / "up.toml"
    asked = "" if tokens is None else f'auth = "tokens"\ntokens_file = "{tokens}"\n'
    asked += f'[agents]\nnats = "{nats}"\n' if nats else ""
    config.write_text(asked)
    argv = [
        *(*_ALCOR, "up", "--data", str(data), "--listen", f"127.0.0.1:{port}"),
        *("--agents-listen", f"127.0.0.1:{agents_port}", "--config", str(config)),
    ]
    return Server(argv, port, data / "up.log", agents_port)


def echo(folder: Path) -> Server:
    """The bare echo."""
    port = free_port()
    return Server([sys.executable, "-m", "bench.api.echo", str(port)], port, folder / "echo.log")


def inserting_echo(folder: Path, database: Path, rows: Path, answer: Path) -> Server:
    """The bare echo that also writes rows, into this database."""
    port = free_port()
    files = [str(each) for each in (database, rows, answer)]
    argv = [sys.executable, "-m", "bench.api.inserting_echo", str(port), *files]
    return Server(argv, port, folder / "inserting-echo.log")
