"""Tasks that live as long as the process: each has a name and an owner, none dies unseen.

A task that crashes, or ends though it should not, is a fault of ours: it is logged and the
process is told to stop, to be started again in a known state.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

cancel_again_s = 2.0  # after which a task that goes on is cancelled once more

_log = structlog.get_logger("alcor.tasks")


class TaskFailed(Exception):
    """A task of the process ended; nothing works as it should any more."""


class Tasks:
    """The background tasks of one process, or of a part of it that may begin anew."""

    def __init__(self, passing: Callable[[BaseException | None], bool] = lambda _: False) -> None:
        """`passing`: what is no fault, however a task ends with it; it is told in one line."""
        self._passing = passing
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` until `stop`."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def failure(self) -> None:
        """Wait until a task has failed, and raise `TaskFailed` for it."""
        await asyncio.shield(self._failed)

    async def stop(self) -> None:
        """End all tasks and wait for them; once more is no error."""
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            # What came at the very moment `asyncio.wait_for` gives to a task instead of the news.
            await asyncio.wait(tasks, timeout=cancel_again_s)
            await asyncio.sleep(0)  # who has ended leaves
        if self._failed.done() and not self._failed.cancelled():
            self._failed.exception()  # It was told; don't let asyncio complain too.
        else:
            self._failed.cancel()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or self._failed.done():
            return
        if self._passing(error):
            _log.warning("task ended", task=task.get_name(), why=str(error))
        else:
            _log.error("task ended", task=task.get_name(), exc_info=error)
        failure = TaskFailed(task.get_name())
        failure.__cause__ = error
        self._failed.set_exception(failure)
