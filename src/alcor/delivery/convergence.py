"""Wait until the hosts have applied a write.

A host is concerned by a write that changed a slice which its ports lead to. It has applied the
write when it has reported a position at least as great as that of the last such change. Positions
are the intent log's, so it does not matter which delivery the host is connected to. A waiter
fixes what it wants of each host when it begins, so that changes which come later don't keep it
waiting. Nothing is computed for writes that nobody waits for.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from alcor.contracts.convergence import ConvergenceReply, ConvergenceRequest, HostProgress
from alcor.delivery import metrics
from alcor.delivery.history import History, merged
from alcor.delivery.report_log import decode_host
from alcor.delivery.unapplied import Unapplied
from alcor.goal_state.reports import HostReport
from alcor.keyed_log.log import Entry
from alcor.values.errors import InvalidInput, NotFound, Unavailable
from alcor.values.revision import Revision, revision

arrival_s_least = 2.0  # a write that is not planned by then, or when the time is up, was never made
timeout_s_max = 600.0
waiters_max = 1_000
sample_s_max = 60.0  # a sample that takes longer counts as this old
hosts_named_max = 100  # in one reply

_GONE = 1 << 63  # beyond every position: nothing more is wanted of the host

HostsOf = Callable[[str], Collection[str]]


class Progress(NamedTuple):
    """How far a host is in this life of the intent log."""

    applied: int = 0
    connected: bool = False


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


class Convergence:
    """The waits that are going on, and how far every host is."""

    def __init__(
        self,
        life: Callable[[], str],
        history_by_manager: Mapping[str, History],
        position_by_slice: Mapping[str, int],
        hosts_of: HostsOf,
    ) -> None:
        self._life = life
        self._history_by_manager = history_by_manager
        self._position_by_slice = position_by_slice
        self._hosts_of = hosts_of
        self._progress_by_host: dict[str, Progress] = {}
        self._waiters: dict[Waiter, None] = {}
        self._sample: Waiter | None = None
        self._unapplied = Unapplied(
            partial(self._behind, connected_only=True), life, asyncio.get_running_loop().time
        )
        metrics.unapplied_seconds.set_function(lambda: self._unapplied.age_s)
        self._planned = asyncio.Event()  # set, and made anew, whenever something is planned

    async def wait(self, request: ConvergenceRequest) -> ConvergenceReply:
        """Answer when the write has converged, or when the time is up."""
        wanted = _parse(request.revision)
        limit_s = min(max(request.timeout_s, 0), timeout_s_max)
        end_s = asyncio.get_running_loop().time() + limit_s
        history = await self._arrived(wanted, limit_s)
        if len(self._waiters) >= waiters_max:
            metrics.limit_reached.labels("convergence_waiters").inc()
            raise Unavailable(f"more than {waiters_max} calls wait for hosts already")
        with self._waiting(self._wanted_by_host(history, wanted.sequence)) as waiter:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(end_s):
                    await waiter.done.wait()
            if waiter.done.is_set():
                history.settle(wanted.sequence)
            return self._reply(request.revision, waiter)

    async def arrived(self, text: str) -> None:
        """Wait until a write has been planned; `NotFound` and `InvalidInput` as `wait` has them."""
        await self._arrived(_parse(text), 0)

    def planned(self, position_by_slice: Mapping[str, int]) -> None:
        """These slices have just been changed, last at these positions."""
        self._planned.set()
        self._planned = asyncio.Event()
        self._unapplied.planned(position_by_slice)
        if self._sample is not None and self._age_s(self._sample) > sample_s_max:
            self._observe(self._sample)
        if self._sample is None and position_by_slice:
            waiter = Waiter(self._behind(position_by_slice, connected_only=True))
            self._sample = waiter if waiter.wanted_by_host else None

    def hear(self, entries: Sequence[Entry]) -> None:
        """What was told of hosts."""
        for entry in entries:
            if entry.value is not None:
                self._take(decode_host(entry.value))

    def _take(self, report: HostReport) -> None:
        applied = report.reached if report.life == self._life() else 0
        self._progress_by_host[report.host] = Progress(applied, report.connected)
        for waiter in self._waiters:
            waiter.heard(report.host, applied)
        applied = applied if report.connected else _GONE
        self._unapplied.heard(report.host, applied)
        if self._sample is not None:
            self._sample.heard(report.host, applied)
            if self._sample.done.is_set():
                self._observe(self._sample)

    def _observe(self, sample: Waiter) -> None:
        metrics.propagation_seconds.observe(self._age_s(sample))
        self._sample = None

    @staticmethod
    def _age_s(sample: Waiter) -> float:
        return asyncio.get_running_loop().time() - sample.began_s

    async def _arrived(self, wanted: Revision, limit_s: float) -> History:
        """The history of the write's manager, once it knows of the write."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(arrival_s_least, limit_s)):
                while not (self._knows(wanted) or self._is_nobodys(wanted)):
                    await self._planned.wait()
        if not self._history_by_manager:
            raise Unavailable("Goal state is still being planned after the start.")
        history = self._history_by_manager.get(wanted.manager)
        if history is None or history.seen < wanted.sequence:
            raise NotFound(f"There is no write {wanted}.", type="RevisionNotFound")
        return history

    def _is_nobodys(self, wanted: Revision) -> bool:
        """Whether no manager of that name tells hosts anything, as far as this release knows:
        planned or not, there is nothing to wait for."""
        known = self._history_by_manager
        return bool(known) and wanted.manager not in known

    def _knows(self, wanted: Revision) -> bool:
        history = self._history_by_manager.get(wanted.manager)
        return history is not None and history.seen >= wanted.sequence

    def _wanted_by_host(self, history: History, sequence: int) -> dict[str, int]:
        """What is wanted of which hosts: those that the write concerns, and of those that earlier
        writes concern the ones that are there to answer."""
        write = history.write(sequence)
        if write is None:
            if sequence <= history.settled:
                return {}
            return self._behind(self._position_by_slice, connected_only=False)
        earlier = self._behind(history.unsettled_before(write), connected_only=True)
        own = self._behind(write.position_by_slice, connected_only=False)
        return merged((earlier, own))

    def _behind(self, position_by_slice: Mapping[str, int], connected_only: bool) -> dict[str, int]:
        """The hosts that hold one of these slices and have not reached its position."""
        wanted_by_host: dict[str, int] = {}
        for name, position in position_by_slice.items():
            for host in self._hosts_of(name):
                progress = self._progress_by_host.get(host, _UNHEARD)
                if progress.applied < position and (progress.connected or not connected_only):
                    wanted_by_host[host] = max(position, wanted_by_host.get(host, 0))
        return wanted_by_host

    @contextmanager
    def _waiting(self, wanted_by_host: dict[str, int]) -> Iterator[Waiter]:
        waiter = Waiter(wanted_by_host)
        self._waiters[waiter] = None
        try:
            yield waiter
        finally:
            del self._waiters[waiter]

    def _reply(self, text: str, waiter: Waiter) -> ConvergenceReply:
        hosts = sorted(waiter.wanted_by_host)
        return ConvergenceReply(
            revision=text,
            converged=not hosts,
            lagging=len(hosts),
            hosts=[
                self._named(host, waiter.wanted_by_host[host]) for host in hosts[:hosts_named_max]
            ],
        )

    def _named(self, host: str, wanted: int) -> HostProgress:
        applied, connected = self._progress_by_host.get(host, _UNHEARD)
        return HostProgress(host=host, applied=applied, wanted=wanted, connected=connected)


_UNHEARD = Progress()


def _parse(text: str) -> Revision:
    try:
        return revision(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
