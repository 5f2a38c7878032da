"""Coalesce concurrent requests: while one batch is being done, the next one gathers.

Nobody waits for a batch to fill: an idle coalescer does a lone request at once. Under load the
batches grow by themselves, and so the cost per request falls. The queue has a size, counted as the
requests' weights; what does not fit is refused, to be tried again later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Generic, NamedTuple, TypeVar

import structlog
from prometheus_client import Gauge, Histogram

from alcor.runtime.observability import spans
from alcor.runtime.observability.metrics import limit_reached
from alcor.values.errors import Refusal, Unavailable

Request = TypeVar("Request")
Reply = TypeVar("Reply")

log = structlog.get_logger(__name__)

queue_depth = Gauge("alcor_queue_depth", "Weight of the requests that wait.", ["queue"])
turns_quiet, turns_max = 4, 64  # of the event loop, before a batch is begun
turns_quiet_alone = 1  # where there seems to be one client: after so many batches of one request
batches_alone_min = 4

batch_weight = Histogram(
    "alcor_batch_weight",
    "Weight of the batches done.",
    ["queue"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024),
)


class Waiting(NamedTuple, Generic[Request, Reply]):
    """A request that gathers, and who waits for its reply."""

    request: Request
    weight: int
    reply: "asyncio.Future[Reply]"
    span: str = ""  # the traceparent of who asked


class Coalescer(Generic[Request, Reply]):
    """Does requests in batches, one batch at a time.

    `do` gets a batch and answers one reply, or exception, for each request in order. If it raises,
    all of the batch get that. `batch_weight_max` is exceeded only by a request that is alone.
    Requests that have a key in common are done in the order in which they were asked, each in a
    batch of its own.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Request]], Awaitable[Sequence[Reply | Exception]]],
        *,
        name: str,
        batch_weight_max: int,
        queue_weight_max: int,
        keys_of: Callable[[Request], Collection[str]] = lambda _: (),
    ) -> None:
        self._do = do
        self._keys_of = keys_of
        self._name = name
        self._batch_weight_max = batch_weight_max
        self._queue_weight_max = queue_weight_max
        self._waiting: deque[Waiting[Request, Reply]] = deque()
        self._weight = 0  # of those who wait
        self._alone = 0  # so many of the last batches were one request each
        self._more = asyncio.Event()
        queue_depth.labels(name).set_function(lambda: self._weight)
        self._batch_weight = batch_weight.labels(name)

    @property
    def depth(self) -> int:
        """The weight that waits."""
        return self._weight

    async def ask(self, request: Request, weight: int = 1) -> Reply:
        """Have the request done with others; `Unavailable` when the queue is full."""
        if self._weight and self._weight + weight > self._queue_weight_max:
            limit_reached.labels(f"queue.{self._name}").inc()
            raise Unavailable(f"The queue '{self._name}' is full; try again later.")
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(request, weight, reply, spans.within.get()))
        self._weight += weight
        self._more.set()
        return await reply

    async def run(self) -> None:
        """Do what is asked, for ever; when cancelled, those who still wait are told."""
        batch: list[Waiting[Request, Reply]] = []
        try:
            while True:
                await self._more.wait()
                await self._assemble()
                while batch := self._gather():
                    _answer(batch, await self._done(batch))
                    if self._waiting:
                        await self._assemble()
                self._more.clear()
        finally:
            stopped = Unavailable(f"The queue '{self._name}' is stopped.")
            left = [*batch, *self._waiting]
            _answer(left, [stopped] * len(left))
            self._waiting.clear()
            self._weight = 0

    async def _assemble(self) -> None:
        """Let those join who come at this moment: go on when some turns of the loop brought nobody.

        Clients that were answered together ask again together, and the loop reads them bit by bit.
        """
        wanted = turns_quiet_alone if self._alone >= batches_alone_min else turns_quiet
        weight = quiet = 0
        for _ in range(turns_max):
            quiet = quiet + 1 if self._weight == weight else 0
            if quiet == wanted or self._weight >= self._batch_weight_max:
                return
            weight = self._weight
            await asyncio.sleep(0)

    def _gather(self) -> list[Waiting[Request, Reply]]:
        batch: list[Waiting[Request, Reply]] = []
        weight = 0
        keys: set[str] = set()
        while self._waiting:
            following = self._waiting[0]
            keys_of_it = self._keys_of(following.request)
            too_heavy = weight + following.weight > self._batch_weight_max
            if batch and (too_heavy or not keys.isdisjoint(keys_of_it)):
                break
            self._waiting.popleft()
            self._weight -= following.weight
            if not following.reply.cancelled():  # nobody waits any more, and nothing was begun
                weight += following.weight
                keys.update(keys_of_it)
                batch.append(following)
        if batch:
            self._alone = self._alone + 1 if len(batch) == 1 else 0
            self._batch_weight.observe(weight)
        return batch

    async def _done(self, batch: Sequence[Waiting[Request, Reply]]) -> Sequence[Reply | Exception]:
        try:
            with spans.together(
                f"batch {self._name}", (each.span for each in batch), requests=len(batch)
            ):
                replies = await self._do([waiting.request for waiting in batch])
        except Refusal as refusal:  # of a peer's, as when its database is away
            why = refusal.message
            log.warning("batch_refused", queue=self._name, requests=len(batch), why=why)
            return [refusal] * len(batch)
        except Exception as error:  # the task's boundary: those who asked get it, others go on
            log.exception("batch_failed", queue=self._name, requests=len(batch))
            return [error] * len(batch)
        assert len(replies) == len(batch)
        return replies


def _answer(batch: Sequence[Waiting[Request, Reply]], replies: Sequence[Reply | Exception]) -> None:
    for waiting, reply in zip(batch, replies, strict=True):
        if waiting.reply.done():
            continue
        if isinstance(reply, Exception):
            waiting.reply.set_exception(reply)
        else:
            waiting.reply.set_result(reply)
