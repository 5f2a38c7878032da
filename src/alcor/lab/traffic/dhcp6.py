"""Let a machine ask DHCPv6 by a real client, ISC's dhclient."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from alcor.lab import namespaces, processes
from alcor.lab.commands import run
from alcor.lab.layout import LabError, Layout
from alcor.lab.record import Machine
from alcor.lab.traffic.dhcp import own_script
from alcor.lab.waiting import wait_until

timeout_s = 30.0
_script = Path(__file__).with_name("lease6_script.sh")


@dataclass(frozen=True, slots=True)
class Lease6:
    """What a machine was told by DHCPv6, as text; what it was not told is empty."""

    address: str
    lease_s: str
    dns: str
    domain: str
    boot: str
    name: str


def get_lease(lab: Layout, machine: Machine, *, addresses: bool = True) -> Lease6:
    """Run the client until it is told something; without `addresses` it asks for the rest only.

    `LabError` when nobody answers.
    """
    lease = _lease_path(lab, machine)
    lease.unlink(missing_ok=True)
    wait_until("a link-local address", lambda: _can_speak(lab, machine), timeout_s)
    _start_client(lab, machine, lease, addresses)
    try:
        wait_until(f"an answer to {machine.name} by DHCPv6", lease.exists, timeout_s)
    except LabError as error:
        log = (lab.machines_folder / f"{machine.name}.dhcp6.log").read_text(errors="replace")
        raise LabError(f"{error}: {log[-1500:]}") from None
    return parse_lease(lease.read_text())


def release(lab: Layout, machine: Machine) -> None:
    """Give the address back, and end the client."""
    with namespaces.inside(lab.machine_namespace(machine.name)):
        subprocess.run(
            [*_client(lab, machine), "-r", "eth0"], check=True, capture_output=True, timeout=30
        )


def parse_lease(text: str) -> Lease6:
    """What the script wrote: lines of key=value."""
    return Lease6(**dict(line.split("=", 1) for line in text.splitlines() if "=" in line))


def _start_client(lab: Layout, machine: Machine, lease: Path, addresses: bool) -> None:
    what = [] if addresses else ["-S"]
    with namespaces.inside(lab.machine_namespace(machine.name)):
        processes.start(
            [*_client(lab, machine), "-e", f"ALCOR_LEASE={lease}", "-d", *what, "eth0"],
            lab.machines_folder / f"{machine.name}.dhcp6.log",
        )


def _client(lab: Layout, machine: Machine) -> list[str]:
    files = lab.machines_folder / f"{machine.name}.dhcp6"
    settings = files.with_suffix(".conf")
    settings.write_text(
        "also request dhcp6.name-servers, dhcp6.domain-search, dhcp6.bootfile-url, dhcp6.fqdn;\n"
    )
    names = ["-cf", str(settings), "-lf", f"{files}.leases", "-pf", f"{files}.pid"]
    return ["dhclient", "-6", *names, "-sf", str(own_script(lab, _script))]


def _lease_path(lab: Layout, machine: Machine) -> Path:
    return lab.machines_folder / f"{machine.name}.lease6"


def _can_speak(lab: Layout, machine: Machine) -> bool:
    """Whether the machine has a link-local address that nobody else claims."""
    namespace = lab.machine_namespace(machine.name)
    shown = run("ip", "-n", namespace, "-6", "address", "show", "dev", "eth0", "scope", "link")
    return "inet6" in shown and "tentative" not in shown
