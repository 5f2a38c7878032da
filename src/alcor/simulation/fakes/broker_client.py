"""As much of `nats.aio.client.Client` as the product uses, towards a simulated server.

Like the real one it connects again by itself, keeps what was published meanwhile, and tells nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import nats.errors
from nats.aio.client import Client

from alcor.simulation.fakes.broker import Broker, Connection, Message, Stored, Stream
from alcor.simulation.fakes.clock import Process

reconnect_every_s = 0.5
flush_s_max = 10.0

T = TypeVar("T")
Headers = dict[str, str] | None


class BrokerClient:
    """One process's connection."""

    max_payload = 1 << 20

    def __init__(self, broker: Broker, process: Process) -> None:
        self.stats = {"reconnects": -1}  # the first is none
        self._server_info = {"server_id": ""}
        self.broker, self.process = broker, process
        self.connection: Connection | None = None
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._subscriptions: dict[int, Subscription] = {}
        self._numbers = count(1)
        self._reconnecting: asyncio.Task[None] | None = None

    async def open(self) -> Client:
        """Wait until the server is there."""
        await self._connect()
        return cast(Client, self)

    @property
    def is_connected(self) -> bool:
        return self.connection is not None

    def new_inbox(self) -> str:
        return f"_INBOX.{self.process.name}.{next(self._numbers)}"

    async def subscribe(
        self,
        subject: str,
        queue: str = "",
        cb: Callable[[Message], Awaitable[None]] | None = None,
        **_limits: int,
    ) -> "Subscription":
        subscription = Subscription(self, next(self._numbers), subject, queue, cb)
        self._subscriptions[subscription.number] = subscription
        if self.connection is not None:
            subscription.tell(self.connection)
        return subscription

    async def publish(
        self, subject: str, payload: bytes = b"", reply: str = "", headers: Headers = None
    ) -> None:
        self.ask(self.broker.publish, Message(subject, reply, bytes(payload), headers))

    async def flush(self, timeout: float = flush_s_max) -> None:
        try:
            await self.request(lambda: None, timeout)
        except nats.errors.TimeoutError:
            raise nats.errors.FlushTimeoutError from None

    def jetstream(self, timeout: float = 5.0) -> "Streams":
        return Streams(self, timeout)

    def ask(self, call: Callable[..., object], *arguments: Any) -> None:
        """Have the server do it, now or once it is there again."""
        if self.connection is None:
            self._waiting.append((call, arguments))
        else:
            self.connection.up.send(call, *arguments)

    async def request(self, call: Callable[[], T], timeout: float) -> T:
        """What the server answers or raises; `TimeoutError` of NATS when it says nothing."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def there() -> None:
            connection = self.connection
            assert connection is not None, "what arrives has come by a connection"
            try:
                connection.down.send(_answer, answer, call(), None)
            except nats.errors.Error as problem:
                connection.down.send(_answer, answer, None, problem)

        self.ask(there)
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise nats.errors.TimeoutError from None

    def forget(self, subscription: "Subscription") -> None:
        self._subscriptions.pop(subscription.number, None)
        if self.connection is not None:
            self.connection.up.send(self.broker.unsubscribe, self.connection, subscription.number)

    async def _connect(self) -> None:
        while (connection := self.broker.connect(self.process, self._lost)) is None:  # noqa: ASYNC110
            await asyncio.sleep(reconnect_every_s)
        self.connection = connection
        self.stats["reconnects"] += 1
        self._server_info = {"server_id": self.broker.server_id}
        for subscription in self._subscriptions.values():
            subscription.tell(connection)
        while self._waiting:
            call, arguments = self._waiting.popleft()
            connection.up.send(call, *arguments)

    def _lost(self) -> None:
        self.connection = None
        self._reconnecting = self.process.start(self._again(), "nats-again")

    async def _again(self) -> None:
        await asyncio.sleep(reconnect_every_s)
        await self._connect()


class Subscription:
    """Messages of one subject, handed over one after the other."""

    def __init__(
        self,
        client: BrokerClient,
        number: int,
        subject: str,
        queue: str,
        callback: Callable[[Message], Awaitable[None]] | None,
    ) -> None:
        self.number = number
        self._client, self._subject, self._queue = client, subject, queue
        self._callback = callback
        self._messages: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._handing: asyncio.Task[None] | None = None

    @property
    def pending_msgs(self) -> int:
        return len(self._messages)

    def tell(self, connection: Connection) -> None:
        """Tell the server that these are wanted."""
        connection.up.send(
            self._client.broker.subscribe,
            connection,
            self.number,
            self._subject,
            self._queue,
            self.take,
        )

    def take(self, message: Message) -> None:
        """A message has come."""
        self._messages.append(message)
        self._filled.set()
        if self._callback is not None and (self._handing is None or self._handing.done()):
            self._handing = self._client.process.start(self._hand_over(), "nats-hand-over")

    async def _hand_over(self) -> None:
        assert self._callback is not None
        while self._messages:
            await self._callback(self._messages.popleft())

    async def next_msg(self, timeout: float) -> Message:
        try:
            async with asyncio.timeout(timeout):
                while not self._messages:
                    self._filled.clear()
                    await self._filled.wait()
        except TimeoutError:
            raise nats.errors.TimeoutError from None
        return self._messages.popleft()

    async def unsubscribe(self) -> None:
        self._client.forget(self)

    async def drain(self) -> None:
        self._client.forget(self)


class Streams:
    """As much of `nats.js.client.JetStreamContext` as the product uses."""

    def __init__(self, client: BrokerClient, timeout_s: float) -> None:
        self._client, self._broker, self._timeout_s = client, client.broker, timeout_s

    async def publish(self, subject: str, payload: bytes, headers: Headers = None) -> Stored:
        return await self._ask(lambda: self._broker.put(subject, payload, headers))

    async def get_last_msg(self, stream: str, subject: str) -> Stored:
        return await self._ask(lambda: self._broker.last_of(stream, subject))

    async def delete_msg(self, stream: str, sequence: int) -> None:
        await self._ask(lambda: self._broker.stream(stream).delete(sequence))

    async def stream_info(self, stream: str) -> SimpleNamespace:
        return await self._ask(lambda: _info(self._broker.stream(stream)))

    async def add_stream(self, config: Any) -> SimpleNamespace:
        return await self._ask(lambda: _info(self._broker.add_stream(config.name, config.subjects)))

    async def add_consumer(self, stream: str, config: Any) -> SimpleNamespace:
        def add() -> SimpleNamespace:
            connection = self._client.connection
            if connection is None:
                raise nats.errors.ConnectionClosedError
            pending = self._broker.add_consumer(connection, stream, config.deliver_subject)
            return SimpleNamespace(num_pending=pending)

        return await self._ask(add)

    async def _ask(self, call: Callable[[], T]) -> T:
        return await self._client.request(call, self._timeout_s)


def _info(stream: Stream) -> SimpleNamespace:
    return SimpleNamespace(
        state=SimpleNamespace(last_seq=stream.last_seq),
        config=SimpleNamespace(num_replicas=1),
        cluster=None,  # it is one server
    )


def _answer(answer: "asyncio.Future[Any]", result: object, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
