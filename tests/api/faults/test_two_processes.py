"""`alcor up` is two processes, managers and delivery: neither lives without the other."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.api.conftest import Api

wait_s_max = 30

PARENT = """
import resource
import signal
import sys
import msgspec
from alcor.assembly.config import Config
from alcor.assembly.embedded import serve

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run where it is ignored
if len(sys.argv) > 2:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), most))
serve(
    msgspec.json.decode(sys.argv[1], type=Config),
    lambda running: print(*running.api, flush=True),
)
"""


class Up(NamedTuple):
    process: "subprocess.Popen[str]"
    api: Api

    @property
    def child(self) -> int:
        """The delivery's process id."""
        pid = self.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(child)


def started(data: Path, agents: str, *files: str) -> "subprocess.Popen[str]":
    """The process; `files`: the soft limit of its files that it begins with."""
    config = {"data": str(data), "listen": "127.0.0.1:0", "agents": {"listen": agents}}
    argument = msgspec.json.encode(config).decode()
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, argument, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def running(data: Path) -> AbstractContextManager[Up]:
    return serving(started(data, "127.0.0.1:0"))


@contextmanager
def serving(process: "subprocess.Popen[str]") -> Iterator[Up]:
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if not line.startswith("{"):  # else a line of the log
                    host, port = line.split()
                    yield Up(process, Api(host, int(port)))
                    break
        finally:
            process.kill()


def ends(pid: int) -> None:
    """Wait until a process that is not our child is gone; the deadline is the test run's."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([watched], [], [], wait_s_max)
    os.close(watched)
    assert readable, "it lives on"


def test_the_delivery_dies_with_the_managers(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        child = up.child

        up.process.kill()

        ends(child)


def test_the_managers_stop_when_the_delivery_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        os.kill(up.child, signal.SIGKILL)

        assert up.process.wait(wait_s_max) not in (0, None)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_both_end_in_good_order_when_asked(tmp_path: Path, asked: signal.Signals) -> None:
    with running(tmp_path) as up:
        child = up.child
        os.kill(child, asked)  # as a terminal or a service manager does: both are told
        up.process.send_signal(asked)

        assert up.process.wait(wait_s_max) == 0
        ends(child)


def test_both_tell_more_when_the_first_is_asked_to(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.process.send_signal(signal.SIGUSR1)
        told: list[dict[str, Any]] = []
        stderr = up.process.stderr
        assert stderr is not None

        def until(event: str) -> dict[str, Any]:
            for line in stderr:
                told.append(json.loads(line))
                if told[-1]["event"] == event:
                    return told[-1]
            raise AssertionError(f"it ended without {event}")

        until("log.level")  # of each process
        until("log.level")
        answer = up.api.get("/v2.0/networks")
        request = until("request")
        assert (request["method"], request["path"], request["status"]) == (
            *("GET", "/v2.0/networks"),
            answer.status,
        )
        up.api.network(name="told")
        until("planned")


def test_metrics_are_those_of_both_processes(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.api.network(name="counted")

        text = up.api.get("/metrics").body.decode()

        assert "alcor_goal_entries" in text
        assert "alcor_api_requests_now" in text
        assert 'process_resident_memory_bytes{process="delivery"}' in text


def test_an_address_for_hosts_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = started(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}")
        _, told = process.communicate(timeout=wait_s_max)

    assert process.returncode != 0
    assert "agents.listen = 127.0.0.1:" in told
    assert "can't listen for hosts" in told


def test_more_clients_are_served_than_a_soft_limit_has_files_for(tmp_path: Path) -> None:
    with serving(started(tmp_path, "127.0.0.1:0", "300")) as up, ExitStack() as clients:
        for _ in range(400):
            clients.enter_context(socket.create_connection((up.api.host, up.api.tcp_port)))

        assert up.api.get("/healthz").status == 200
