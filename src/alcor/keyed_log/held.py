"""The last entry of every key in order of position, and its watchers: the part that all logs share.

Nothing here waits except watchers, which all live in one event loop. A slow watcher holds at most
one value for each key, and is cut off (`Slow`) beyond its limit.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

from alcor.keyed_log.log import Change, Compacted, Entry, Slow

_new = tuple.__new__  # a NamedTuple without the detour through its constructor

batch_max = 1_024  # entries that a watcher is given at once


class Held:
    """The last entry of every key, tombstones too until they are forgotten."""

    def __init__(self, watcher_pending_max: int) -> None:
        self.position = 0  # of the last change taken
        self.forgotten = 0  # position of the last tombstone that was forgotten
        self._buckets: dict[str, dict[str, Entry]] = {}  # each in order of position
        self._tombstones: OrderedDict[str, int] = OrderedDict()  # in order of position
        self._watcher_pending_max = watcher_pending_max
        self._watchers: list[_Watcher] = []

    @property
    def backlog(self) -> int:
        """Entries that the slowest watcher has not been given yet."""
        return max((len(watcher.pending) for watcher in self._watchers), default=0)

    @property
    def tombstones(self) -> int:
        """How many keys are gone and not forgotten."""
        return len(self._tombstones)

    @property
    def living(self) -> int:
        """How many keys are there and not gone."""
        return sum(map(len, self._buckets.values())) - self.tombstones

    def __iter__(self) -> Iterator[Entry]:
        """All entries, tombstones too, in no order."""
        for bucket in self._buckets.values():
            yield from bucket.values()

    def get(self, key: str) -> Entry | None:
        """What is held of a key, a tombstone too."""
        return self._buckets.get(_bucket_of(key), {}).get(key)

    def is_news(self, change: Change) -> bool:
        """Whether the change is newer than what is held of its key."""
        held = self.get(change.key)
        return held is None or change.revision > held.revision

    def take(self, change: Change, position: int) -> Entry:
        """Hold a change that the log took at `position`, greater than any before."""
        bucket = self._buckets.setdefault(_bucket_of(change.key), {})
        bucket.pop(change.key, None)
        entry = bucket[change.key] = Entry(*change, position)
        self.position = position
        self._tombstones.pop(change.key, None)
        if entry.value is None:
            self._tombstones[change.key] = position
        return entry

    def take_news(self, changes: Sequence[Change]) -> list[Entry]:
        """Hold those of the changes that are news, at the positions that follow."""
        buckets, tombstones = self._buckets, self._tombstones
        taken: list[Entry] = []
        for change in changes:
            key = change[0]
            bucket = buckets.setdefault(_bucket_of(key), {})  # not left empty: a new one's is news
            held = bucket.get(key)
            if held is not None:
                if change[2] <= held.revision:
                    continue
                del bucket[key]
                tombstones.pop(key, None)
            self.position += 1
            entry = bucket[key] = _new(Entry, (*change, self.position))
            if change[1] is None:
                tombstones[key] = self.position
            taken.append(entry)
        return taken

    def offer(self, entries: Sequence[Entry]) -> None:
        """Give watchers what was taken."""
        of_kind: dict[str, list[Entry]] = {}
        for entry in entries:
            of_kind.setdefault(entry[0].partition("/")[0], []).append(entry)
        for watcher in self._watchers:
            some = of_kind.get(watcher.kind, ()) if watcher.kind else entries
            if some:
                watcher.offer(some)

    def oldest_tombstones(self, count: int) -> list[int]:
        """The positions of the first `count` tombstones."""
        return [
            position for position, _ in zip(self._tombstones.values(), range(count), strict=False)
        ]

    def forget(self, until: int) -> None:
        """Forget tombstones up to and with the position `until`."""
        while self._tombstones and next(iter(self._tombstones.values())) <= until:
            key, self.forgotten = self._tombstones.popitem(last=False)
            name = _bucket_of(key)
            del self._buckets[name][key]
            if not self._buckets[name]:
                del self._buckets[name]
        self.forgotten = max(self.forgotten, until)

    def succeed(self, earlier: "Held", news: Sequence[Entry]) -> None:
        """Give the earlier one's watchers what they have not seen, and all that comes here."""
        self._watchers = earlier._watchers
        self.offer(news)

    def end(self, problem: Exception) -> None:
        """End every watch: `problem` is raised where it is waited on."""
        for watcher in self._watchers:
            watcher.end(problem)

    async def watch(self, prefix: str, since: int) -> AsyncGenerator[Sequence[Entry], None]:
        """Changes under `prefix` after `since`, in batches, for ever."""
        watcher = _Watcher(prefix, self._watcher_pending_max)
        watcher.offer(self.after(prefix, since))
        self._watchers.append(watcher)
        try:
            while True:
                entries = await watcher.take()
                for start in range(0, len(entries), batch_max):
                    yield entries[start : start + batch_max]
        finally:
            self._watchers.remove(watcher)

    def under(self, prefix: str) -> list[Entry]:
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

    def after(self, prefix: str, since: int) -> list[Entry]:
        """Entries under `prefix` after `since`; costs what they are when `prefix` is a slice."""
        if since < self.forgotten or since > self.position:
            raise Compacted(f"position {since} is not within what this log remembers")
        if prefix not in self._buckets or prefix.count("/") != 2:
            return [entry for entry in self.under(prefix) if entry.position > since]
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
        self.kind, whole, _ = prefix.partition("/")  # of the only keys that it may want
        if not whole:
            self.kind = ""  # all: the prefix ends within a kind's name
        self._prefix = prefix
        self._pending_max = pending_max
        self._ended: Exception | None = None
        self._wake = asyncio.Event()

    def offer(self, entries: Iterable[Entry]) -> None:
        if self._ended is not None:
            return
        prefix, pending = self._prefix, self.pending
        for entry in [each for each in entries if each[0].startswith(prefix)]:
            pending.pop(entry[0], None)
            pending[entry[0]] = entry
        if pending:
            self._wake.set()
        if len(pending) > self._pending_max:
            what = f"a watcher of '{self._prefix}' was more than {self._pending_max} behind"
            self.end(Slow(what))

    def end(self, problem: Exception) -> None:
        self.pending.clear()
        self._ended = problem
        self._wake.set()

    async def take(self) -> Sequence[Entry]:
        """All that is pending, once there is something."""
        await self._wake.wait()
        if self._ended is not None:
            raise self._ended
        entries = list(self.pending.values())
        self.pending = {}
        self._wake.clear()
        return entries


def _bucket_of(key: str) -> str:
    """Entries live in buckets by slice (`network/7/`), or by kind where keys have two parts."""
    first = key.find("/") + 1
    second = key.find("/", first) + 1 if first else 0
    return key[: second or first]
