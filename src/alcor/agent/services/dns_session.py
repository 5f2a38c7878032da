"""DNS over TCP: questions with their lengths before them (RFC 7766)."""

from alcor.agent.services.resolver import Resolver
from alcor.agent.services.streams import Line

question_bytes_max = 4_096
questions_max = 16  # of one connection under way
answer_bytes_max = 65_535


class DnsSession:
    """One machine's questions by TCP."""

    def __init__(self, line: Line, resolver: Resolver) -> None:
        self._line, self._resolver = line, resolver
        self._held = bytearray()
        self._asked = 0  # and not answered
        self._ended = False

    def received(self, data: bytes) -> None:
        """Ask what is whole."""
        self._held += data
        while len(self._held) >= 2:
            size = int.from_bytes(self._held[:2], "big")
            if size > question_bytes_max or self._asked >= questions_max:
                self._line.abort()
                return
            if len(self._held) < 2 + size:
                return
            question = bytes(self._held[2 : 2 + size])
            del self._held[: 2 + size]
            self._asked += 1
            wired = self._line.wired
            self._resolver.ask(
                question, wired.network, wired.number, self._say, size_max=answer_bytes_max
            )

    def ended(self) -> None:
        """Finish once all is answered."""
        self._ended = True
        if not self._asked:
            self._line.finish()

    def _say(self, answer: bytes) -> None:
        self._asked -= 1
        self._line.write(len(answer).to_bytes(2, "big") + answer)
        if self._ended and not self._asked:
            self._line.finish()
