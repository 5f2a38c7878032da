"""A server of 127.0.0.1 as a process of ours: started, waited for, stopped."""

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from acceptance.environments import AcceptanceError

ready_s_max = 60.0
stop_s_max = 15.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A process that answers `url` when it is ready (empty: at once); use it as a context."""

    def __init__(
        self, argv: Sequence[str], url: str, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self._argv, self.url, self.log = list(argv), url, log
        self.env = dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._argv,
                stdout=out,
                stderr=out,
                env=dict(os.environ) | self.env,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it and what it started; no error when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(stop_s_max)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    def _wait(self) -> None:
        assert self._process is not None
        if not self.url:
            return
        deadline = monotonic() + ready_s_max
        while self._process.poll() is None and monotonic() < deadline:
            if _answers(self.url):
                return
            sleep(0.1)
        tail = self.log.read_text(errors="replace")[-2_000:]
        raise AcceptanceError(f"{' '.join(self._argv)} did not get ready: {tail}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except OSError:
        return False
