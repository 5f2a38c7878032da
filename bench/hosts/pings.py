"""Ask every machine from every other until all have answered, in a process of its own.

It runs already when the clock starts. Asked again is every 50 ms, so a figure is late by 25 ms on
average; both contenders are measured by the same process. The moment of the last first answer goes
back as the machine's monotonic time, which all processes share.
"""

import selectors
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from time import monotonic
from typing import Self

import msgspec

from alcor.lab.traffic.echo import EchoSocket, kind_of
from bench.servers import Unexpected

ask_again_s = 0.05
give_up_s = 30.0
_identifier = 0xA1C2


class Machines(msgspec.Struct, frozen=True):
    """Who asks whom: namespace and address of each machine."""

    address_by_namespace: dict[str, str]


class AllAnswered(msgspec.Struct, frozen=True):
    """When the last pair had its first answer (monotonic, seconds), and who never had one."""

    at: float
    ok: int
    total: int


class _Asker:
    """All machines' sockets; an echo's sequence is its target's place in the list."""

    def __init__(self, machines: Machines, stack: ExitStack) -> None:
        self._addresses = list(machines.address_by_namespace.values())
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._waiting: list[tuple[EchoSocket, set[int]]] = []
        for place, (namespace, address) in enumerate(machines.address_by_namespace.items()):
            door = stack.enter_context(EchoSocket(namespace, kind_of(address), _identifier))
            others = {n for n in range(len(self._addresses)) if n != place}
            self._waiting.append((door, others))
            self._selector.register(door, selectors.EVENT_READ, (door, others))

    def run(self) -> AllAnswered:
        total = left = sum(len(others) for _, others in self._waiting)
        started = last = ask_at = monotonic()
        while left and monotonic() < started + give_up_s:
            if monotonic() >= ask_at:
                ask_at = monotonic() + ask_again_s
                self._ask()
            for key, _ in self._selector.select(max(0.0, ask_at - monotonic())):
                door, others = key.data
                heard = others.intersection(door.replies())
                others -= heard
                left -= len(heard)
                last = monotonic() if heard else last
        return AllAnswered(last, total - left, total)

    def _ask(self) -> None:
        for door, others in self._waiting:
            for place in others:
                door.send(self._addresses[place], place)


def main() -> None:
    """Read the machines from standard input, say "ready", ask, and write what came of it."""
    machines = msgspec.json.decode(sys.stdin.buffer.readline(), type=Machines)
    with ExitStack() as stack:
        asker = _Asker(machines, stack)
        sys.stdout.buffer.write(b"ready\n")
        sys.stdout.buffer.flush()
        sys.stdout.buffer.write(msgspec.json.encode(asker.run()) + b"\n")


class Pings:
    """All pairs being asked; use it as a context, and `wait` inside."""

    def __init__(self, address_by_namespace: Mapping[str, str]) -> None:
        self._machines = Machines(dict(address_by_namespace))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.hosts.pings"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(self._machines) + b"\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != b"ready\n":
            raise Unexpected("the pinger did not start")
        return self

    def wait(self) -> float:
        """When the last pair was answered (monotonic); `Unexpected` if one never was."""
        assert self._process.stdout is not None
        result = msgspec.json.decode(self._process.stdout.readline(), type=AllAnswered)
        if result.ok < result.total:
            raise Unexpected(f"only {result.ok} of {result.total} pings were answered")
        return result.at

    def __exit__(self, *problem: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if problem is not None:
            self._process.terminate()
        self._process.wait(give_up_s)
        self._process.stdin.close()
        self._process.stdout.close()


if __name__ == "__main__":
    main()
