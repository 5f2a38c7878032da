"""A real Open vSwitch for each test: its own run directory, userspace datapath, no privileges
beyond those of the tests. A machine without Open vSwitch fails these tests, it does not skip them.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_QUIET = ("-vconsole:off", "-vsyslog:off")


class Switch:
    """One ovsdb-server and one ovs-vswitchd in a directory, with a bridge `br0`."""

    bridge = "br0"

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._env = {**os.environ, "OVS_RUNDIR": str(run_dir), "OVS_DBDIR": str(run_dir)}
        self._pids: dict[str, int] = {}

    @property
    def mgmt(self) -> Path:
        """The bridge's OpenFlow socket."""
        return self.run_dir / f"{self.bridge}.mgmt"

    @property
    def db(self) -> Path:
        """The database's socket."""
        return self.run_dir / "db.sock"

    def run(self, *command: str) -> str:
        """Run a tool against this switch; its output."""
        done = subprocess.run(command, env=self._env, check=True, capture_output=True, timeout=60)
        return done.stdout.decode()

    def start(self) -> None:
        """Database, configuration, then the switch, which returns when it has configured itself."""
        self.run("ovsdb-tool", "create", str(self.run_dir / "conf.db"), _SCHEMA)
        self.start_database()
        self.run("ovs-vsctl", "--no-wait", "init")
        self.run(
            "ovs-vsctl", "--no-wait",
            "--", "set", "Open_vSwitch", ".", "other_config:n-handler-threads=1",
            "other_config:n-revalidator-threads=1",
            "--", "add-br", self.bridge,
            "--", "set", "Bridge", self.bridge, "datapath_type=dummy", "fail_mode=secure",
            "protocols=OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15",
            "other_config:disable-in-band=true",
        )  # fmt: skip
        self.start_switch()

    def start_database(self) -> None:
        """Start ovsdb-server."""
        self._start("ovsdb-server", str(self.run_dir / "conf.db"), f"--remote=punix:{self.db}")

    def start_switch(self) -> None:
        """Start ovs-vswitchd; `dummy` ports need neither devices nor privileges."""
        self._start("ovs-vswitchd", f"unix:{self.db}", "--enable-dummy", "--disable-system")

    def _start(self, program: str, *arguments: str) -> None:
        pid_file = self.run_dir / f"{program}.pid"
        log = self.run_dir / f"{program}.log"
        self.run(
            program, *arguments, "--detach", "--no-chdir", f"--pidfile={pid_file}", *_QUIET,
            f"--log-file={log}", f"--unixctl={self.run_dir}/{program}.ctl",
        )  # fmt: skip
        self._pids[program] = int(pid_file.read_text())

    def kill(self, program: str) -> None:
        """End one of the two at once, as a crash does, and wait until it is gone."""
        pid = self._pids.pop(program, None)
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}/stat").exists() and _alive(pid):
            assert time.monotonic() < deadline, f"{program} does not die"
            os.sched_yield()

    def stop(self) -> None:
        """End both."""
        for program in ("ovs-vswitchd", "ovsdb-server"):
            self.kill(program)

    def appctl(self, *command: str) -> str:
        """Ask the switch by its control socket."""
        return self.run("ovs-appctl", "-t", f"{self.run_dir}/ovs-vswitchd.ctl", *command)

    def add_port(self, name: str, ofport: int) -> None:
        """A dummy port with a fixed number."""
        self.run(
            "ovs-vsctl", "add-port", self.bridge, name,
            "--", "set", "Interface", name, "type=dummy", f"ofport_request={ofport}",
        )  # fmt: skip


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def switch() -> Iterator[Switch]:
    """A running switch of this test's own."""
    run_dir = Path(tempfile.mkdtemp(prefix="ovs-"))  # short: a socket's path has 107 bytes
    switch = Switch(run_dir)
    try:
        switch.start()
        yield switch
    finally:
        switch.stop()
        shutil.rmtree(run_dir)


@pytest.fixture(scope="module")
def shared_switch() -> Iterator[Switch]:
    """A running switch for a module whose tests each use tables and ids of their own."""
    run_dir = Path(tempfile.mkdtemp(prefix="ovs-"))
    switch = Switch(run_dir)
    try:
        switch.start()
        yield switch
    finally:
        switch.stop()
        shutil.rmtree(run_dir)
