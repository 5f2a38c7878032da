"""Where things of a lab are and what they are called. Pure: nothing is read or made.

Every namespace begins with the lab's prefix, every process has a path below the lab's folder among
its arguments: so a lab can be found and taken down whatever became of who started it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from alcor.values.addresses import Address

hosts_max = 200
underlay_mtu = 1600  # bytes: a machine's 1,450 and VXLAN's 50, with room to spare
machine_mtu = 1500  # bytes, until DHCP says less
tunnel_network_length = 16

_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_TUNNEL_NETWORK = 172 << 24 | 31 << 16  # exists inside the lab's namespaces only


class LabError(Exception):
    """Something of the lab could not be made or found; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LabHost:
    """One host: the `number`-th of its lab, from 1."""

    number: int
    name: str
    namespace: str
    folder: Path

    @property
    def tunnel_ip(self) -> str:
        """The host's address on the underlay."""
        return str(Address(4, _TUNNEL_NETWORK + (self.number // 250 << 8) + self.number % 250))

    @property
    def underlay_mac(self) -> str:
        """Fixed, so that other hosts need not learn it again when the switch restarts."""
        return f"02:a1:c0:00:{self.number >> 8:02x}:{self.number & 255:02x}"

    @property
    def database_socket(self) -> Path:
        """OVSDB's socket."""
        return self.folder / "db.sock"


@dataclass(frozen=True, slots=True)
class Layout:
    """The names and paths of one lab."""

    name: str
    folder: Path

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise LabError(
                f"'{self.name}' can't name a lab: use at most 12 lower-case letters and digits, "
                "a letter first"
            )

    @property
    def prefix(self) -> str:
        """What the name of every namespace of this lab begins with."""
        return f"alcor-{self.name}-"

    @property
    def underlay_namespace(self) -> str:
        """The namespace of the bridge that joins the hosts."""
        return f"{self.prefix}underlay"

    @property
    def outside_namespace(self) -> str:
        """The namespace of the world outside, for hosts with uplinks."""
        return f"{self.prefix}outside"

    @property
    def control_folder(self) -> Path:
        """Where the control plane keeps its databases."""
        return self.folder / "control"

    @property
    def machines_folder(self) -> Path:
        """Where the record of each machine is."""
        return self.folder / "machines"

    def host(self, number: int) -> LabHost:
        """The `number`-th host."""
        name = f"h{number}"
        return LabHost(number, name, f"{self.prefix}{name}", self.folder / name)

    def hosts(self, count: int) -> list[LabHost]:
        """Hosts 1 to `count`."""
        return [self.host(number) for number in range(1, count + 1)]

    def machine_namespace(self, machine: str) -> str:
        """The namespace of a machine."""
        return f"{self.prefix}m-{machine}"


def machine_name(wanted: str, port_id: str) -> str:
    """A machine's name from its port's: what a file and a namespace can be called."""
    return _NOT_OF_A_NAME.sub("-", wanted)[:40] or port_id[:8]


def interface_name(port_id: str) -> str:
    """The host's end of a port's cable, called as Nova calls it; at most 15 characters."""
    return f"tap{port_id[:11]}"


def lab_root() -> Path:
    """The folder of all labs: `$ALCOR_LAB_DIR`, or below /run. Short: socket paths are limited."""
    return Path(os.environ.get("ALCOR_LAB_DIR") or "/run/alcor-lab")


def layout(name: str) -> Layout:
    """The layout of the lab of this name."""
    return Layout(name, lab_root() / name)
