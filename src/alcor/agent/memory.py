"""Keeps the host's memory on the disk: soon after a change, and for a small share of the time."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import structlog

from alcor.agent import state
from alcor.agent.state import Corrupt, SavedState

save_pause_s = 0.25  # between two writes, however many changes there are
save_share_max = 0.05  # of the time: a large state is written more rarely

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
        loop = asyncio.get_running_loop()
        try:
            while True:
                await unsaved.wait()
                unsaved.clear()
                began = loop.time()
                await _to_the_end(asyncio.to_thread(self.save, current()))
                took_s = loop.time() - began
                await asyncio.sleep(max(save_pause_s, took_s / save_share_max))
        finally:
            if unsaved.is_set():
                self.save(current())

    def save(self, what: SavedState) -> None:
        """Write now; a disk that refuses is an alarm, not a reason to stop forwarding."""
        try:
            state.write(self._path, what)
        except OSError as error:
            log.error("goal state is not saved", reason=str(error))


async def _to_the_end(writing: Coroutine[None, None, None]) -> None:
    """Wait for a thread even when cancelled: two that write one file would spoil it."""
    task = asyncio.ensure_future(writing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
