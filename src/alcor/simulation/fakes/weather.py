"""The network between processes: how long a message takes, and who is cut off.

A `Line` is one direction of one connection: what is sent on it arrives in order or, once it is cut,
not at all. Lines know nothing of each other, so messages of different lines overtake each other.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from alcor.simulation.fakes.clock import Process

quick_s, slow_s, slow_share = 0.0006, 0.25, 0.01


class Weather:
    """Delays by chance, and partitions."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._away_until_s: dict[str, float] = {}

    def delay_s(self) -> float:
        """How long the next message takes."""
        if self._chance.random() < slow_share:
            return self._chance.uniform(0.005, slow_s)
        return self._chance.expovariate(1 / quick_s)

    def part(self, name: str, seconds: float) -> None:
        """Nothing reaches the process of this name, or leaves it, for so long."""
        now = asyncio.get_running_loop().time()
        self._away_until_s[name] = max(now + seconds, self._away_until_s.get(name, 0.0))

    def clear(self) -> None:
        """Everybody reaches everybody."""
        self._away_until_s.clear()

    def away_until_s(self, *names: str) -> float:
        """When all of these can be reached."""
        return max(self._away_until_s.get(name, 0.0) for name in names)


class Line:
    """One way from one process to another. Calls are what travels."""

    def __init__(self, weather: Weather, sender: str, receiver: Process) -> None:
        self._weather = weather
        self._names = (sender, receiver.name)
        self._context = receiver.context
        self._last_s = 0.0
        self._cut = False

    def send(self, call: Callable[..., object], *arguments: Any) -> None:
        """Have the receiver do it, when this has arrived."""
        if self._cut:
            return
        loop = asyncio.get_running_loop()
        arrives = loop.time() + self._weather.delay_s()
        in_order_s = max(arrives, self._last_s + 1e-6)
        self._last_s = max(in_order_s, self._weather.away_until_s(*self._names))
        loop.call_at(self._last_s, self._arrive, call, arguments, context=self._context.copy())

    def cut(self) -> None:
        """What is on its way is lost, and nothing more is taken."""
        self._cut = True

    def _arrive(self, call: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        if not self._cut:
            call(*arguments)
