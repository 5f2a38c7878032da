"""How long it takes a host to apply what it is sent of traced requests."""

import asyncio
from collections import deque
from typing import NamedTuple

from alcor.runtime.observability import spans
from alcor.transport.link import Frame
from alcor.values.traceparent import traceparent_of

frames_max = 1_000  # that a host has not acknowledged; of older ones nothing is told


class _Left(NamedTuple):
    position: int
    at: float
    traces: list[str]


class Underway:
    """Those of one host; nothing is kept while nobody records spans."""

    def __init__(self) -> None:
        self._left: deque[_Left] = deque(maxlen=frames_max)

    def left(self, frame: Frame) -> None:
        """A frame is sent to the host."""
        if spans.recorder is None:
            return
        traces = [item.trace for item in frame.items if traceparent_of(item.trace)]
        if traces:
            now = asyncio.get_running_loop().time()
            self._left.append(_Left(frame.position, now, traces))

    def arrived(self, host: str, position: int) -> None:
        """The host's switch has acknowledged all up to `position`."""
        while self._left and self._left[0].position <= position:
            left = self._left.popleft()
            seconds = asyncio.get_running_loop().time() - left.at
            spans.done("deliver", left.traces, seconds, host=host)
