"""Virtual time: an event loop whose clock jumps to the next timer, and processes that can die.

A process that was killed runs no further, not even its `finally`: whatever of it comes due is kept
aside, and runs only when the world has ended and everything is cleared away (`bury`).
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Stalled(Exception):
    """Nothing will ever happen again, though somebody waits."""


class Process:
    """What dies at once: its tasks, and what was to be called on its behalf."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.context = contextvars.copy_context()
        self.context.run(_process.set, self)
        self._left: list[tuple[contextvars.Context, Callable[..., object], tuple[Any, ...]]] = []

    def start(self, work: Coroutine[Any, Any, T], name: str = "") -> "asyncio.Task[T]":
        """Run `work` as a part of the process."""
        loop = asyncio.get_running_loop()
        return loop.create_task(work, name=name or self.name, context=self.context.copy())

    def kill(self) -> None:
        """As by SIGKILL: nothing of it runs any more."""
        self.dead = True

    def step(self, callback: Callable[..., object], *arguments: Any) -> None:
        """Run a callback of the process, if it lives."""
        if self.dead:
            self._left.append((contextvars.copy_context(), callback, arguments))
        else:
            callback(*arguments)

    def bury(self) -> None:
        """Let what was kept aside run, so that cancelled tasks come to their ends."""
        self.dead = False
        left, self._left = self._left, []
        loop = asyncio.get_running_loop()
        for context, callback, arguments in left:
            loop.call_soon(callback, *arguments, context=context)


_process: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


OUTSIDE = contextvars.Context()  # of no process: the world itself


def current() -> Process | None:
    """The process that runs; None: the world itself."""
    return _process.get()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        super().__init__(_Jump(self.advance))

    def time(self) -> float:
        """Virtual seconds since the world began."""
        return self._virtual_s

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._virtual_s += seconds

    def call_soon(
        self,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As asyncio's; what a dead process asked for is kept aside."""
        owner = _owner(context)
        if owner is None:
            return super().call_soon(callback, *args, context=context)
        step: Any = owner.step
        return super().call_soon(step, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's; what a dead process asked for is kept aside."""
        owner = _owner(context)
        if owner is None:
            return super().call_at(when, callback, *args, context=context)
        step: Any = owner.step
        return super().call_at(when, step, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Do it here and now: a thread's work is a step like any other."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # whoever waits gets it
            done.set_exception(error)
        return done


class _Jump(selectors.BaseSelector):
    """Instead of waiting for sockets, of which there are none, it lets time pass."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stalled("nothing is due any more")
        if timeout > 0:
            self._advance(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[fileobj]


def _owner(context: contextvars.Context | None) -> Process | None:
    return _process.get() if context is None else context.get(_process)
