"""What a lab remembers on disk, in its run folder: how it was built, and which machines it has.

Processes and namespaces are not in it: those are read back from the kernel.
"""

import os
from pathlib import Path

import msgspec

from alcor.lab.layout import LabError, Layout


class LabRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a lab was built."""

    hosts: int
    endpoint: str  # of the API, as in http://127.0.0.1:9696
    agents_target: str  # where agents connect, as in 127.0.0.1:9697
    control_plane: bool = True  # started by the lab, not given to it
    uplinks: int = 0  # the first so many hosts have one to the world outside
    apart: bool = False  # each uplink is to a physical network of its own: rack1, rack2, ...


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine plugged into a port."""

    name: str
    port_id: str
    mac: str
    host: int  # the number of its host
    addresses: list[str] = []  # what the API says the port has

    def address(self, version: int) -> str:
        """The machine's first address of this family, or empty."""
        return next((a for a in self.addresses if (":" in a) == (version == 6)), "")


def _write(path: Path, value: msgspec.Struct) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(value)))
    os.replace(fresh, path)


def _record_path(lab: Layout) -> Path:
    return lab.folder / "lab.json"


def save_lab(lab: Layout, record: LabRecord) -> None:
    """Remember how the lab was built."""
    _write(_record_path(lab), record)


def load_lab(lab: Layout) -> LabRecord:
    """How the lab was built; `LabError` when there is none of this name."""
    try:
        return msgspec.json.decode(_record_path(lab).read_bytes(), type=LabRecord)
    except FileNotFoundError:
        raise LabError(f"there is no lab '{lab.name}': make one with `alcor lab up`") from None


def save_machine(lab: Layout, machine: Machine) -> None:
    """Remember a machine."""
    lab.machines_folder.mkdir(exist_ok=True)
    _write(lab.machines_folder / f"{machine.name}.json", machine)


def forget_machine(lab: Layout, name: str) -> None:
    """Forget a machine, and the lease it had."""
    for suffix in ("json", "lease", "dhcp.log"):
        (lab.machines_folder / f"{name}.{suffix}").unlink(missing_ok=True)


def load_machines(lab: Layout) -> list[Machine]:
    """The machines plugged in, by name."""
    if not lab.machines_folder.is_dir():
        return []
    paths = sorted(lab.machines_folder.glob("*.json"), key=lambda path: _natural(path.stem))
    return [msgspec.json.decode(path.read_bytes(), type=Machine) for path in paths]


def _natural(name: str) -> tuple[str, int]:
    # vm2 before vm10.
    digits = len(name) - len(name.rstrip("0123456789"))
    return (name[: len(name) - digits], int(name[-digits:]) if digits else -1)


def load_machine(lab: Layout, name: str) -> Machine:
    """The machine of this name; `LabError` when there is none."""
    for machine in load_machines(lab):
        if machine.name == name:
            return machine
    raise LabError(f"lab '{lab.name}' has no machine '{name}': see `alcor lab status`")
