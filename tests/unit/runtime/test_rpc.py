"""Peers: what is asked and answered has been bytes on the way, refusals too."""

import asyncio
from typing import Protocol

import msgspec
import pytest

from alcor.runtime.calls.rpc import Exchange, loopback
from alcor.values.errors import Kind, NotFound, Refusal, Unavailable


class Question(msgspec.Struct, frozen=True):
    words: tuple[str, ...]


class Reply(msgspec.Struct, frozen=True):
    document: msgspec.Raw


class Oracle(Protocol):
    async def ask(self, request: Question) -> Reply: ...


class Keeper:
    def __init__(self) -> None:
        self.heard: list[Question] = []

    async def ask(self, request: Question) -> Reply:
        self.heard.append(request)
        if request.words == ("refuse",):
            raise NotFound("no such word", type="WordNotFound")
        if request.words == ("fail",):
            raise ZeroDivisionError
        return Reply(msgspec.Raw(b'{"answer":%d}' % len(request.words)))


def test_a_request_arrives_equal_but_not_the_same_and_documents_travel_unread() -> None:
    keeper = Keeper()
    question = Question(("a", "b"))

    reply = asyncio.run(loopback(Oracle, keeper).ask(question))

    assert keeper.heard == [question]
    assert keeper.heard[0] is not question
    assert bytes(reply.document) == b'{"answer":2}'


def test_a_refusal_travels_with_type_kind_and_message() -> None:
    with pytest.raises(Refusal) as caught:
        asyncio.run(loopback(Oracle, Keeper()).ask(Question(("refuse",))))

    refusal = caught.value
    assert (refusal.type, refusal.kind) == ("WordNotFound", Kind.NOT_FOUND)
    assert refusal.message == "no such word"


def test_a_fault_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(loopback(Oracle, Keeper()).ask(Question(("fail",))))


def test_a_peer_may_be_had_before_its_contract_is_kept() -> None:
    exchange = Exchange()
    first, second = exchange.peer(Oracle, "first"), exchange.peer(Oracle, "second")
    exchange.serve(Oracle, Keeper(), "first")

    assert bytes(asyncio.run(first.ask(Question(()))).document) == b'{"answer":0}'
    with pytest.raises(Unavailable):
        asyncio.run(second.ask(Question(())))
