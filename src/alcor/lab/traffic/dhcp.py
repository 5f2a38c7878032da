"""Let machines get their addresses by a real DHCP client, busybox's udhcpc, all at once."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alcor.lab import namespaces, processes
from alcor.lab.layout import Layout
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

tries_max = 10  # DISCOVERs and REQUESTs, one a second
_script = Path(__file__).with_name("lease_script.sh")


@dataclass(frozen=True, slots=True)
class Lease:
    """What a machine was told by DHCP, as text; what it was not told is empty."""

    address: str
    length: int
    server: str = ""
    lease_s: int = 0
    mtu: str = ""
    routers: str = ""
    dns: str = ""
    routes: str = ""  # RFC 3442: destination and gateway in turn
    domain: str = ""
    hostname: str = ""
    next_server: str = ""  # of the message's head, with the boot file
    boot_file: str = ""
    ntp: str = ""


def parse_lease(text: str) -> Lease:
    """The lease that the script wrote: lines of key=value."""
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    length, lease_s = int(told.pop("length") or 0), int(told.pop("lease_s") or 0)
    return Lease(length=length, lease_s=lease_s, **told)


def lease_path(lab: Layout, machine: Machine) -> Path:
    """Where the machine's lease is written."""
    return lab.machines_folder / f"{machine.name}.lease"


def lease_of(lab: Layout, machine: Machine) -> Lease | None:
    """The lease that the machine has, if any."""
    try:
        return parse_lease(lease_path(lab, machine).read_text())
    except FileNotFoundError:
        return None


def get_leases(lab: Layout, machines: Sequence[Machine], timeout_s: float) -> dict[str, Lease]:
    """Run a DHCP client in every machine; the leases by machine name of those that got one.

    Returns as soon as every client has ended: with a lease, or out of tries.
    """
    script = own_script(lab, _script)
    pids = [_start_client(lab, machine, script) for machine in machines]
    wait_until("DHCP clients", lambda: all(processes.gone(pid) for pid in pids), timeout_s)
    leases = {machine.name: lease_of(lab, machine) for machine in machines}
    return {name: lease for name, lease in leases.items() if lease is not None}


def own_script(lab: Layout, script: Path) -> Path:
    """The lab's copy of a client's script: an installed one may not be executable."""
    path = lab.folder / script.name
    if not path.exists():
        shutil.copyfile(script, path)
        path.chmod(0o755)
    return path


def _start_client(lab: Layout, machine: Machine, script: Path) -> int:
    lease = lease_path(lab, machine)
    lease.unlink(missing_ok=True)
    argv = ["udhcpc", "-vv", "-i", "eth0", "-f", "-q", "-n", "-t", str(tries_max), "-T", "1"]
    argv += ["-O", "mtu", "-O", "staticroutes", "-x", f"hostname:{machine.name}"]
    with namespaces.inside(lab.machine_namespace(machine.name)):
        return processes.start(
            [*argv, "-s", str(script)],
            lab.machines_folder / f"{machine.name}.dhcp.log",
            {"ALCOR_LEASE": str(lease)},
        )
