"""Hosts for which there may be something to send, whatever carries it.

One task sends to all of them, so that a change for thousands of hosts wakes one task; and what is
to be sent goes before what has come.
"""

import asyncio
from typing import Protocol

from alcor.transport import wire

frame_interval_s = 0.001  # changes that are ready within it share a frame; the first goes at once
turn_s_max = 0.02  # that sending to one host after the other holds the event loop


class Recipient(Protocol):
    """One connected host."""

    async def send_frame(self) -> None:
        """Send the next frame, if there is one and room for it; wait for nobody who reads."""
        ...


class Outbox:
    """Who is to be sent something."""

    def __init__(self) -> None:
        self.encoder = wire.FrameEncoder()
        self.idle = asyncio.Event()  # nothing is being sent
        self.idle.set()
        self._recipients: dict[Recipient, None] = {}
        self._wake = asyncio.Event()

    def add(self, recipient: Recipient) -> None:
        """There may be something for this host."""
        self._recipients[recipient] = None
        self._wake.set()

    async def run(self) -> None:
        """Send each of them a frame in turn, as long as there are any; for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self.idle.clear()
            try:
                await self._round()
            finally:
                self.idle.set()  # hosts end even when this has failed
            await asyncio.sleep(frame_interval_s)

    async def _round(self) -> None:
        recipients, self._recipients = self._recipients, {}
        now_s = asyncio.get_running_loop().time
        end_s = now_s() + turn_s_max
        for recipient in recipients:
            await recipient.send_frame()
            if now_s() > end_s:
                await asyncio.sleep(0)  # others run, and what was sent leaves
                end_s = now_s() + turn_s_max
