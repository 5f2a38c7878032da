"""Wire the delivery: intent log in, hosts served, report log out."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import grpc
import structlog

from alcor.contracts.convergence import ConvergencePeer
from alcor.contracts.progress import ProgressPeer
from alcor.contracts.traces import TracePeer
from alcor.delivery import metrics
from alcor.delivery.config import DeliveryConfig
from alcor.delivery.convergence import Convergence
from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.presence import Presence
from alcor.delivery.progress import PeerOf, Progress, alone
from alcor.delivery.pump import Pump, Rebuilt
from alcor.delivery.traces import Traces
from alcor.goal_state.reports import host_key
from alcor.keyed_log.log import Compacted, Entry, KeyedLog, Slow
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime.clock import Seconds, now_s
from alcor.runtime.config import needed
from alcor.runtime.tasks import Tasks
from alcor.transport import nats_credentials
from alcor.transport.certificates import end_s
from alcor.transport.grpc_server import GrpcServer

if TYPE_CHECKING:
    from alcor.transport.nats_server import NatsServer

stop_s_max = 10.0  # how long the end of what runs here, and word of it to others, may take

_log = structlog.get_logger()


class Delivery:
    """The running delivery. Whoever started it watches `failure` and calls `stop`."""

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        epoch: int,
        intent: KeyedLog,
        reports: KeyedLog,
        peer_of: PeerOf,
        server: grpc.aio.Server | None = None,
        clock: Seconds = now_s,
    ) -> None:
        self._config = config
        goal = MemoryLog(epoch)
        self._pump = Pump(
            intent, goal, self._planned, config.dns_domain, lazy_above=config.lazy_above
        )
        index = self._pump.planner.index
        self._hosts = Hosts(epoch, lambda: intent.life)
        self._feed = HostFeed(
            goal, reports, index, self._pump.ready.wait, self._pump.watermark, self._hosts, clock
        )
        self._presence = Presence(epoch, reports, self._hosts, asyncio.get_running_loop().time)
        self._progress = Progress(self._hosts, peer_of)
        self._convergence = Convergence(
            self._hosts,
            self._progress,
            self._pump.history_by_manager,
            self._pump.position_by_slice,
            index.waited_for,
        )
        self._traces = Traces(index, self._pump.ready.is_set, self._convergence.arrived)
        if (files := config.tls()) is not None:
            end = partial(end_s, files, of_server=True)
            metrics.certificate_end.labels("delivery").set_function(end)
        if (credentials := config.credentials()) is not None:
            ends = metrics.credentials_end.labels("agents.nats_credentials")
            ends.set_function(partial(nats_credentials.end_s, credentials))
        self._server = GrpcServer(self._feed, config.listen, config.tls(), server)
        self._nats = _nats_server(config, self._feed, epoch)
        self._reports = reports
        self._tasks = Tasks()

    @property
    def convergence(self) -> ConvergencePeer:
        """Who knows how far hosts are."""
        return self._convergence

    @property
    def progress(self) -> ProgressPeer:
        """Who knows how far hosts are that are connected here."""
        return self._progress

    @property
    def traces(self) -> TracePeer:
        """Who knows where packets get to."""
        return self._traces

    @property
    def port(self) -> int:
        """The TCP port that hosts are served on."""
        return self._server.port

    async def ready(self) -> bool:
        """Whether all intent has been planned once, so that hosts get snapshots."""
        return self._pump.ready.is_set()

    async def failure(self) -> None:
        """Wait for ever; raise `TaskFailed` when a part of the delivery has failed."""
        await self._tasks.failure()

    async def stop(self) -> None:
        """Hang up on hosts, and end; they keep what they have.

        That we are gone others find out by themselves if there is no telling them.
        """
        await self._server.stop()
        if self._nats is not None:
            await self._nats.stop()
        try:
            async with asyncio.timeout(stop_s_max):
                await self._tasks.stop()
                await self._presence.stop()
        except TimeoutError:
            _log.warning("delivery.left_silently", after_s=stop_s_max)

    async def _start(self, rebuilt: Rebuilt) -> None:
        with needed("agents.listen", self._config.listen):
            await self._server.start()
        self._tasks.start(self._server.send(), "delivery-grpc-send")
        if self._nats is not None:
            with needed("agents.nats", self._config.nats_shown()):
                await self._nats.start()
            self._tasks.start(self._nats.beat(), "delivery-nats-beat")
            self._tasks.start(self._nats.send(), "delivery-nats-send")
        self._tasks.start(self._pump.run(rebuilt), "delivery-pump")
        self._tasks.start(self._feed.run(), "delivery-feed")
        self._tasks.start(self._feed.tell_again(), "delivery-reports")
        self._tasks.start(self._follow_reports(), "delivery-convergence")
        self._tasks.start(self._presence.beat(), "delivery-beat")
        self._tasks.start(self._presence.follow(), "delivery-presence")

    async def _follow_reports(self) -> None:
        """Hear what is told of hosts, here and by other deliveries, for ever."""
        prefix = host_key("")
        while True:
            snapshot = await self._reports.snapshot(prefix)
            self._hear(snapshot.entries)
            try:
                async for entries in self._reports.watch(prefix, snapshot.position):
                    self._hear(entries)
            except (Slow, Compacted):
                metrics.limit_reached.labels("report_watcher_pending").inc()

    def _hear(self, entries: Sequence[Entry]) -> None:
        self._hosts.hear(entries)
        for entry in entries:
            self._feed.heard(entry.key.partition("/")[2], entry)

    def _planned(self, position_by_slice: Mapping[str, int]) -> None:
        self._convergence.planned(position_by_slice)


def _nats_server(config: DeliveryConfig, feed: HostFeed, delivery: int) -> "NatsServer | None":
    if not config.nats:
        return None
    from alcor.transport.nats_server import NatsServer  # only here: it is large

    tls = config.tls() if config.nats.startswith("tls:") else None
    return NatsServer(feed, delivery, config.nats_servers(), config.credentials(), tls)


async def start(
    config: DeliveryConfig,
    *,
    epoch: int,
    intent: KeyedLog,
    reports: KeyedLog,
    managers: Sequence[str],
    peer_of: PeerOf = alone,
    server: grpc.aio.Server | None = None,
    clock: Seconds = now_s,
) -> Delivery:
    """Listen for hosts at once, and serve them when each of these managers has told `intent` all
    that it holds.

    `epoch` names this delivery: no two of a region have the same, at any time. `peer_of` is how
    others are asked, by their names. `server` is gRPC's
    own unless another is given. `ConfigError` when what the settings name can't be had: an address,
    NATS, or a file.
    """
    delivery = Delivery(
        config,
        epoch=epoch,
        intent=intent,
        reports=reports,
        peer_of=peer_of,
        server=server,
        clock=clock,
    )
    await delivery._start(lambda: intent.completed(managers))
    return delivery
