"""Takes up again what failed half way: even undoing can fail while a peer is away.

Work on a resource that reaches beyond its own database is noted there first, and the transaction
that ends the work removes the note. A manager's `recover` does what the notes say; it is called at
start, and here after a failure, until nothing fails any more.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from alcor.runtime.locks import Locks
from alcor.values.errors import Kind, Refusal

wait_s = 5.0  # after a failure, until what was left is taken up

_log = structlog.get_logger(__name__)


class Unfinished:
    """One at a time works on an id; what it may have left is looked for a while later."""

    def __init__(self, again_s: float = wait_s) -> None:
        self._again_s = again_s
        self._locks = Locks()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def begun(self, *ids: str) -> AsyncIterator[None]:
        """Work on these alone. A refusal has undone everything, unless a part was not there."""
        async with self._locks.of_all(ids):
            try:
                yield
            except Refusal as refusal:
                if refusal.kind is Kind.UNAVAILABLE:
                    self._left.set()
                raise
            except BaseException:
                self._left.set()
                raise

    async def run(self, recover: Callable[[], Awaitable[None]]) -> None:
        """Call `recover` after every failure, for ever."""
        while True:
            await self._left.wait()
            await asyncio.sleep(self._again_s)
            self._left.clear()
            try:
                await recover()
            except Refusal as refusal:
                self._left.set()
                _log.warning("not_settled", reason=refusal.message)
