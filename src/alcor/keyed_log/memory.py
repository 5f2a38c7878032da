"""A keyed log in this process's memory; its writers fill it again after a restart.

Everything happens in one event loop, and nothing here waits except watchers. Tombstones are kept
up to a limit: after that a watcher from long ago is told `Compacted`. A watcher that is behind
holds at most one value of a key, and is cut off (`Slow`) beyond its limit.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from alcor.keyed_log.log import Change, Compacted, Entry, Slow, Snapshot

tombstones_max = 100_000  # entries; the oldest are forgotten first
watcher_pending_max = 1_000_000  # entries that one watcher may be behind
batch_max = 1_024  # entries that a watcher is given at once


class MemoryLog:
    """The last entry of every key, in order of position."""

    def __init__(
        self,
        epoch: int,
        *,
        tombstones_max: int = tombstones_max,
        watcher_pending_max: int = watcher_pending_max,
    ) -> None:
        self._epoch = epoch
        self._position = 0
        self._forgotten = 0  # position of the last tombstone that was forgotten
        self._buckets: dict[str, dict[str, Entry]] = {}  # each in order of position
        self._tombstones: OrderedDict[str, int] = OrderedDict()  # in order of position
        self._tombstones_max = tombstones_max
        self._watcher_pending_max = watcher_pending_max
        self._watchers: list[_Watcher] = []

    @property
    def epoch(self) -> int:
        """Which life of the log this is."""
        return self._epoch

    @property
    def position(self) -> int:
        """Of the last change taken."""
        return self._position

    @property
    def backlog(self) -> int:
        """Entries that the slowest watcher has not been given yet."""
        return max((len(watcher.pending) for watcher in self._watchers), default=0)

    async def put(self, changes: Sequence[Change]) -> int:
        """Take what is newer than what is held; return the position afterwards."""
        taken = [entry for change in changes if (entry := self._take(change)) is not None]
        self._forget_tombstones()
        for watcher in self._watchers:
            watcher.offer(taken)
        return self._position

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """What is held of these keys; what is gone is absent."""
        found = ((key, self._held(key)) for key in keys)
        return {key: entry for key, entry in found if entry and entry.value is not None}

    async def snapshot(self, prefix: str) -> Snapshot:
        """Every living key under `prefix`."""
        living = [entry for entry in self._under(prefix) if entry.value is not None]
        return Snapshot(self._epoch, self._position, living)

    async def changes(self, prefix: str, since: int) -> Snapshot:
        """What changed under `prefix` after position `since`, tombstones included."""
        return Snapshot(self._epoch, self._position, self._after(prefix, since))

    async def watch(self, prefix: str, since: int) -> AsyncGenerator[Sequence[Entry], None]:
        """Changes under `prefix` after `since`, in batches, for ever."""
        watcher = _Watcher(prefix, self._watcher_pending_max)
        watcher.offer(self._after(prefix, since))
        self._watchers.append(watcher)
        try:
            while True:
                entries = await watcher.take()
                for start in range(0, len(entries), batch_max):
                    yield entries[start : start + batch_max]
        finally:
            self._watchers.remove(watcher)

    def _take(self, change: Change) -> Entry | None:
        bucket = self._buckets.setdefault(_bucket_of(change.key), {})
        held = bucket.get(change.key)
        if held is not None:
            if change.revision <= held.revision:
                return None
            del bucket[change.key]
        self._position += 1
        entry = bucket[change.key] = Entry(*change, self._position)
        self._tombstones.pop(change.key, None)
        if entry.value is None:
            self._tombstones[change.key] = entry.position
        return entry

    def _forget_tombstones(self) -> None:
        while len(self._tombstones) > self._tombstones_max:
            key, self._forgotten = self._tombstones.popitem(last=False)
            name = _bucket_of(key)
            del self._buckets[name][key]
            if not self._buckets[name]:
                del self._buckets[name]

    def _held(self, key: str) -> Entry | None:
        return self._buckets.get(_bucket_of(key), {}).get(key)

    def _under(self, prefix: str) -> list[Entry]:
        """Entries under `prefix`, tombstones included, in order of position."""
        if prefix in self._buckets and prefix.count("/") == 2:
            return list(self._buckets[prefix].values())
        entries = [
            entry
            for name, bucket in self._buckets.items()
            if name.startswith(prefix) or prefix.startswith(name)
            for entry in bucket.values()
            if entry.key.startswith(prefix)
        ]
        entries.sort(key=lambda entry: entry.position)
        return entries

    def _after(self, prefix: str, since: int) -> list[Entry]:
        """Entries under `prefix` after `since`; costs what they are when `prefix` is a slice."""
        if since < self._forgotten or since > self._position:
            raise Compacted(f"position {since} is not within what this log remembers")
        if prefix not in self._buckets or prefix.count("/") != 2:
            return [entry for entry in self._under(prefix) if entry.position > since]
        newer = []
        for entry in reversed(self._buckets[prefix].values()):
            if entry.position <= since:
                break
            newer.append(entry)
        newer.reverse()
        return newer


class _Watcher:
    """What one watcher has not been given yet: the last value of every key, in order."""

    def __init__(self, prefix: str, pending_max: int) -> None:
        self.pending: dict[str, Entry] = {}
        self._prefix = prefix
        self._pending_max = pending_max
        self._slow = False
        self._wake = asyncio.Event()

    def offer(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.key.startswith(self._prefix) and not self._slow:
                self.pending.pop(entry.key, None)
                self.pending[entry.key] = entry
                self._wake.set()
        if len(self.pending) > self._pending_max:
            self.pending.clear()
            self._slow = True

    async def take(self) -> Sequence[Entry]:
        """All that is pending, once there is something."""
        await self._wake.wait()
        if self._slow:
            raise Slow(f"a watcher of '{self._prefix}' was more than {self._pending_max} behind")
        entries = list(self.pending.values())
        self.pending = {}
        self._wake.clear()
        return entries


def _bucket_of(key: str) -> str:
    """Entries live in buckets by slice (`network/7/`), or by kind where keys have two parts."""
    first = key.find("/") + 1
    second = key.find("/", first) + 1 if first else 0
    return key[: second or first]
