"""New ids: UUIDs that sort roughly by time and differ within their first eleven characters.

Nova and os-vif name a port's interface `tap` and the first 11 characters of its id. A UUIDv7 has
only its clock there: two ports made within a quarter of a second would get one name. So the first
40 bits are 20 bits of time (steps of 1,024 s) and a 20-bit counter from a random start; 74 more
bits are random. The form is RFC 9562's version 8. See docs/decisions/0005.
"""

import random
from collections.abc import Callable

_STEP_S = 1_024
_COUNTER = 1 << 20
_LOW = (1 << 62) - 1


class IdMaker:
    """Makes ids that never share their first 40 bits within a step of one process."""

    def __init__(
        self, clock: Callable[[], float], random_bits: Callable[[int], int] = random.getrandbits
    ) -> None:
        """`random_bits` answers a number of as many bits."""
        self._clock = clock
        self._random_bits = random_bits
        self._step = -1
        self._first = 0
        self._made = 0

    def __call__(self) -> str:
        """The next id, in canonical form."""
        step = int(self._clock()) // _STEP_S
        if step > self._step:
            self._step, self._first, self._made = step, self._random_bits(20), 0
        elif self._made == _COUNTER:  # a thousand a second for a quarter of an hour: run ahead
            self._step, self._made = self._step + 1, 0
        counter = (self._first + self._made) % _COUNTER
        self._made += 1
        chance = self._random_bits(82)
        middle, low = chance >> 62, chance & _LOW
        head = (self._step & 0xFFFFF) << 44 | counter << 24 | middle >> 12 << 16
        head |= 0x8000 | middle & 0xFFF  # the version
        text = (head << 64 | 1 << 63 | low).to_bytes(16, "big").hex()  # the variant: 10
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
