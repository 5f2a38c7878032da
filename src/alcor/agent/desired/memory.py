"""Saves the host's memory to disk: soon after a change, but a large one less often.

Its size decides how often, not how long saving took: a busy host must not remember less.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import structlog

from alcor.agent.desired import state
from alcor.agent.desired.state import Corrupt, SavedState

save_pause_s = 0.25  # between two writes, however many changes there are
save_bytes_per_s_max = 4_000_000
save_again_s = 2.0  # after the disk has refused

log = structlog.get_logger()


class Memory:
    """The state file of one host."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "goal-state"
        self.failing = False  # the disk has refused what was last to be saved

    def load(self) -> SavedState | None:
        """What was last saved; None when there is nothing, or nothing that can be trusted."""
        try:
            return state.read(self._path)
        except Corrupt as error:
            log.error("saved goal state is corrupt; starting without it", reason=str(error))
            return None

    async def keep(self, unsaved: asyncio.Event, current: Callable[[], SavedState]) -> None:
        """Save whenever something changed, for ever; once more when cancelled."""
        try:
            while True:
                await unsaved.wait()
                unsaved.clear()
                size = await _to_the_end(asyncio.to_thread(self.save, current()))
                if self.failing:
                    unsaved.set()
                    await asyncio.sleep(save_again_s)
                await asyncio.sleep(max(save_pause_s, size / save_bytes_per_s_max))
        finally:
            if unsaved.is_set():
                self.save(current())

    def save(self, what: SavedState) -> int:
        """Write now, so many bytes; a disk that refuses is an alarm, and forwarding goes on."""
        try:
            size = state.write(self._path, what)
        except OSError as error:
            if not self.failing:  # else each attempt says the same
                log.error("goal state is not saved", file=str(self._path), reason=str(error))
            self.failing = True
            return 0
        if self.failing:
            log.info("goal state is saved again", file=str(self._path))
        self.failing = False
        return size


async def _to_the_end(writing: Coroutine[None, None, int]) -> int:
    """Wait for a thread even when cancelled: two that write one file would spoil it."""
    task = asyncio.ensure_future(writing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
