"""A host for one agent: a real Open vSwitch in a namespace and a directory of its own.

Whoever runs these tests not as root sees them fail, not skip.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fixtures.open_vswitch import OpenVSwitch


class Host(OpenVSwitch):
    """Both in a network namespace, and no bridge: that is the agent's work."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(run_dir)
        self.namespace = f"agt-{run_dir.name[-8:]}"
        self.within = ("ip", "netns", "exec", self.namespace)
        self._machines: list[str] = []

    def start(self, *configured: str) -> None:
        """The namespace, the database, the switch."""
        subprocess.run(("ip", "netns", "add", self.namespace), check=True, timeout=10)
        self.run("ip", "link", "set", "lo", "up")
        super().start(*configured)

    def stop(self) -> None:
        """End everything, whatever state it is in."""
        super().stop()
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


@pytest.fixture
def host() -> Iterator[Host]:
    """A running switch of this test's own."""
    with Host.running("agt-") as host:
        yield host
