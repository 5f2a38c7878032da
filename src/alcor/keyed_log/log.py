"""What a keyed log is: the last value of every key, in order, watchable.

`put` with a revision that is not newer than the one held is a no-op, so lost, doubled and
reordered messages do no harm. A value of None is a tombstone: the key is gone, at that revision.
The log gives every change that it takes a `position`, growing by one; `epoch` names one life of
the log, so positions of different epochs are never compared.

Every implementation passes tests/contract/keyed_log.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Change(NamedTuple):
    """What a writer puts: the whole value of a key, or None when it is gone."""

    key: str
    value: bytes | None
    revision: int  # grows with every change of this key; the writer's business
    trace: str = ""  # the request that caused it (values.traceparent); carried, never compared


class Entry(NamedTuple):
    """What the log holds of a key."""

    key: str
    value: bytes | None
    revision: int
    trace: str
    position: int  # of the log, when the change was taken


class Snapshot(NamedTuple):
    """Every living key under a prefix, as of `position`; complete, so absence means gone."""

    epoch: int
    position: int
    entries: Sequence[Entry]  # in order of position; no tombstones


class Compacted(Exception):
    """The log no longer knows what happened since then: take a snapshot instead."""


class Slow(Exception):
    """A watcher fell too far behind and was cut off: take a snapshot and watch again."""


class KeyedLog(Protocol):
    """A keyed, compacted, ordered log."""

    @property
    def epoch(self) -> int:
        """Which life of the log this is; grows from life to life."""
        ...

    @property
    def life(self) -> str:
        """What this life is called: the same in every process, another one in every life."""
        ...

    async def renewed(self, epoch: int) -> int:
        """Wait until the log is in a later life than `epoch`, and say in which. It may have lost
        what it held: whoever writes puts all again, watchers are told `Compacted`."""
        ...

    async def complete(self, writer: str, last: int) -> None:
        """Say that the log holds all that `writer` has, up to its revision `last`."""
        ...

    async def completed(self, writers: Collection[str]) -> Mapping[str, int]:
        """Wait until each of the writers has said so in this life; the last revision of each.
        Until then, what is missing may only not have been told yet."""
        ...

    async def put(self, changes: Sequence[Change]) -> int:
        """Take what is newer than what is held; return the log's position afterwards."""
        ...

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """What is held of these keys; a key that is not held, or gone, is absent."""
        ...

    async def snapshot(self, prefix: str) -> Snapshot:
        """Every living key under `prefix` ("" is all)."""
        ...

    async def changes(self, prefix: str, since: int) -> Snapshot:
        """What changed under `prefix` after position `since`, the last value of each key and
        tombstones too; `Compacted` when that is too long ago. For whoever resumes."""
        ...

    def watch(self, prefix: str, since: int) -> AsyncIterator[Sequence[Entry]]:
        """Changes under `prefix` after position `since`, in batches, for ever.

        A key that changes often may skip values, never the last one. `Compacted` when `since` is
        too long ago, `Slow` when the watcher was cut off.
        """
        ...
