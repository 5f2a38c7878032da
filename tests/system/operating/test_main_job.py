"""One command, twenty ports, packets flowing; and nothing is left behind, whatever happens."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import rmtree

import pytest
from tests.system.conftest import of_this_checkout

from alcor.client.api import NETWORK, NODE, PORT, Api
from alcor.lab import demo as main_job
from alcor.lab import lab as labs
from alcor.lab import namespaces, parts, processes
from alcor.lab.demo import Stage
from alcor.lab.layout import layout
from alcor.lab.traffic import dhcp
from alcor.lab.waiting import wait_until

NAME = of_this_checkout("sysmain")
ALCOR = [sys.executable, "-P", "-m", "alcor.cli.main"]


def what_is_there() -> tuple[list[str], list[Path], list[int]]:
    """Namespaces, folders and processes of this lab."""
    lab = layout(NAME)
    folders = [lab.folder] if lab.folder.exists() else []
    pids = [process.pid for process in processes.running(lab.folder)]
    return namespaces.named(lab.prefix), folders, pids


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ALCOR, "lab", "demo", "--name", NAME, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(autouse=True)
def nothing_of_an_earlier_run() -> None:
    labs.down(NAME)


def test_twenty_ports_on_three_hosts_get_leases_and_ping_each_other_and_can_do_so_again() -> None:
    for _ in range(2):
        done = demo("--hosts", "3", "--ports", "20", "--json")

        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert (told["ports"], told["leases"]) == (20, 20)
        assert (told["pings_ok"], told["pings_total"]) == (380, 380)
        assert told["missing"] == []
        assert what_is_there() == ([], [], [])


def test_the_demo_draws_the_hosts_and_the_stages() -> None:
    done = demo("--hosts", "2", "--ports", "3")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 leases, 6 of 6 pings" in done.stdout
    assert "h1" in done.stdout
    assert "all-pairs ping" in done.stdout
    assert what_is_there() == ([], [], [])


def test_a_demo_without_a_lease_says_where_it_keeps_what_is_known_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dhcp, "tries_max", 1)

    def watch(stage: Stage, ended: bool) -> None:
        if stage is Stage.LEASES and not ended:
            parts.stop_agent(layout(NAME).host(1))

    job = main_job.run(NAME, 2, 2, watch)

    assert [machine for machine in job.host_of_machine if machine not in job.lease_by_machine] == [
        "vm1"
    ]
    assert job.missing[0] == "vm1 got no lease"
    folder = Path(job.missing[-1].rpartition(" ")[2])
    assert "no lease" in (folder / "vm1" / "vm1.dhcp.log").read_text()
    assert json.loads((folder / "vm1" / "port").read_text())["name"] == "vm1"
    assert (folder / "h1" / "dump-flows").read_text()
    assert what_is_there() == ([], [], [])
    rmtree(folder)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_leaves_nothing_behind(how: signal.Signals) -> None:
    with subprocess.Popen(
        [*ALCOR, "lab", "demo", "--name", NAME],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # The tests may run where interrupts are ignored, as what a script runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        wait_until("the demo's first processes", lambda: bool(what_is_there()[2]), 30)
        os.kill(running.pid, how)
        running.wait(30)

    assert running.returncode != 0
    assert what_is_there() == ([], [], [])


def test_down_ends_what_a_killed_demo_has_left() -> None:
    with subprocess.Popen(
        [*ALCOR, "lab", "demo", "--name", NAME],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_until("the demo's switches", lambda: len(what_is_there()[2]) >= 6, 30)
        running.kill()
        running.wait(30)
    assert what_is_there() != ([], [], [])

    done = subprocess.run([*ALCOR, "lab", "down", "--name", NAME], check=False, timeout=60)

    assert done.returncode == 0
    assert what_is_there() == ([], [], [])


def test_a_lab_that_is_up_is_not_built_over() -> None:
    layout(NAME).folder.mkdir(parents=True)

    done = subprocess.run(
        [*ALCOR, "lab", "up", "--name", NAME], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "already" in done.stderr
    labs.down(NAME)


def test_a_demo_on_somebodys_control_plane_takes_away_what_it_made(tmp_path: Path) -> None:
    listen, agents = parts.free_addresses(2)
    where = ["--listen", listen, "--agents-listen", agents, "--data", str(tmp_path)]
    with subprocess.Popen([*ALCOR, "up", *where], stderr=subprocess.DEVNULL) as theirs:
        try:
            with Api(f"http://{listen}") as api:
                wait_until("a control plane", api.answers, 30)
                target = ["--endpoint", api.endpoint, "--agents-target", agents]
                done = demo("--hosts", "2", "--ports", "3", *target)
                left = [api.list_page(kind) for kind in (NETWORK, PORT, NODE)]
        finally:
            theirs.terminate()

    assert done.returncode == 0, done.stdout + done.stderr
    assert left == [[], [], []]
