"""Attempts to reach a switch: each waits longer than the one before, until one has lasted.

A switch that answers and then refuses or hangs up is no better than one that is away: asked again
at once, for ever, agent and switch would do nothing else.
"""

import asyncio

pause_s_min, pause_s_max = 0.02, 1.0


class Attempts:
    """How long to wait before the next one."""

    def __init__(self) -> None:
        self._pause_s = pause_s_min
        self._began_s = 0.0

    def begin(self) -> None:
        """One begins."""
        self._began_s = asyncio.get_running_loop().time()

    async def pause(self) -> None:
        """It is over. What was there for longer than the longest pause is asked again soon."""
        if asyncio.get_running_loop().time() - self._began_s > pause_s_max:
            self._pause_s = pause_s_min
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, pause_s_max)
