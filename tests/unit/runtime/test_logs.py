"""A process tells more while it is asked to, and nobody has to start it again for that."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SPEAKER = """
import asyncio, os, signal, sys
import structlog
from alcor.runtime.observability import logs

logs.configure("json", sys.argv[1])
log = structlog.get_logger()

async def speak():
    logs.listen()
    while True:
        for level in ("debug", "info", "warning", "error"):
            getattr(log, level)(level)
        print("spoken", file=sys.stderr)
        await asyncio.to_thread(sys.stdin.readline)

os.kill(os.getpid(), signal.SIGUSR1)  # nobody listens yet, and that ends nothing
asyncio.run(speak())
"""


class Process:
    """A process that writes a log."""

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        assert running.stdin is not None
        assert running.stderr is not None
        self.running, self._says, self._hears = running, running.stderr, running.stdin

    def until(self, event: str) -> list[str]:
        """The events that it tells before this one; the deadline is the test run's."""
        told: list[str] = []
        for line in self._says:
            told.append(json.loads(line)["event"] if line.startswith("{") else line.strip())
            if told[-1] == event:
                return told[:-1]
        raise AssertionError(f"it ended without {event}: {told}")

    def asked(self, number: signal.Signals) -> list[str]:
        """What the speaker says after a signal."""
        self.running.send_signal(number)
        self.until("log.level")
        self._hears.write("\n")
        self._hears.flush()
        return self.until("spoken")


@contextmanager
def started(*words: str) -> Iterator[Process]:
    with subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Process(process)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("level", "told"), [("info", ["info", "warning", "error"]), ("warning", ["warning", "error"])]
)
def test_signals_make_the_log_tell_all_and_then_what_is_set_again(
    level: str, told: list[str]
) -> None:
    with started("-c", SPEAKER, level) as process:
        assert process.until("spoken") == told

        assert process.asked(signal.SIGUSR1) == ["debug", "info", "warning", "error"]
        assert process.asked(signal.SIGUSR2) == told
        assert process.asked(signal.SIGUSR1) == ["debug", "info", "warning", "error"]


def test_an_agent_is_asked_by_signals(tmp_path: Path) -> None:
    """On a host without a switch and without a control plane."""
    words = ["agent", "--host", "h1", "--tunnel-ip", "192.0.2.1", "--control-plane", "127.0.0.1:1"]
    words += ["--ovs-rundir", str(tmp_path), "--state-dir", str(tmp_path / "state")]

    with started("-m", "alcor.cli.main", *words) as process:
        process.until("no control plane")
        process.running.send_signal(signal.SIGUSR1)
        process.until("log.level")
        process.until("no switch")
        process.running.send_signal(signal.SIGUSR2)
        process.until("log.level")
