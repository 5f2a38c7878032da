"""Change honest bytes at random, and keep what reaches lines in an order that is new.

Coverage comes from the interpreter's own tracing of Alcor's lines. An input that raises, takes
longer than `run_s_max` or makes the process grow by more than `growth_bytes_max` is a fault.
"""

import random
import resource
import sys
import time
import traceback
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from fuzz.entries import Entry

run_s_max = 2.0
growth_bytes_max = 400 << 20
input_bytes_max = 4_096
_INTERESTING = (0, 1, 2, 4, 16, 63, 64, 127, 128, 191, 192, 253, 254, 255)


class Fault(NamedTuple):
    """An input that a parser did not survive."""

    data: bytes
    why: str


class Outcome(NamedTuple):
    """What a run of an entry came to."""

    runs: int
    kept: int
    fault: Fault | None


class Tracer:
    """Notes which line of Alcor follows which, for one call."""

    def __init__(self) -> None:
        self.edges: set[tuple[int, int]] = set()
        self._before = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        name = frame.f_code.co_filename
        if "/alcor/" not in name:
            return None
        here = hash((name, frame.f_lineno))
        self.edges.add((self._before, here))
        self._before = here
        return self


def fuzz(entry: Entry, folder: Path, seconds: float, chance: random.Random) -> Outcome:
    """Run an entry on changed inputs for some seconds; new ones are kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [*entry.seeds, *(path.read_bytes() for path in sorted(folder.iterdir()))]
    seen: set[tuple[int, int]] = set()
    for data in inputs:
        fault, edges = _run(entry, data)
        if fault is not None:
            return Outcome(1, 0, fault)
        seen |= edges
    runs, kept, grown = len(inputs), 0, _memory_bytes()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = _changed(chance, inputs)
        fault, edges = _run(entry, data)
        runs += 1
        if fault is None and _memory_bytes() - grown > growth_bytes_max:
            fault = Fault(data, "the process has grown without end")
        if fault is not None:
            return Outcome(runs, kept, fault)
        if not edges <= seen:
            seen |= edges
            inputs.append(data)
            kept += 1
            (folder / blake2b(data, digest_size=8).hexdigest()).write_bytes(data)
    return Outcome(runs, kept, None)


def _run(entry: Entry, data: bytes) -> tuple[Fault | None, set[tuple[int, int]]]:
    tracer, started = Tracer(), time.monotonic()
    sys.settrace(tracer)
    try:
        entry.run(data)
    except Exception:
        return Fault(data, traceback.format_exc()), tracer.edges
    finally:
        sys.settrace(None)
    if (took := time.monotonic() - started) > run_s_max:
        return Fault(data, f"took {took:.1f} s"), tracer.edges
    return None, tracer.edges


def _changed(chance: random.Random, inputs: list[bytes]) -> bytes:
    data = bytearray(chance.choice(inputs))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0 if data:
                data[at % len(data)] = chance.choice(_INTERESTING)
            case 1 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 2:
                data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 16)))
            case 3:
                del data[at : at + chance.choice((1, 2, 4, 16))]
            case 4:
                other = chance.choice(inputs)
                start = chance.randrange(len(other) + 1)
                data[at:] = other[start:]
            case 5:
                data[at:at] = data[at : at + chance.choice((4, 8, 32))]
            case _:
                size = chance.choice((2, 4))
                value = chance.choice((0, 1, 255, 256, 65_535, len(data), 1 << 31)) % 256**size
                data[at : at + size] = value.to_bytes(size, "big")
    return bytes(data[:input_bytes_max])


def _memory_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
