"""Threads that do blocking work for an event loop, each piece in the order in which it was given.

A plain queue and one call back into the loop: an executor's future of its own, chained to the
loop's, costs as much as a short transaction.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Piece(NamedTuple):
    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    answer: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Workers:
    """So many threads, started when they are first needed."""

    def __init__(self, count: int, name: str) -> None:
        self._queue: SimpleQueue[_Piece | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._run, name=f"{name}_{n}", daemon=True) for n in range(count)
        ]
        self._started = False
        self._ended = False

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """What `work` answers or raises in a thread; not begun if nobody waits any more."""
        if self._ended:
            raise RuntimeError(f"the threads {self._threads[0].name} have ended")
        if not self._started:
            self._start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Piece(work, arguments, answer, loop))
        return await answer

    def end(self) -> None:
        """Wait for what was given; more must not be."""
        self._ended = True
        if self._started:
            for _ in self._threads:
                self._queue.put(None)
            for thread in self._threads:
                thread.join()

    def _start(self) -> None:
        self._started = True
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while (piece := self._queue.get()) is not None:
            if not piece.answer.cancelled():
                _do(piece)


def _do(piece: _Piece) -> None:
    result, error = None, None
    try:
        result = piece.work(*piece.arguments)
    except BaseException as raised:  # whoever asked gets it
        error = raised
    with suppress(RuntimeError):  # the loop is closed: nobody asks any more
        piece.loop.call_soon_threadsafe(_answer, piece.answer, result, error)
    error = None  # else it would know this frame, which knows it: a circle


def _answer(answer: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if answer.done():
        return  # cancelled meanwhile
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
