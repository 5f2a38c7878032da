"""Hold processes to a share of a core each, so that on a small machine one is free for the next.

By the kernel's quotas for control groups, of either version; source: Documentation/scheduler/
sched-bwc.rst and Documentation/admin-guide/cgroup-v2.rst of Linux. Needs root.
"""

import os
from pathlib import Path
from typing import Self

_first, _second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
_period_us = 20_000
_quota_us_min = 1_000  # what the kernel takes


class Held:
    """A group of processes that together get `share` of a core (0 to 1); use it as a context."""

    def __init__(self, name: str, share: float) -> None:
        self._root = _first if (_first / "cgroup.procs").exists() else _second
        self._group = self._root / f"alcor-bench-{os.getpid()}-{name}"
        self._quota_us = max(round(share * _period_us), _quota_us_min)
        self._period_us = round(self._quota_us / share)

    def __enter__(self) -> Self:
        if self._root == _second:
            (_second / "cgroup.subtree_control").write_text("+cpu")
        self._group.mkdir()
        if self._root == _first:
            (self._group / "cpu.cfs_period_us").write_text(str(self._period_us))
            (self._group / "cpu.cfs_quota_us").write_text(str(self._quota_us))
        else:
            (self._group / "cpu.max").write_text(f"{self._quota_us} {self._period_us}")
        return self

    def take(self, pid: int) -> None:
        """Hold a process, all its threads, and the children that it makes from now on."""
        (self._group / "cgroup.procs").write_text(str(pid))

    def __exit__(self, *problem: object) -> None:
        for pid in (self._group / "cgroup.procs").read_text().split():
            (self._root / "cgroup.procs").write_text(pid)
        self._group.rmdir()
