"""Call a peer as if it were far away: every request, reply and refusal goes through bytes.

In one process this loopback stands where a wire will be, so that what works embedded works split:
nothing shared by reference, nothing that can't be written down. The codec is JSON because
resources travel in replies as the JSON they already are (`msgspec.Raw`).
"""

import inspect
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar, cast, get_type_hints

import msgspec

from alcor.runtime.calls.wire import Call
from alcor.runtime.observability import spans
from alcor.values.errors import Kind, Refusal, Unavailable

T = TypeVar("T")


class Refused(msgspec.Struct, frozen=True):
    """A refusal as it travels."""

    type: str
    kind: str
    message: str


_encode = msgspec.json.encode
_decode_refused = msgspec.json.Decoder(Refused).decode
_ok, _refused = b"+", b"-"  # the first byte of an answer


class Exchange:
    """Where the parts of one process find each other: who keeps which contract.

    A peer may be handed out before its contract is kept by anybody; calls until then are refused
    as `Unavailable`. `name` tells apart the keepers of one contract.
    """

    def __init__(self) -> None:
        self._server: dict[tuple[type, str, str], Call] = {}

    def serve(self, contract: type[T], implementation: T, name: str = "") -> None:
        """Let `implementation` answer what is asked of the contract."""
        for verb, method in _verbs(contract):
            self._server[contract, name, verb] = _server(method, implementation)

    def peer(self, contract: type[T], name: str = "") -> T:
        """Something that keeps the contract by asking whoever serves it."""
        clients = {
            verb: _client(self._sender((contract, name, verb)), method, _name(contract, name, verb))
            for verb, method in _verbs(contract)
        }
        return type(f"{contract.__name__}Client", (), clients)()  # type: ignore[no-any-return]

    def _sender(self, address: tuple[type, str, str]) -> Call:
        async def send(request: bytes) -> bytes:
            server = self._server.get(address)
            if server is None:
                raise Unavailable(f"nobody keeps {address[0].__name__} yet")
            return await server(request)

        return send


def loopback(contract: type[T], implementation: T) -> T:
    """A peer that keeps `contract` by calling `implementation` through encoded bytes."""
    exchange = Exchange()
    exchange.serve(contract, implementation)
    return exchange.peer(contract)


class Way(Protocol):
    """The way to whoever keeps a contract in another process."""

    async def call(self, name: str, request: bytes) -> bytes:
        """Have it done there."""
        ...


def answers(contract: type[T], implementation: T, name: str = "") -> dict[str, Call]:
    """What `implementation` answers of the contract, by name: for the way from another process.
    `name` tells apart the keepers of one contract."""
    return {
        _name(contract, name, verb): _server(method, implementation)
        for verb, method in _verbs(contract)
    }


def far_peer(contract: type[T], way: Way, name: str = "") -> T:
    """A peer that keeps the contract by asking the process at the other end of the way."""

    def sender(called: str) -> Call:
        return lambda request: way.call(called, request)

    clients = {
        verb: _client(sender(called := _name(contract, name, verb)), method, called)
        for verb, method in _verbs(contract)
    }
    return type(f"Far{contract.__name__}", (), clients)()  # type: ignore[no-any-return]


def _name(contract: type, name: str, verb: str) -> str:
    return ".".join(filter(None, (contract.__name__, name, verb)))


def _verbs(contract: type) -> Sequence[tuple[str, Callable[..., Any]]]:
    return _verbs_of(cast(Hashable, contract))


@cache  # looked through once, however many peers keep it
def _verbs_of(contract: type) -> Sequence[tuple[str, Callable[..., Any]]]:
    return [
        (name, method)
        for name, method in inspect.getmembers(contract, inspect.iscoroutinefunction)
        if not name.startswith("_")
    ]


@cache
def _decoders(method: Callable[..., Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Of the verb's one request and of its reply."""
    request, reply = _message_types(method)
    return msgspec.json.Decoder(request).decode, msgspec.json.Decoder(reply).decode


def _message_types(method: Callable[..., Any]) -> tuple[Any, Any]:
    """Of the verb's one request and its reply."""
    hints = get_type_hints(method)
    reply = hints.pop("return")
    (request,) = hints.values()
    return request, reply


def _server(method: Callable[..., Any], implementation: object) -> Call:
    decode = _decoders(method)[0]
    verb = getattr(implementation, method.__name__)

    async def serve(request: bytes) -> bytes:
        try:
            return _ok + _encode(await verb(decode(request)))
        except Refusal as refusal:
            return _refused + _encode(Refused(refusal.type, refusal.kind, refusal.message))

    return serve


def _client(send: Call, method: Callable[..., Any], called: str) -> Callable[..., Any]:
    decode = _decoders(method)[1]

    async def traced(request: bytes) -> bytes:
        with spans.inner(called, spans.Kind.CLIENT):
            return await send(request)

    async def call(_self: object, request: object) -> object:
        ask = send if spans.recorder is None else traced
        answer = memoryview(await ask(_encode(request)))
        if answer[:1] == _ok:
            return decode(answer[1:])
        refused = _decode_refused(answer[1:])
        raise Refusal(refused.message, type=refused.type, kind=Kind(refused.kind))

    return call
