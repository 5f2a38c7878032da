"""The host's memory: the goal state it last had and what it found out itself, to start alone.

A file is written beside the old one, synced, and put in its place: there is always one whole file.
It begins with a checksum; a file that does not match it is not read.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

_MAGIC = b"alcor-state-1\n"
_DIGEST_BYTES = 16


class Corrupt(Exception):
    """The file is not what was written; start without it, and say so."""


class SavedEntry(NamedTuple):
    """An entry's bytes as they came, with their revision."""

    key: str
    value: bytes
    revision: int


class SavedSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A slice that was complete at (epoch, position)."""

    name: str
    epoch: int
    position: int
    entries: list[SavedEntry]
    whole: bool = True  # else it is a network's, without neighbours: it is held lazily


class SavedNeighbour(NamedTuple):
    """Who has an address outside, and as whom this host asks for it."""

    network_id: str
    address: str
    mac: int
    asker_mac: int
    asker_address: str


class SavedHolder(NamedTuple):
    """Which port was heard to have an address that several may have."""

    network_id: str
    address: str
    port_id: str
    mac: int


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a host remembers."""

    host: str
    slices: list[SavedSlice]
    release: str = ""  # of the agent that saved it (`agent/release.py`)
    outside: list[SavedNeighbour] = []
    holders: list[SavedHolder] = []


def encode(state: SavedState) -> bytes:
    """The file's bytes."""
    body = msgspec.msgpack.encode(state)
    return _MAGIC + _digest(body) + body


def decode(data: bytes) -> SavedState:
    """The state of a file's bytes, or `Corrupt`."""
    start = len(_MAGIC) + _DIGEST_BYTES
    body = data[start:]
    if data[:start] != _MAGIC + _digest(body):
        raise Corrupt("the checksum does not match")
    try:
        return msgspec.msgpack.decode(body, type=SavedState)
    except msgspec.MsgspecError as error:
        raise Corrupt(str(error)) from None


def read(path: Path) -> SavedState | None:
    """What was last saved; None when nothing was. `Corrupt` when it can't be trusted."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode(data)


def write(path: Path, state: SavedState) -> int:
    """Put `state` on the disk, so many bytes; the file is always the old or the new one."""
    data, beside = encode(state), path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return len(data)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()
