"""Wait until the hosts have applied a write.

A host is concerned by a write that changed a slice which its ports lead to. It has applied the
write when it has reached a position at least as great as that of the last such change. Positions
are the intent log's, so it does not matter which delivery the host is connected to. A waiter
fixes what it wants of each host when it begins, so that changes which come later don't keep it
waiting. Nothing is computed, and no other delivery asked, for writes that nobody waits for.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial

from alcor.contracts.convergence import ConvergenceReply, ConvergenceRequest, HostProgress
from alcor.delivery import metrics
from alcor.delivery.history import History, merged
from alcor.delivery.hosts import Hosts
from alcor.delivery.progress import GONE, Lag, Progress, Waiter
from alcor.delivery.unapplied import Unapplied
from alcor.values.errors import InvalidInput, NotFound, Unavailable
from alcor.values.revision import Revision, revision

arrival_s_least = 2.0  # a write that is not planned by then, or when the time is up, was never made
timeout_s_max = 600.0
waiters_max = 1_000
sample_s_max = 60.0  # a sample that takes longer counts as this old
hosts_named_max = 100  # in one reply

HostsOf = Callable[[str], Collection[str]]


class Convergence:
    """The waits that are going on; and of the hosts that are connected here, how long they take."""

    def __init__(
        self,
        hosts: Hosts,
        progress: Progress,
        history_by_manager: Mapping[str, History],
        position_by_slice: Mapping[str, int],
        hosts_of: HostsOf,
    ) -> None:
        self._hosts = hosts
        self._progress = progress
        self._history_by_manager = history_by_manager
        self._position_by_slice = position_by_slice
        self._hosts_of = hosts_of
        self._waits = 0
        self._sample: Waiter | None = None
        self._unapplied = Unapplied(
            partial(self._behind, hosts.is_here),
            lambda: hosts.life,
            asyncio.get_running_loop().time,
        )
        metrics.unapplied_seconds.set_function(lambda: self._unapplied.age_s)
        self._planned = asyncio.Event()  # set, and made anew, whenever something is planned
        hosts.call(self._changed)

    async def wait(self, request: ConvergenceRequest) -> ConvergenceReply:
        """Answer when the write has converged, or when the time is up."""
        wanted = _parse(request.revision)
        limit_s = min(max(request.timeout_s, 0), timeout_s_max)
        end_s = asyncio.get_running_loop().time() + limit_s
        history = await self._arrived(wanted, limit_s)
        if self._waits >= waiters_max:
            metrics.limit_reached.labels("convergence_waiters").inc()
            raise Unavailable(f"more than {waiters_max} calls wait for hosts already")
        self._waits += 1
        try:
            wanted_by_host = self._wanted_by_host(history, wanted.sequence)
            lagging = await self._progress.wait(wanted_by_host, end_s)
        finally:
            self._waits -= 1
        if not lagging:
            history.settle(wanted.sequence)
        return self._reply(request.revision, lagging)

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
            waiter = Waiter(self._behind(self._hosts.is_here, position_by_slice))
            self._sample = waiter if waiter.wanted_by_host else None

    def _changed(self, host: str) -> None:
        applied = self._hosts.applied(host) if self._hosts.is_here(host) else GONE
        self._unapplied.heard(host, applied)
        if self._sample is not None:
            self._sample.heard(host, applied)
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
            return self._behind(_anybody, self._position_by_slice)
        earlier = self._behind(self._hosts.is_connected, history.unsettled_before(write))
        own = self._behind(_anybody, write.position_by_slice)
        return merged((earlier, own))

    def _behind(
        self, who: Callable[[str], bool], position_by_slice: Mapping[str, int]
    ) -> dict[str, int]:
        """The hosts that hold one of these slices and are not known to have reached its position,
        of those that count."""
        wanted_by_host: dict[str, int] = {}
        for name, position in position_by_slice.items():
            for host in self._hosts_of(name):
                if self._hosts.applied(host) < position and who(host):
                    wanted_by_host[host] = max(position, wanted_by_host.get(host, 0))
        return wanted_by_host

    def _reply(self, text: str, lagging: Mapping[str, Lag]) -> ConvergenceReply:
        hosts = sorted(lagging)
        return ConvergenceReply(
            revision=text,
            converged=not hosts,
            lagging=len(hosts),
            hosts=[
                HostProgress(
                    host=host,
                    applied=lagging[host].applied,
                    wanted=lagging[host].wanted,
                    connected=self._hosts.is_connected(host),
                )
                for host in hosts[:hosts_named_max]
            ],
        )


def _anybody(host: str) -> bool:
    return True


def _parse(text: str) -> Revision:
    try:
        return revision(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
