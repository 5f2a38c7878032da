"""Questions for others' names: asked once for many, of the next when one is away, bounded."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from alcor.agent.metrics import Metrics
from alcor.agent.packets.dns import Code, Question, Record, Type, build_answer, parse_question
from alcor.agent.packets.names import name_bytes
from alcor.agent.services.forwarder import (
    Endpoint,
    Forwarder,
    askers_max,
    questions_max,
    questions_of_port_max,
)

ADDRESS = b"\xc0\0\x02\x50"


def question(name: str = "example.org", id_: int = 7) -> Question:
    head = id_.to_bytes(2, "big") + b"\x01\0\0\x01" + bytes(6)
    return parse_question(head + name_bytes(name) + b"\0\x01\0\x01")


class Resolver(asyncio.DatagramProtocol):
    """Somebody else's resolver: answers everything with one address."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = parse_question(data)
        self.asked.append(asked)
        answer = build_answer(asked, Code.NO_ERROR, [Record(Type.A, 5, ADDRESS)])
        wrong = bytes((answer[0] ^ 1,)) + answer[1:]
        assert self._transport is not None
        self._transport.sendto(wrong, addr)  # of somebody who guesses: not believed
        self._transport.sendto(answer, addr)


async def play(
    scene: Callable[[Forwarder, Resolver], Awaitable[None]], *, first_is_away: bool = False
) -> None:
    loop = asyncio.get_running_loop()
    transport, resolver = await loop.create_datagram_endpoint(Resolver, local_addr=("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = Endpoint(*closed.getsockname())
    here = Endpoint(*transport.get_extra_info("sockname"))
    forwarder = Forwarder([nobody, here] if first_is_away else [here], lambda: 0.5, Metrics())
    running = asyncio.ensure_future(forwarder.run())
    try:
        await scene(forwarder, resolver)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        transport.close()


def answers_of(forwarder: Forwarder, count: int) -> "asyncio.Future[list[bytes | None]]":
    """What `count` askers of the same question are told, once all are."""
    told: list[bytes | None] = []
    done: asyncio.Future[list[bytes | None]] = asyncio.get_running_loop().create_future()

    def reply(answer: bytes | None) -> None:
        told.append(answer)
        if len(told) == count:
            done.set_result(told)

    for number in range(count):
        forwarder.ask(question(id_=number), 3, reply)
    return done


def test_what_many_ask_is_asked_once_and_a_guess_is_not_believed() -> None:
    async def scene(forwarder: Forwarder, resolver: Resolver) -> None:
        told = await answers_of(forwarder, 5)

        assert len(resolver.asked) == 1
        assert all(answer is not None and answer.endswith(ADDRESS) for answer in told)

    asyncio.run(play(scene))


def test_when_a_resolver_is_away_the_next_one_is_asked() -> None:
    async def scene(forwarder: Forwarder, resolver: Resolver) -> None:
        (answer,) = await answers_of(forwarder, 1)

        assert answer is not None
        assert len(resolver.asked) == 1

    asyncio.run(play(scene, first_is_away=True))


def test_more_askers_of_one_question_than_its_limit_are_told_that_it_failed() -> None:
    async def scene(forwarder: Forwarder, resolver: Resolver) -> None:
        told = await answers_of(forwarder, askers_max + 3)

        assert told[:3] == [None] * 3
        assert told.count(None) == 3

    asyncio.run(play(scene))


def test_a_port_whose_questions_nobody_answers_leaves_others_theirs() -> None:
    async def scene(forwarder: Forwarder, resolver: Resolver) -> None:
        refused: list[bytes | None] = []
        for number in range(questions_max):
            forwarder.ask(question(f"n{number}.example.org"), 4, refused.append)
        assert refused == [None] * (questions_max - questions_of_port_max)

        (answer,) = await answers_of(forwarder, 1)

        assert answer is not None

    asyncio.run(play(scene))
