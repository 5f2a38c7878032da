"""A host for one agent: a real Open vSwitch in a namespace and a directory of its own.

Whoever runs these tests without Open vSwitch, or not as root, sees them fail, not skip.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_QUIET = ("-vconsole:off", "-vsyslog:off")


def wait_until(what: str, is_so: Callable[[], bool], timeout_s: float = 15.0) -> None:
    """Wait on state, with a deadline."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"gave up waiting: {what}"
        time.sleep(0.01)


class Host:
    """ovsdb-server and ovs-vswitchd (userspace datapath), no bridge: that is the agent's work."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.namespace = f"agt-{run_dir.name[-8:]}"
        self._machines: list[str] = []
        self._env = {**os.environ, "OVS_RUNDIR": str(run_dir), "OVS_DBDIR": str(run_dir)}

    def run(self, *command: str) -> str:
        """Run a tool inside the host; its output."""
        done = subprocess.run(
            ("ip", "netns", "exec", self.namespace, *command),
            env=self._env,
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
        return done.stdout.decode()

    def start(self) -> None:
        """The namespace, the database, the switch."""
        subprocess.run(("ip", "netns", "add", self.namespace), check=True, timeout=10)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ovsdb-tool", "create", str(self.run_dir / "conf.db"), _SCHEMA)
        self.start_database()
        self.run(
            *("ovs-vsctl", "--no-wait", "init", "--", "set", "Open_vSwitch", "."),
            *("other_config:n-handler-threads=1", "other_config:n-revalidator-threads=1"),
        )
        self.start_switch()

    def start_database(self) -> None:
        """Start ovsdb-server."""
        database = (str(self.run_dir / "conf.db"), f"--remote=punix:{self.run_dir}/db.sock")
        self._daemon("ovsdb-server", *database)

    def start_switch(self) -> None:
        """Start ovs-vswitchd; returns when it has configured itself."""
        self._daemon("ovs-vswitchd", f"unix:{self.run_dir}/db.sock", "--disable-system")

    def _daemon(self, program: str, *arguments: str) -> None:
        self.run(
            *(program, *arguments, "--detach", "--no-chdir", *_QUIET),
            f"--pidfile={self.run_dir}/{program}.pid",
            f"--log-file={self.run_dir}/{program}.log",
            f"--unixctl={self.run_dir}/{program}.ctl",
        )

    def kill(self, program: str) -> None:
        """End a program as a crash does, and wait until it is gone."""
        pid_file = self.run_dir / f"{program}.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text())
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and program[:15] in stat.read_text():
            os.kill(pid, signal.SIGKILL)
            wait_until(f"{program} is gone", lambda: not _alive(stat))
        pid_file.unlink()

    def hang(self, program: str, *, hangs: bool) -> None:
        """Have a program stand still, or go on."""
        pid = int((self.run_dir / f"{program}.pid").read_text())
        os.kill(pid, signal.SIGSTOP if hangs else signal.SIGCONT)

    def stop(self) -> None:
        """End everything, whatever state it is in."""
        for program in ("ovs-vswitchd", "ovsdb-server"):
            self.kill(program)
        for namespace in (*self._machines, self.namespace):
            subprocess.run(("ip", "netns", "del", namespace), check=False, timeout=10)

    def vsctl(self, *words: str) -> str:
        """Change or ask the database."""
        return self.run("ovs-vsctl", "--timeout=10", *words).strip()

    def flows(self) -> list[str]:
        """The flows of the integration bridge, without what changes by itself."""
        text = self.run("ovs-ofctl", "-O", "OpenFlow14", "dump-flows", "--no-stats", "br-int")
        return sorted(line.strip() for line in text.splitlines() if "actions=" in line)

    def ages_s(self) -> list[float]:
        """How long each flow has been there."""
        text = self.run("ovs-ofctl", "-O", "OpenFlow14", "dump-flows", "br-int")
        return [
            float(line.split("duration=")[1].split("s,")[0])
            for line in text.splitlines()
            if "duration=" in line
        ]

    def inside(self, namespace: str, *command: str) -> str:
        """Run something inside a machine; what it says, however it ends."""
        done = subprocess.run(
            ("ip", "netns", "exec", namespace, *command),
            check=False,
            capture_output=True,
            timeout=30,
        )
        return done.stdout.decode() + done.stderr.decode()

    def plug(self, name: str, port_id: str, mac: str) -> str:
        """A machine with a cable into the bridge; returns its namespace."""
        machine = f"{self.namespace}-{name}"
        subprocess.run(("ip", "netns", "add", machine), check=True, timeout=10)
        self._machines.append(machine)
        self.run(
            *("ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0"),
            *("address", mac, "netns", machine),
        )
        self.run("ip", "link", "set", f"v{name}", "up")
        for command in (
            ("ethtool", "-K", "eth0", "tx", "off"),
            ("ip", "link", "set", "lo", "up"),
            ("ip", "link", "set", "eth0", "up"),
        ):
            self.inside(machine, *command)
        self.vsctl(
            *("add-port", "br-int", f"v{name}"),
            *("--", "set", "Interface", f"v{name}", f"external_ids:iface-id={port_id}"),
        )
        return machine


def _alive(stat: Path) -> bool:
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def host() -> Iterator[Host]:
    """A running switch of this test's own."""
    run_dir = Path(tempfile.mkdtemp(prefix="agt-"))  # short: a socket's path has 107 bytes
    host = Host(run_dir)
    try:
        host.start()
        yield host
    finally:
        host.stop()
        shutil.rmtree(run_dir)
