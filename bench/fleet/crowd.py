"""Fleets of simulated hosts, in as few processes as their sockets allow."""

import select
import subprocess
import sys
from typing import Self

import msgspec

from bench.fleet.agents import Found, Order
from bench.servers import Unexpected

agents_per_process_max = 2_500
_sharing_per_process_max = 25_000  # of agents that share connections


class Fleet:
    """Agents `f0`, `f1` ... on a control plane; use it as a context."""

    def __init__(self, target: str, count: int, per_connection: int = 1, begin: int = 0) -> None:
        """`begin` is the number of the first."""
        most = agents_per_process_max if per_connection == 1 else _sharing_per_process_max
        end = begin + count
        self._shares = [(first, min(most, end - first)) for first in range(begin, end, most)]
        self._target = target
        self._per_connection = per_connection
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start all of them at once."""
        for first, count in self._shares:
            argv = [sys.executable, "-m", "bench.fleet.agents", self._target]
            self._processes.append(
                subprocess.Popen(
                    [*argv, str(first), str(count), str(self._per_connection)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )

    def order(self, order: Order) -> None:
        """Have every process look for something."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            process.stdin.flush()

    def has_found(self) -> bool:
        """Whether all have found it."""
        pipes = [process.stdout for process in self._processes if process.stdout is not None]
        return len(select.select(pipes, [], [], 0)[0]) == len(pipes)

    def found(self) -> Found:
        """Wait until all have found it; the time of the last, and the sums."""
        found = []
        for process in self._processes:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise Unexpected("a process of agents ended")
            found.append(msgspec.json.decode(line, type=Found))
        return Found(
            at=max(each.at for each in found),
            frames=sum(each.frames for each in found),
            items=sum(each.items for each in found),
            content_bytes=sum(each.content_bytes for each in found),
        )

    def settle(self) -> Found:
        """Wait until every host has all that its ports lead to."""
        self.order(Order())
        return self.found()

    def kill(self) -> None:
        """End all of them, as a power cut does."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._processes.clear()

    def __exit__(self, *problem: object) -> None:
        self.kill()
