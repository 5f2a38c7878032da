"""Time and new ids: the only place where the wall clock and chance come in.

Whoever needs them gets them from its assembly, so that tests and simulations give their own.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from alcor.runtime.ids import IdMaker

Seconds = Callable[[], float]  # since the epoch
NewId = Callable[[], str]

_CHANCE_BITS = 16


def now_s() -> float:
    """Seconds since the epoch."""
    return time.time()


def never_back(clock: Seconds) -> Seconds:
    """To measure how long something takes: a clock that goes on when `clock` is put back."""
    last_s, behind_s = clock(), 0.0

    def read() -> float:
        nonlocal last_s, behind_s
        now = clock()
        behind_s += max(0.0, last_s - now)
        last_s = now
        return now + behind_s

    return read


new_id: NewId = IdMaker(now_s)


def chance() -> float:
    """A random number from 0 to 1, for delays that must not fall together."""
    return random.random()


def life_number() -> int:
    """A number for a life of something: greater than those before it, and nobody else's."""
    return int(now_s() * 1_000) << _CHANCE_BITS | random.getrandbits(_CHANCE_BITS)


def timestamp(seconds: float) -> str:
    """As Neutron writes times: UTC, whole seconds."""
    return _timestamp(int(seconds))


def exact_timestamp(seconds: float) -> str:
    """The same, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=8)  # of the few last seconds: asked for with every write
def _timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
