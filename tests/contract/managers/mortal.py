"""Managers that die at a step of our choosing: beside a call to a peer, or a transaction."""

from collections.abc import Callable, Coroutine
from typing import Any


class Death(BaseException):
    """The managers are gone. Not an Exception: nothing of theirs may catch it and go on."""


class Fate:
    """How many steps there are left; None: as many as they like."""

    def __init__(self, steps: int | None = None) -> None:
        self.steps = steps

    def step(self) -> None:
        if self.steps is not None:
            if self.steps <= 0:
                raise Death
            self.steps -= 1


class Mortal:
    """A peer, and the call of it that is never made or never answered."""

    def __init__(self, peer: Any, fate: Fate) -> None:
        self._peer, self._fate = peer, fate

    def __getattr__(self, verb: str) -> Callable[[Any], Coroutine[Any, Any, Any]]:
        async def call(request: Any) -> Any:
            self._fate.step()
            reply = await getattr(self._peer, verb)(request)
            self._fate.step()
            return reply

        return call


def let_die(database: Any, fate: Fate) -> None:
    """Each transaction is a step before it, and one after it."""
    honest = database.write

    async def write(work: Any) -> Any:
        fate.step()
        result = await honest(work)
        fate.step()
        return result

    database.write = write
