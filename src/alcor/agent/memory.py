"""Keeps the host's memory on the disk: soon after a change, and never more often than needed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from alcor.agent import state
from alcor.agent.state import Corrupt, SavedState

save_pause_s = 0.25  # between two writes, however many changes there are

log = structlog.get_logger()


class Memory:
    """The state file of one host."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "goal-state"

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
                await asyncio.to_thread(self.save, current())
                await asyncio.sleep(save_pause_s)
        finally:
            if unsaved.is_set():
                self.save(current())

    def save(self, what: SavedState) -> None:
        """Write now; a disk that refuses is an alarm, not a reason to stop forwarding."""
        try:
            state.write(self._path, what)
        except OSError as error:
            log.error("goal state is not saved", reason=str(error))
