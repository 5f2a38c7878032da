"""Wait until hosts have got somewhere, whichever delivery they are connected to.

Each delivery is asked for those of its hosts that are waited for, all of them in one call, and
answers when they have got there. A host that goes to another one meanwhile is asked for there.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import structlog

from alcor.contracts.progress import ProgressPeer, ProgressReply, ProgressRequest
from alcor.delivery.hosts import Hosts
from alcor.values.errors import Refusal

ask_s_max = 2.0  # then a delivery is asked anew, for what is still missing
ask_again_s = 0.2  # after it had nothing new to say
answer_s_max = 2.0  # for what it says when the time is up

GONE = 1 << 63  # beyond every position: nothing more is wanted of the host

PeerOf = Callable[[int], ProgressPeer]

_log = structlog.get_logger(__name__)


def alone(delivery: int) -> ProgressPeer:
    """How others are asked where there are none."""
    raise AssertionError(f"there is no other delivery: {delivery}")


class Lag(NamedTuple):
    """Of one host that is not where it is wanted."""

    wanted: int
    applied: int


class Waiter:
    """What one wait still wants of which hosts."""

    def __init__(self, wanted_by_host: dict[str, int]) -> None:
        self.wanted_by_host = wanted_by_host
        self.began_s = asyncio.get_running_loop().time()
        self.done = asyncio.Event()
        if not wanted_by_host:
            self.done.set()

    def heard(self, host: str, applied: int) -> None:
        """A host has reached a position."""
        wanted = self.wanted_by_host.get(host)
        if wanted is not None and applied >= wanted:
            del self.wanted_by_host[host]
            if not self.wanted_by_host:
                self.done.set()

    async def until(self, end_s: float) -> None:
        """Wait until nothing is wanted any more, or until then."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end_s):
                await self.done.wait()


class Progress:
    """The waits that go on here, and what others ask us. Keeps the contract `ProgressPeer`."""

    def __init__(self, hosts: Hosts, peer_of: PeerOf) -> None:
        self._hosts = hosts
        self._peer_of = peer_of
        self._waits: dict[_Wait, None] = {}
        self._answers: dict[Waiter, None] = {}
        hosts.call(self._changed)

    async def wait(self, wanted_by_host: dict[str, int], end_s: float) -> dict[str, Lag]:
        """Return when these hosts have reached these positions, or at `end_s`; those that have not,
        with how far they are."""
        wait = _Wait(Waiter(wanted_by_host), self._hosts, self._peer_of, end_s)
        self._waits[wait] = None
        try:
            return await wait.run()
        finally:
            del self._waits[wait]

    async def reached(self, request: ProgressRequest) -> ProgressReply:
        hosts, wanted_by_host = self._hosts, request.wanted_by_host
        if request.life != hosts.life:
            return ProgressReply(behind=dict.fromkeys(wanted_by_host, 0))
        here = {
            host: wanted
            for host, wanted in wanted_by_host.items()
            if hosts.is_here(host) and hosts.applied(host) < wanted
        }
        with self._answering(Waiter(here)) as waiter:
            await waiter.until(asyncio.get_running_loop().time() + request.timeout_s)
        applied = {host: hosts.applied(host) for host in wanted_by_host}
        return ProgressReply(
            behind={h: applied[h] for h, wanted in wanted_by_host.items() if applied[h] < wanted}
        )

    @contextmanager
    def _answering(self, waiter: Waiter) -> Iterator[Waiter]:
        self._answers[waiter] = None
        try:
            yield waiter
        finally:
            del self._answers[waiter]

    def _changed(self, host: str) -> None:
        applied = self._hosts.applied(host)
        for wait in self._waits:
            wait.changed(host, applied)
        if self._answers:
            known = applied if self._hosts.is_here(host) else GONE  # who asks looks elsewhere
            for answer in self._answers:
                answer.heard(host, known)


class _Wait:
    """One wait, with a task for each other delivery that has hosts of it."""

    def __init__(self, waiter: Waiter, hosts: Hosts, peer_of: PeerOf, end_s: float) -> None:
        self._waiter = waiter
        self._hosts = hosts
        self._peer_of = peer_of
        self._end_s = end_s
        self._asked: dict[int, asyncio.Task[None]] = {}  # by delivery
        self._applied_by_host: dict[str, int] = {}  # as other deliveries said

    async def run(self) -> dict[str, Lag]:
        """Until nothing is wanted any more, or the time is up; what is still wanted."""
        waiter = self._waiter
        try:
            for host in waiter.wanted_by_host:
                self._ask(host)
            await waiter.until(self._end_s)
            if not waiter.done.is_set() and self._asked:
                await asyncio.wait(self._asked.values(), timeout=answer_s_max)
        finally:
            for task in self._asked.values():
                task.cancel()
        return {
            host: Lag(wanted, self._applied(host)) for host, wanted in waiter.wanted_by_host.items()
        }

    def changed(self, host: str, applied: int) -> None:
        """Something else is known of a host."""
        self._waiter.heard(host, applied)
        if host in self._waiter.wanted_by_host:
            self._ask(host)

    def _applied(self, host: str) -> int:
        said = 0 if self._hosts.is_here(host) else self._applied_by_host.get(host, 0)
        return max(said, self._hosts.applied(host))

    def _ask(self, host: str) -> None:
        """Have the delivery that a host is connected to asked, unless it is."""
        delivery = self._hosts.elsewhere(host)
        if delivery is None or delivery in self._asked:
            return
        task = asyncio.create_task(self._ask_delivery(delivery), name=f"ask-{delivery}")
        self._asked[delivery] = task
        task.add_done_callback(lambda _: self._asked.pop(delivery))

    async def _ask_delivery(self, delivery: int) -> None:
        """Ask one delivery, for as long as hosts of it are waited for: at last when time is up."""
        while wanted_by_host := self._wanted_of(delivery):
            left_s = max(0.0, self._end_s - asyncio.get_running_loop().time())
            behind = await self._behind(delivery, wanted_by_host, min(left_s, ask_s_max))
            for host in wanted_by_host.keys() - behind.keys():
                self._waiter.heard(host, wanted_by_host[host])
            self._applied_by_host |= behind
            if not left_s:
                return
            if len(behind) == len(wanted_by_host):
                await asyncio.sleep(ask_again_s)

    def _wanted_of(self, delivery: int) -> dict[str, int]:
        items = self._waiter.wanted_by_host.items()
        return {host: at for host, at in items if self._hosts.elsewhere(host) == delivery}

    async def _behind(
        self, delivery: int, wanted_by_host: dict[str, int], timeout_s: float
    ) -> dict[str, int]:
        request = ProgressRequest(
            life=self._hosts.life, wanted_by_host=wanted_by_host, timeout_s=timeout_s
        )
        try:
            return (await self._peer_of(delivery).reached(request)).behind
        except Refusal as problem:  # it has died, or is about to: its hosts go elsewhere
            _log.info("progress.unanswered", delivery=delivery, why=problem.message)
            return dict.fromkeys(wanted_by_host, 0)
