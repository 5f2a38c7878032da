"""A steady stream of pings from one machine to an address, that counts what was lost."""

import threading
from dataclasses import dataclass
from time import monotonic
from typing import Self

from alcor.lab.traffic.echo import EchoSocket, kind_of

interval_s = 0.01  # unless said otherwise
answer_timeout_s = 1.0
_identifier = 0xA1C1
_sequences = 1 << 16


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What a stream saw."""

    sent: int
    lost: tuple[int, ...]  # which, in order of sending
    interval_s: float = interval_s

    @property
    def gap_s(self) -> float:
        """The longest time without an answered packet."""
        longest = run = 0
        previous = -2
        for number in self.lost:
            run = run + 1 if number == previous + 1 else 1
            longest, previous = max(longest, run), number
        return longest * self.interval_s


class Stream:
    """Asks every `interval` seconds; use it as a context, and read `result` after it."""

    def __init__(self, namespace: str, address: str, interval: float = interval_s) -> None:
        self._address, self._interval_s = address, interval
        self._socket = EchoSocket(namespace, kind_of(address), _identifier)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream to {address}")
        self._sent = 0
        self._answered: set[int] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop asking, and wait for answers that are under way."""
        self._stop.set()
        self._thread.join()
        self._socket.close()

    @property
    def sent(self) -> int:
        """How many were sent so far."""
        return self._sent

    @property
    def result(self) -> StreamResult:
        """What was sent and lost; to be read when the stream has been stopped."""
        lost = tuple(n for n in range(self._sent) if n not in self._answered)
        return StreamResult(self._sent, lost, self._interval_s)

    def answered_after(self, number: int) -> int:
        """How many of those from this one on are answered."""
        return sum(1 for each in self._answered.copy() if each >= number)

    def under_way(self) -> set[int]:
        """What was sent and is not answered yet."""
        answered = self._answered.copy()  # at once: another thread adds to it
        return set(range(self._sent)) - answered

    def _run(self) -> None:
        start = monotonic()
        while not self._stop.is_set():
            self._socket.send(self._address, self._sent % _sequences)
            self._sent += 1
            self._stop.wait(max(0.0, start + self._sent * self._interval_s - monotonic()))
            self._listen()
        self._wait_for_late_answers()

    def _listen(self) -> None:
        newest = self._sent - 1  # an answer is to the last packet that had its sequence
        replies = self._socket.replies()
        self._answered.update([newest - (newest - each) % _sequences for each in replies])

    def _wait_for_late_answers(self) -> None:
        deadline = monotonic() + answer_timeout_s
        pause = threading.Event()
        while len(self._answered) < self._sent and monotonic() < deadline:
            pause.wait(interval_s)
            self._listen()
