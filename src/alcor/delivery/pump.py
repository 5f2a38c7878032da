"""Intent in, goal state out: follow the intent log, plan, and put what changes in the goal log.

The first plan is made when every manager has told all that it holds; until then nothing is
`ready`, because what is missing may only not have been told yet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from alcor.delivery import metrics
from alcor.delivery.history import History, merged
from alcor.delivery.watermark import Watermark
from alcor.goal_state.slices import slice_of
from alcor.intent import records
from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog, Slow, Snapshot
from alcor.planner.graph import GoalChange, IntentChange, Planner, lazy_above
from alcor.runtime.observability import spans
from alcor.transport.link import Reached

_log = structlog.get_logger(__name__)

T = TypeVar("T")
Rebuilt = Callable[[], Awaitable[Mapping[str, int]]]

entries_per_step_max = 128  # planned before others get the processor
slices_kept_least = 10_000  # whose last changes are kept before any is forgotten


class Planned(NamedTuple):
    """What one change of intent changes in goal state, the request behind it, and the intent log's
    position of it."""

    changes: Sequence[GoalChange]
    trace: str = ""
    at: int = 0


class Pump:
    """One planner between two logs; it is the goal log's only writer."""

    def __init__(
        self,
        intent: KeyedLog,
        goal: KeyedLog,
        planned: Callable[[Mapping[str, int]], None],
        zone: str = "",
        watermark: Watermark | None = None,
        lazy_above: int = lazy_above,
        slices_kept_least: int = slices_kept_least,
    ) -> None:
        self.planner = Planner(zone=zone, lazy_above=lazy_above)
        self.ready = asyncio.Event()
        self.history_by_manager: dict[str, History] = {}
        self.position_by_slice: dict[str, int] = {}  # intent-log position of its last change
        self._slices_kept_least = self._slices_kept_max = slices_kept_least
        self.watermark = watermark or Watermark()
        self._intent = intent
        self._goal = goal
        self._planned = planned  # told after every step which slices changed, and where
        self._goal_position = 0  # of the last of them
        self._revision = 0  # of goal entries: counts what was put
        self._unknown: set[str] = set()  # kinds of records that a later release has
        metrics.goal_entries.set_function(lambda: len(self.planner.goal))

    async def run(self, rebuilt: Rebuilt) -> None:
        """Plan for ever. `rebuilt` returns when every manager has told the intent log all that it
        holds, with the last sequence of each."""
        while True:
            position = await self._begin(await rebuilt())
            try:
                async for entries in self._intent.watch("", position):
                    await self._follow(entries)
            except (Slow, Compacted):
                _log.warning("pump.left_behind", position=position)

    async def _begin(self, last_by_manager: Mapping[str, int]) -> int:
        """Plan from a complete snapshot; return the position to follow the log from.

        The managers said how far they were when all was told; they may have gone on since.
        """
        snapshot, last_change = await self._whole()
        reached = Reached(self._intent.life, last_change)
        living = [entry for entry in snapshot.entries if entry.value is not None]
        for step in _steps(self.planner.surplus({entry.key for entry in living})):
            await self._plan_again(step, reached)
        for some in _steps(living):  # read as they are planned: others can't wait for all at once
            read = [change for entry in some if (change := self._read(entry)) is not None]
            await self._plan_again(read, reached)
        for name in self.position_by_slice:  # positions of another life mean nothing in this one
            self.position_by_slice[name] = reached.position
        self.watermark.move(self._goal_position, reached)
        for manager, last in last_by_manager.items():
            self._history(manager).forget(last)
        for entry in snapshot.entries:
            self._history(records.manager_of(entry.key)).forget(entry.revision)
        await self._forget_slices()
        self.ready.set()
        self._planned({})
        return snapshot.position

    async def _plan_again(self, changes: Sequence[IntentChange], reached: Reached) -> None:
        planned = [Planned(self._apply(change), at=reached.position) for change in changes]
        self._planned(merged(await self._put(planned)))
        await asyncio.sleep(0)  # let others run

    async def _whole(self) -> tuple[Snapshot, int]:
        """All that the intent log holds, with what it remembers of what is gone, and the position
        of the last change: the log goes on without one, and who follows it would not see that."""
        try:
            whole = await self._intent.changes("", 0)
        except Compacted:
            whole = await self._intent.snapshot("")
            return whole, whole.position
        return whole, max((entry.position for entry in whole.entries), default=0)

    async def _follow(self, entries: Sequence[Entry]) -> None:
        for step in _steps(entries):
            began = perf_counter()
            changed = await self._put([self._plan(entry) for entry in step])
            seconds = perf_counter() - began
            metrics.plan_seconds.observe(seconds)
            spans.done("plan", (entry.trace for entry in step), seconds, changes=len(step))
            _log.debug("planned", position=step[-1].position, records=len(step), seconds=seconds)
            reached = Reached(self._intent.life, step[-1].position)
            self.watermark.move(self._goal_position, reached)
            for entry, positions in zip(step, changed, strict=True):
                history = self._history(records.manager_of(entry.key))
                history.record(entry.revision, entry.trace, positions)
            self._planned(merged(changed))
            await asyncio.sleep(0)  # let others run
        await self._forget_slices()

    async def _forget_slices(self) -> None:
        """Forget where slices changed last that concern no host: nobody waits for them, and most
        are of what is gone. They are looked for whenever twice as many are kept as were left."""
        if len(self.position_by_slice) <= self._slices_kept_max:
            return
        for some in _steps(list(self.position_by_slice)):
            for name in some:
                if self.planner.index.is_of_nobody(name):
                    del self.position_by_slice[name]
            await asyncio.sleep(0)  # let others run
        self._slices_kept_max = max(self._slices_kept_least, 2 * len(self.position_by_slice))

    def _plan(self, entry: Entry) -> Planned:
        change = self._read(entry)
        changes = self._apply(change) if change is not None else []
        return Planned(changes, entry.trace, entry.position)

    def _read(self, entry: Entry) -> IntentChange | None:
        """The change of intent that an entry tells; None when it can't be read, or not yet: what a
        later release tells stays in the log, until a delivery that knows it plans it."""
        if not records.is_known(entry.key):
            kind = entry.key.partition("/")[0]
            if kind not in self._unknown:
                self._unknown.add(kind)
                _log.warning("pump.unknown_kind", kind=kind)
            return None
        return _read(entry)

    def _apply(self, change: IntentChange) -> list[GoalChange]:
        try:
            return self.planner.apply(change)
        except ValueError as error:
            _refuse(change.key, error)
            return []

    async def _put(self, steps: Sequence[Planned]) -> list[dict[str, int]]:
        """Put what is planned; for each, the slices that it changed, and at which position."""
        flat = [(change, planned.trace) for planned in steps for change in planned.changes]
        puts = [
            Change(change.key, change.value, revision, trace)
            for revision, (change, trace) in enumerate(flat, start=self._revision + 1)
        ]
        self._revision += len(puts)
        if puts:
            self._goal_position = await self._goal.put(puts)
        changed = []
        for planned in steps:
            names = {slice_of(change.key) for change in planned.changes}
            position_by_slice = dict.fromkeys(names, planned.at)
            self.position_by_slice.update(position_by_slice)
            changed.append(position_by_slice)
        return changed

    def _history(self, manager: str) -> History:
        history = self.history_by_manager.get(manager)
        if history is None:
            history = self.history_by_manager[manager] = History()
            seen = metrics.intent_revision.labels(manager)
            seen.set_function(partial(getattr, history, "seen"))
        return history


def _steps(of: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(of), entries_per_step_max):
        yield of[start : start + entries_per_step_max]


def _read(entry: Entry) -> IntentChange | None:
    try:
        record = None if entry.value is None else records.decode(entry.key, entry.value)
    except msgspec.DecodeError as error:
        _refuse(entry.key, error)
        return None
    return IntentChange(entry.key, record, entry.revision)


def _refuse(key: str, error: Exception) -> None:
    """Leave a record out, and say so: what is planned of it already stays."""
    metrics.unplannable.inc()
    _log.error("pump.unplannable", key=key, error=str(error))
