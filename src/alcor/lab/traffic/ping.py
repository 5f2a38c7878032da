"""Ping all pairs of machines at once, from one process, again and again until all have answered."""

import selectors
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic

from alcor.lab.traffic.echo import EchoSocket, kind_of

ask_again_s = 0.2
_identifier = 0xA1C0


@dataclass(frozen=True, slots=True)
class Pair:
    """One machine asks another's address."""

    source: str  # machine names
    target: str
    address: str


@dataclass(frozen=True, slots=True)
class PingResult:
    """What became of every pair; nothing is left out."""

    answered_s: Mapping[Pair, float]  # since the first request
    unanswered: Sequence[Pair]

    @property
    def ok(self) -> int:
        """How many pairs answered."""
        return len(self.answered_s)

    @property
    def total(self) -> int:
        """How many pairs were asked."""
        return self.ok + len(self.unanswered)


def all_pairs(address_by_machine: Mapping[str, str]) -> list[Pair]:
    """Every machine asks every other."""
    return [
        Pair(source, target, address)
        for source in address_by_machine
        for target, address in address_by_machine.items()
        if source != target
    ]


def ping(
    pairs: Sequence[Pair],
    namespace_by_machine: Mapping[str, str],
    timeout_s: float,
) -> PingResult:
    """Ask all pairs, and who has not answered again each 0.2 s; done when all have, or in time."""
    with ExitStack() as stack:
        return _Round(pairs, namespace_by_machine, stack).run(timeout_s)


class _Round:
    def __init__(
        self, pairs: Sequence[Pair], namespace_by_machine: Mapping[str, str], stack: ExitStack
    ) -> None:
        self._waiting = dict(enumerate(pairs))
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._sockets: dict[tuple[str, bool], EchoSocket] = {}
        for pair in pairs:
            key = _door(pair)
            if key not in self._sockets:
                namespace = namespace_by_machine[pair.source]
                door = EchoSocket(namespace, kind_of(pair.address), _identifier)
                self._sockets[key] = stack.enter_context(door)
                self._selector.register(door, selectors.EVENT_READ, door)

    def run(self, timeout_s: float) -> PingResult:
        answered: dict[Pair, float] = {}
        start = monotonic()
        ask_at = start
        while self._waiting and (now := monotonic()) < start + timeout_s:
            if now >= ask_at:
                self._ask()
                ask_at = now + ask_again_s
            for key, _ in self._selector.select(max(0.0, ask_at - monotonic())):
                door: EchoSocket = key.data
                for sequence in door.replies():
                    if (pair := self._waiting.pop(sequence, None)) is not None:
                        answered[pair] = monotonic() - start
        return PingResult(answered, list(self._waiting.values()))

    def _ask(self) -> None:
        for sequence, pair in self._waiting.items():
            self._sockets[_door(pair)].send(pair.address, sequence)


def _door(pair: Pair) -> tuple[str, bool]:
    return (pair.source, ":" in pair.address)
