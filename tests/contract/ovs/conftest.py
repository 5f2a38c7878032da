"""A real Open vSwitch for each test, which needs no privileges beyond those of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fixtures.open_vswitch import OpenVSwitch


class Switch(OpenVSwitch):
    """One with a bridge `br0`, whose `dummy` ports need neither devices nor privileges."""

    bridge = "br0"
    options = ("--enable-dummy",)

    @property
    def mgmt(self) -> Path:
        """The bridge's OpenFlow socket."""
        return self.run_dir / f"{self.bridge}.mgmt"

    def start(self, *configured: str) -> None:
        """Database, configuration, then the switch."""
        super().start(
            *("--", "add-br", self.bridge, "--", "set", "Bridge", self.bridge),
            *("datapath_type=dummy", "fail_mode=secure", "other_config:disable-in-band=true"),
            "protocols=OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15",
            *configured,
        )

    def appctl(self, *command: str) -> str:
        """Ask the switch by its control socket."""
        return self.run("ovs-appctl", "-t", f"{self.run_dir}/ovs-vswitchd.ctl", *command)

    def add_port(self, name: str, ofport: int) -> None:
        """A dummy port with a fixed number."""
        self.run(
            "ovs-vsctl", "add-port", self.bridge, name,
            "--", "set", "Interface", name, "type=dummy", f"ofport_request={ofport}",
        )  # fmt: skip


@pytest.fixture
def switch() -> Iterator[Switch]:
    """A running switch of this test's own."""
    with Switch.running("ovs-") as switch:
        yield switch


@pytest.fixture(scope="module")
def shared_switch() -> Iterator[Switch]:
    """A running switch for a module whose tests each use tables and ids of their own."""
    with Switch.running("ovs-") as switch:
        yield switch
