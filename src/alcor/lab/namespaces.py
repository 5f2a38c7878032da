"""Network namespaces: make, find, remove, and do something inside one.

Entering concerns the calling thread alone, and what it starts meanwhile.
"""

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alcor.lab.commands import ip_batch
from alcor.lab.layout import LabError

_FOLDER = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def create(names: Iterable[str]) -> None:
    """Make namespaces; `LabError` when one is there already."""
    ip_batch([f"netns add {name}" for name in names])


def named(prefix: str) -> list[str]:
    """The namespaces whose name begins with `prefix`, in order."""
    try:
        return sorted(name for name in os.listdir(_FOLDER) if name.startswith(prefix))
    except FileNotFoundError:
        return []


def remove(names: Iterable[str]) -> None:
    """Remove namespaces, and with them the interfaces inside."""
    ip_batch([f"netns del {name}" for name in names])


def identity(namespace: str) -> int:
    """What processes inside share: the number of the namespace."""
    return (_FOLDER / namespace).stat().st_ino


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Run the body with this thread inside `namespace`; sockets and processes made stay in it."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            there = os.open(_FOLDER / namespace, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise LabError(f"there is no namespace {namespace}") from None
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        problem = ctypes.get_errno()
        raise LabError(f"can't enter a network namespace: {os.strerror(problem)} (root is needed)")
