"""A keyed log in this process's memory; its writers fill it again after a restart.

Tombstones are kept up to a limit: after that a watcher from long ago is told `Compacted`.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from alcor.keyed_log.held import Held
from alcor.keyed_log.log import Change, Entry, Snapshot

tombstones_max = 100_000  # entries; the oldest are forgotten first
watcher_pending_max = 1_000_000  # entries that one watcher may be behind


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
        self._held = Held(watcher_pending_max)
        self._tombstones_max = tombstones_max
        self._last_by_writer: dict[str, int] = {}
        self._moved = asyncio.Condition()

    @property
    def epoch(self) -> int:
        """Which life of the log this is."""
        return self._epoch

    @property
    def life(self) -> str:
        """What this life is called."""
        return str(self._epoch)

    @property
    def position(self) -> int:
        """Of the last change taken."""
        return self._held.position

    @property
    def backlog(self) -> int:
        """Entries that the slowest watcher has not been given yet."""
        return self._held.backlog

    async def put(self, changes: Sequence[Change]) -> int:
        """Take what is newer than what is held; return the position afterwards."""
        held = self._held
        taken = held.take_news(changes)
        surplus = held.tombstones - self._tombstones_max
        if surplus > 0:
            held.forget(held.oldest_tombstones(surplus)[-1])
        held.offer(taken)
        return held.position

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """What is held of these keys; what is gone is absent."""
        found = ((key, self._held.get(key)) for key in keys)
        return {key: entry for key, entry in found if entry and entry.value is not None}

    async def snapshot(self, prefix: str) -> Snapshot:
        """Every living key under `prefix`."""
        living = [entry for entry in self._held.under(prefix) if entry.value is not None]
        return Snapshot(self._epoch, self._held.position, living)

    async def changes(self, prefix: str, since: int) -> Snapshot:
        """What changed under `prefix` after position `since`, tombstones included."""
        return Snapshot(self._epoch, self._held.position, self._held.after(prefix, since))

    def watch(self, prefix: str, since: int) -> AsyncGenerator[Sequence[Entry], None]:
        """Changes under `prefix` after `since`, in batches, for ever."""
        return self._held.watch(prefix, since)

    async def complete(self, writer: str, last: int) -> None:
        """Say that the log holds all that `writer` has."""
        async with self._moved:
            self._last_by_writer[writer] = last
            self._moved.notify_all()

    async def completed(self, writers: Collection[str]) -> Mapping[str, int]:
        """Wait until each of the writers has said so."""
        held = self._last_by_writer
        async with self._moved:
            await self._moved.wait_for(lambda: held.keys() >= set(writers))
        return {writer: held[writer] for writer in writers}

    async def renewed(self, epoch: int) -> int:
        """Never: this log lives as long as its process."""
        never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        return await never
