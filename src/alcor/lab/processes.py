"""The processes of a lab: start, find again, stop.

A process belongs to a lab when it is one of the lab's programs and has a path below the lab's
folder among its arguments. That is read from /proc each time, so there is no list that can be
stale: what a crash left is found as well, and a process id used anew by a stranger never hit.
"""

import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from alcor.lab.commands import environment
from alcor.lab.layout import LabError
from alcor.lab.waiting import wait_until

start_timeout_s = 5.0
stop_timeout_s = 5.0
_PR_SET_CHILD_SUBREAPER = 36


class Program(StrEnum):
    """The programs that a lab leaves running."""

    OVSDB = "ovsdb-server"
    SWITCH = "ovs-vswitchd"
    DHCP_CLIENT = "udhcpc"
    DHCP6_CLIENT = "dhclient"
    AGENT = "agent"
    CONTROL_PLANE = "up"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a lab."""

    pid: int
    program: Program
    arguments: tuple[str, ...]


_BY_NAME = (Program.OVSDB, Program.SWITCH, Program.DHCP_CLIENT, Program.DHCP6_CLIENT)


def program_of(arguments: Sequence[str]) -> Program | None:
    """Which of the lab's programs this command line runs, if one."""
    if not arguments:
        return None
    name = Path(arguments[0]).name
    if name in _BY_NAME:
        return Program(name)
    alcor = [n for n, word in enumerate(arguments) if word == "alcor.cli.main"]
    verb = arguments[alcor[0] + 1 : alcor[0] + 2] if alcor else ()
    return Program(verb[0]) if verb and verb[0] in ("agent", "up") else None


def running(folder: Path, *programs: Program) -> list[Process]:
    """The lab processes that have a path below `folder` among their arguments."""
    found = []
    for entry in os.listdir("/proc"):
        process = _read(int(entry), f"{folder}/") if entry.isdigit() else None
        if process is not None and (not programs or process.program in programs):
            found.append(process)
    return found


def _read(pid: int, below: str) -> Process | None:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    arguments = tuple(line.decode(errors="replace").split("\0"))
    program = program_of(arguments)
    if program is None or not any(below in word for word in arguments):
        return None
    return Process(pid, program, arguments)


def start(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start a process that outlives this one, in a session of its own; returns its process id."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    full = environment(**(env or {}))
    pid = os.posix_spawnp(argv[0], list(argv), full, file_actions=actions, setsid=True)
    # We may go on before the arguments of the new program can be read: `running` would miss it.
    wait_until(f"{argv[0]} to start", lambda: _has_arguments(pid), start_timeout_s)
    return pid


def _has_arguments(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes()) or gone(pid)
    except OSError:
        return True  # it has ended already


def adopt_orphans() -> None:
    """Become the parent of daemons that detach below this process, so that it can bury them."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stop(found: Sequence[Process], first: signal.Signals = signal.SIGTERM) -> None:
    """End processes and wait until they are gone; who ignores `first` is killed."""
    _signal(found, first)
    try:
        wait_until("processes to end", lambda: all(gone(p.pid) for p in found), stop_timeout_s)
    except LabError:
        _signal([p for p in found if not gone(p.pid)], signal.SIGKILL)
        wait_until("killed processes", lambda: all(gone(p.pid) for p in found), stop_timeout_s)


def gone(pid: int) -> bool:
    """Whether the process has ended (one that is our child is buried here)."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return b"\nState:\tZ" in Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return True


def inside_namespaces(identities: set[int]) -> list[int]:
    """The process ids inside these network namespaces (see `namespaces.identity`)."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.stat(f"/proc/{entry}/ns/net").st_ino in identities:
                    found.append(int(entry))
            except OSError:
                continue
    return found


def kill(pids: Sequence[int]) -> None:
    """Kill processes and wait until they are gone."""
    for pid in pids:
        _send(pid, signal.SIGKILL)
    wait_until("killed processes", lambda: all(gone(pid) for pid in pids), stop_timeout_s)


def _signal(found: Sequence[Process], number: signal.Signals) -> None:
    for process in found:
        _send(process.pid, number)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
