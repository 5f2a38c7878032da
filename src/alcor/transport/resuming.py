"""The agent's end of the transport, whatever carries it: connect, again and again, and resume."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Protocol

from alcor.transport import wire
from alcor.transport.link import Connected, Disconnected, Frame, Got, Hello, Report, Violation
from alcor.transport.standing import Chance, Standing, backoff_max_s, backoff_s

lasting_s = backoff_max_s  # a connection of at least so long was no failed attempt


class Call(Protocol):
    """One connection on which Hello was said and heard."""

    def frames(self) -> AsyncIterator[Frame]:
        """Frames as they come, until the control plane hangs up."""
        ...

    async def say(self, message: wire.HostMessage) -> None:
        """Say the next thing."""
        ...

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key, now; `Forbidden`, or `ConnectionError` when nobody answers."""
        ...

    def hang_up(self, why: str) -> None:
        """End `frames` with this reason: who hears and says nothing seems to be there."""
        ...


class ResumingLink(ABC):
    """One host's connection to the control plane (`transport.link.Link`)."""

    def __init__(self, hello: Hello, chance: Chance) -> None:
        """`chance`, for the delays between attempts, is given: who tests decides it."""
        self._standing = Standing(hello)
        self._chance = chance
        self._call: Call | None = None

    @abstractmethod
    def _connection(self, hello: Hello) -> AbstractAsyncContextManager[Call]:
        """A new connection; `Violation` or `OSError` says why there is none, or none any more."""

    async def events(self) -> AsyncGenerator[Frame | Connected | Disconnected, None]:
        """What comes, for ever; each connection that did not last has the next one wait longer."""
        clock = asyncio.get_running_loop().time
        attempt = 0
        while True:
            reason, lasting_from = "the control plane hung up", math.inf
            try:
                async with self._connection(self._standing.hello) as call, self._speaking(call):
                    lasting_from = clock() + lasting_s
                    yield Connected()
                    async for frame in call.frames():
                        self._standing.note(frame)
                        yield frame
            except (Violation, OSError) as error:
                reason = str(error) or type(error).__name__
            yield Disconnected(reason)
            if clock() >= lasting_from:
                attempt = 0
            await asyncio.sleep(backoff_s(attempt, self._chance()))
            attempt += 1

    def subscribe(self, name: str, epoch: int = 0, position: int = 0) -> None:
        """Want a slice, of which everything up to (epoch, position) is held already."""
        self._standing.subscribe(name, epoch, position)

    def unsubscribe(self, name: str) -> None:
        """Want it no more."""
        self._standing.unsubscribe(name)

    def report(self, report: Report) -> None:
        """Tell how far the host is."""
        self._standing.report(report)

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key, now."""
        if self._call is None:
            raise ConnectionError("not connected to the control plane")
        return await self._call.get(keys)

    @asynccontextmanager
    async def _speaking(self, call: Call) -> AsyncIterator[None]:
        """Meanwhile somebody says what is to be said, from the subscriptions on."""
        self._call = call
        self._standing.resume()
        speaking = asyncio.create_task(self._speak(call), name="link-speak")
        speaking.add_done_callback(partial(_hang_up, call))
        try:
            yield
        finally:
            self._call = None
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _speak(self, call: Call) -> None:
        """Say what is to be said, as soon as there is something; else that we are here."""
        while True:
            for message in await self._standing.to_say():
                await call.say(message)


def _hang_up(call: Call, speaking: asyncio.Task[None]) -> None:
    """Nothing more can be said on a connection: begin another one."""
    if not speaking.cancelled() and (error := speaking.exception()) is not None:
        call.hang_up(f"what was to be said can't be: {str(error) or type(error).__name__}")
