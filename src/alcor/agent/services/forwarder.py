"""Asks the configured resolvers for what is not of a network here.

One question that many ask is asked once. Bounded: questions under way, in all and of one port, so
that a machine whose questions nobody answers leaves others theirs; askers of one, seconds, tries.
What has no room is answered as a failure and counted. Each question has a socket and a number of
its own, so nobody else can guess where an answer is expected (RFC 5452).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from alcor.agent.metrics import Metrics
from alcor.agent.packets.dns import PORT, Question, is_answer_to, is_truncated
from alcor.values.addresses import address

questions_max, questions_of_port_max = 256, 64  # under way at once
askers_max = 64  # of one question
try_s = 2.0
tries = 3  # over all resolvers, in turn

Reply = Callable[[bytes | None], None]  # a resolver's answer; None: there was none

log = structlog.get_logger()


class Endpoint(NamedTuple):
    """Where a resolver is."""

    host: str
    port: int


def endpoints_of(text: str) -> tuple[Endpoint, ...]:
    """`192.0.2.53, [fd00::53]:5353`: addresses, with ports that are not 53.

    `ValueError` when one is no address.
    """
    return tuple(_endpoint(part.strip()) for part in text.split(",") if part.strip())


def _endpoint(text: str) -> Endpoint:
    host, port = text, str(PORT)
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or (port if closed else "")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(f"'{text}' has no port number")
    return Endpoint(str(address(host)), int(port))


@dataclass(slots=True)
class _Flight:
    """One question under way, and who waits for its answer."""

    question: Question
    number: int  # of the port that asked first
    whole: bool  # somebody can take a long answer
    replies: list[Reply] = field(default_factory=list)


class Forwarder:
    """Resolvers, and the questions that they are asked now."""

    def __init__(
        self, resolvers: Sequence[Endpoint], chance: Callable[[], float], metrics: Metrics
    ) -> None:
        self._resolvers, self._chance, self._metrics = resolvers, chance, metrics
        self._flights: dict[object, _Flight] = {}
        self._new: asyncio.Queue[_Flight] = asyncio.Queue(questions_max)

    @property
    def knows_resolvers(self) -> bool:
        """Whether anybody can be asked."""
        return bool(self._resolvers)

    def ask(self, question: Question, number: int, reply: Reply, *, whole: bool = False) -> None:
        """Ask for the port of this number, and call `reply` once, now or later."""
        key = (question.same, whole)
        flight = self._flights.get(key)
        if flight is None and self._has_room(number):
            flight = self._flights[key] = _Flight(question, number, whole)
            self._new.put_nowait(flight)
        if flight is None or len(flight.replies) >= askers_max:
            self._metrics.limit_reached.labels("agent_dns_questions").inc()
            reply(None)
            return
        flight.replies.append(reply)

    def _has_room(self, number: int) -> bool:
        own = sum(each.number == number for each in self._flights.values())
        return len(self._flights) < questions_max and own < questions_of_port_max

    async def run(self) -> None:
        """Ask what is to be asked, for ever."""
        async with asyncio.TaskGroup() as flights:
            while True:
                flights.create_task(self._fly(await self._new.get()))

    async def _fly(self, flight: _Flight) -> None:
        answer: bytes | None = None
        try:
            answer = await self._answer(flight)
        finally:
            del self._flights[flight.question.same, flight.whole]
            for reply in flight.replies:
                reply(answer)

    async def _answer(self, flight: _Flight) -> bytes | None:
        for number in range(tries):
            resolver = self._resolvers[number % len(self._resolvers)]
            try:
                async with asyncio.timeout(try_s):
                    answer = await self._by_udp(flight.question, resolver)
                    if flight.whole and is_truncated(answer):
                        answer = await self._by_tcp(flight.question, resolver)
                return answer
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                log.debug("resolver did not answer", resolver=resolver.host, reason=str(error))
        return None

    def _number(self) -> int:
        return int(self._chance() * 65_536) & 0xFFFF

    async def _by_udp(self, question: Question, resolver: Endpoint) -> bytes:
        id_ = self._number()
        loop = asyncio.get_running_loop()
        transport, waiting = await loop.create_datagram_endpoint(
            lambda: _Waiting(question, id_), remote_addr=resolver
        )
        try:
            transport.sendto(question.passed_on(id_))
            return await waiting.answer
        finally:
            transport.close()

    async def _by_tcp(self, question: Question, resolver: Endpoint) -> bytes:
        id_ = self._number()
        reader, writer = await asyncio.open_connection(*resolver)
        try:
            asked = question.passed_on(id_)
            writer.write(len(asked).to_bytes(2, "big") + asked)
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = await reader.readexactly(size)
        finally:
            writer.close()
        if not is_answer_to(question, id_, answer):
            raise OSError("an answer to another question")
        return answer


class _Waiting(asyncio.DatagramProtocol):
    """Waits on a socket of its own for the answer to one question; ignores all else."""

    def __init__(self, question: Question, id_: int) -> None:
        self._question, self._id = question, id_
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done() and is_answer_to(self._question, self._id, data):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)
