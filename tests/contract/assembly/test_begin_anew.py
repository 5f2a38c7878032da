"""`alcor up` on PostgreSQL goes on by itself when the server has ended its connections."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest

from alcor.lab.waiting import wait_until

start_s_max = 120  # of a machine that does a lot besides


class Alone:
    """One process that is the whole control plane, with databases of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self._log = folder / "up.log"
        argv = [sys.executable, "-m", "alcor.cli.main", "up", "--listen", "127.0.0.1:0"]
        argv += ["--agents-listen", "127.0.0.1:0", "--data", str(folder / "data")]
        environment = os.environ | {"ALCOR_SERVED__POSTGRES": url, "ALCOR_LOG__FORM": "json"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)

    def said(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self._log.read_text().splitlines())
        return [line for line in lines if line["event"] == event]

    def up(self, times: int) -> None:
        """Wait until it has begun so often."""
        wait_until(f"start {times}", lambda: len(self.said("up")) >= times, start_s_max)

    def networks(self, body: dict[str, Any] | None = None) -> Any:
        url = f"http://{self.said('up')[-1]['api']}/v2.0/networks"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(url, data), timeout=30) as answer:
            return json.load(answer)


@pytest.fixture
def alone(tmp_path: Path, postgres: Any) -> Iterator[tuple[Alone, str]]:
    url = postgres.url(f"anew_{uuid4().hex[:12]}_{{manager}}")
    found = Alone(tmp_path, url)
    yield found, url.format(manager="network")
    found.process.send_signal(signal.SIGTERM)
    assert found.process.wait(60) == 0


def test_a_control_plane_that_leads_no_more_begins_anew(alone: tuple[Alone, str]) -> None:
    up, url = alone
    up.up(1)
    made = up.networks({"network": {"name": "before"}})["network"]["id"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    up.up(2)

    assert up.process.poll() is None
    assert [line["level"] for line in up.said("up.begin_anew")] == ["warning"]
    assert [each["id"] for each in up.networks()["networks"]] == [made]
    assert up.networks({"network": {"name": "after"}})["network"]["name"] == "after"
