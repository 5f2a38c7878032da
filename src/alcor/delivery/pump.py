"""Intent in, goal state out: follow the intent log, plan, and put what changes in the goal log.

The first plan is made when every manager has told all that it holds; until then nothing is
`ready`, because what is missing may only not have been told yet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from alcor.delivery import metrics
from alcor.delivery.history import History, merged
from alcor.goal_state.slices import slice_of
from alcor.intent import records
from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog, Slow
from alcor.planner.graph import GoalChange, IntentChange, Planner

_log = structlog.get_logger(__name__)

T = TypeVar("T")
Rebuilt = Callable[[], Awaitable[Mapping[str, int]]]

_LAST_OF_ITS_SLICE = (
    "/network",
    "/group",
    "/addresses",
    "/router",
)  # what goes when all of it goes

entries_per_step_max = 128  # planned before others get the processor


class Planned(NamedTuple):
    """What one change of intent changes in goal state, and the request behind it."""

    changes: Sequence[GoalChange]
    trace: str = ""


class Pump:
    """One planner between two logs; it is the goal log's only writer."""

    def __init__(
        self,
        intent: KeyedLog,
        goal: KeyedLog,
        planned: Callable[[Mapping[str, int]], None],
        zone: str = "",
    ) -> None:
        self.planner = Planner(zone=zone)
        self.ready = asyncio.Event()
        self.history_by_manager: dict[str, History] = {}
        self.position_by_slice: dict[str, int] = {}  # goal-log position of its last change
        self._intent = intent
        self._goal = goal
        self._planned = planned  # told after every step which slices changed, and where
        self._revision = 0  # of goal entries: counts what was put

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

        A snapshot says nothing of what was deleted, so the managers say how far they are.
        """
        snapshot = await self._intent.snapshot("")
        readable = [change for entry in snapshot.entries if (change := _read(entry)) is not None]
        named = {entry.key for entry in snapshot.entries}
        changes = [*self.planner.surplus(named), *readable]
        for step in _steps(changes):
            changed = await self._put([Planned(self._apply(change)) for change in step])
            self._planned(merged(changed))
            await asyncio.sleep(0)  # let others run
        for manager, last in last_by_manager.items():
            self.history_by_manager.setdefault(manager, History()).forget(last)
        self._show()
        self.ready.set()
        self._planned({})
        return snapshot.position

    async def _follow(self, entries: Sequence[Entry]) -> None:
        for step in _steps(entries):
            changed = await self._put([self._plan(entry) for entry in step])
            for entry, positions in zip(step, changed, strict=True):
                self._history(entry.key).record(entry.revision, entry.trace, positions)
            self._show()
            self._planned(merged(changed))
            await asyncio.sleep(0)  # let others run

    def _plan(self, entry: Entry) -> Planned:
        change = _read(entry)
        return Planned(self._apply(change) if change is not None else [], entry.trace)

    def _apply(self, change: IntentChange) -> list[GoalChange]:
        try:
            return self.planner.apply(change)
        except ValueError as error:
            _refuse(change.key, error)
            return []

    async def _put(self, steps: Sequence[Planned]) -> list[dict[str, int]]:
        """Put what is planned; for each, the slices that it changed and at which position.

        With one writer every change is taken, so the positions are those up to the log's.
        """
        flat = [(change, planned.trace) for planned in steps for change in planned.changes]
        puts = [
            Change(change.key, change.value, revision, trace)
            for revision, (change, trace) in enumerate(flat, start=self._revision + 1)
        ]
        self._revision += len(puts)
        position = await self._goal.put(puts) - len(puts) if puts else 0
        changed = []
        for planned in steps:
            keys = [change.key for change in planned.changes]
            position_by_slice = {slice_of(key): position + at for at, key in enumerate(keys, 1)}
            position += len(keys)
            self.position_by_slice.update(position_by_slice)
            changed.append(position_by_slice)
        for change, _ in flat:
            if change.value is None and change.key.endswith(_LAST_OF_ITS_SLICE):
                self.position_by_slice.pop(slice_of(change.key), None)  # nobody waits for it now
        return changed

    def _history(self, key: str) -> History:
        return self.history_by_manager.setdefault(records.manager_of(key), History())

    def _show(self) -> None:
        for manager, history in self.history_by_manager.items():
            metrics.intent_revision.labels(manager).set(history.seen)
        metrics.goal_entries.set(len(self.planner.goal))


def _steps(of: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(of), entries_per_step_max):
        yield of[start : start + entries_per_step_max]


def _read(entry: Entry) -> IntentChange | None:
    """The change of intent that an entry tells; None when it can't be read."""
    try:
        record = None if entry.value is None else records.decode(entry.key, entry.value)
    except (msgspec.DecodeError, KeyError) as error:
        _refuse(entry.key, error)
        return None
    return IntentChange(entry.key, record, entry.revision)


def _refuse(key: str, error: Exception) -> None:
    """Leave a record out, and say so: what is planned of it already stays."""
    metrics.unplannable.inc()
    _log.error("pump.unplannable", key=key, error=str(error))
