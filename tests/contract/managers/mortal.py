"""Managers that die at a step of our choosing: beside a call to a peer, or a transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

steps_max = 60  # of one saga


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

    async def allows(self, saga: Awaitable[object], steps: int) -> bool:
        """Whether a saga is through in so many steps; nothing of this life goes on after it."""
        self.steps = steps
        try:
            await saga
        except Death:
            return False
        finally:
            self.steps = 0
        return True


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


def die_at_every_step(
    lives: Any,
    build: Callable[[Any], Awaitable[object]],
    survived: Callable[[Any, int], Awaitable[bool]],
) -> None:
    """In a world that is built once, try a saga with ever more steps until it has survived."""

    async def main() -> None:
        async with lives.life() as world:
            await build(world)
            for steps in range(1, steps_max):
                if await survived(world, steps):
                    break
            else:
                raise AssertionError("the saga has no end")
            assert steps > 3  # it did die on the way

    asyncio.run(main())
