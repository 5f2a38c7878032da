"""Speaks to the next hops of gateways when it is time, and looks who has fallen silent."""

import asyncio

from alcor.agent.punts.bfd import NextHops
from alcor.agent.punts.responder import Responder


class Listening:
    """The shell around `NextHops`: it sleeps until something is due, or changes."""

    def __init__(self, next_hops: NextHops, responder: Responder) -> None:
        self._next_hops, self._responder = next_hops, responder
        self._has_changed = asyncio.Event()

    def look(self) -> None:
        """What is outside, and whom to listen to, may be another now."""
        self._next_hops.look()
        self._has_changed.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._has_changed.clear()
            try:
                async with asyncio.timeout(self._next_hops.wait_s()):
                    await self._has_changed.wait()
            except TimeoutError:
                pass
            is_heard = self._responder.is_connected
            self._responder.send(self._next_hops.tick(is_heard=is_heard))
