"""One host's agent: makes the parts, joins them, and runs them until it is told to stop.

It starts from the host's own memory at once, with or without a control plane. When it stops, or is
killed, the switch goes on as it is.
"""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog
from msgspec.structs import replace
from prometheus_client import start_http_server

from alcor.agent.announcements.herald import announced_again_s
from alcor.agent.capacity import capacity_of, holding
from alcor.agent.config import AgentConfig
from alcor.agent.desired.desired import Desired
from alcor.agent.desired.memory import Memory
from alcor.agent.desired.state import SavedState
from alcor.agent.drivers.bridge import Wish
from alcor.agent.drivers.connections import ConnectionLimits
from alcor.agent.drivers.openflow import FlowDriver
from alcor.agent.drivers.ovsdb import SwitchDatabase
from alcor.agent.listening import Listening
from alcor.agent.metering.reader import MeterReader
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.model.ports.monitoring import Limit
from alcor.agent.pipeline.pipeline import PUNT_SERVICE
from alcor.agent.punts.bfd import NextHops
from alcor.agent.punts.decisions import DecisionLogs, Write, to_log
from alcor.agent.punts.outside import OutsideNeighbours, ask_again_s
from alcor.agent.punts.responder import Responder
from alcor.agent.punts.seeking import Seeker
from alcor.agent.punts.shared_addresses import SharedNeighbours
from alcor.agent.reconciler import Reconciler
from alcor.agent.release import RELEASE
from alcor.agent.seeking import watch
from alcor.agent.services.desk import Desk
from alcor.agent.services.forwarder import Endpoint, Forwarder, endpoints_of
from alcor.agent.services.http import HttpSession
from alcor.agent.services.metadata import PORT as METADATA_PORT
from alcor.agent.services.metadata import Metadata
from alcor.agent.services.resolver import Resolver
from alcor.agent.services.streams import Service
from alcor.agent.services.upstream import Upstream
from alcor.runtime import watchdog
from alcor.runtime.clock import chance, exact_timestamp, now_s
from alcor.runtime.config import ConfigError, endpoint, file_of, needed
from alcor.runtime.observability import logs
from alcor.runtime.observability.rotated_file import RotatedFile
from alcor.runtime.signals import ends
from alcor.runtime.version import version
from alcor.transport import nats_credentials
from alcor.transport.certificates import end_s
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Hello, Link
from alcor.transport.nats_urls import urls_of
from alcor.transport.tls import TlsFiles
from alcor.values.addresses import Address, address
from alcor.values.ids import host_id

limited_again_s = 10.0  # between two looks at limits of connections

log = structlog.get_logger()


class Agent:
    """The parts of one host's agent, joined."""

    def __init__(self, config: AgentConfig, link: Link) -> None:
        self.metrics = Metrics()
        if (files := tls_of(config)) is not None:
            self.metrics.certificate_end.labels("agent").set_function(
                partial(end_s, files, of_server=False)
            )
        if (credentials := credentials_of(config)) is not None:
            self.metrics.credentials_end.labels("nats_credentials").set_function(
                partial(nats_credentials.end_s, credentials)
            )
        self._config, self._link = config, link
        self._memory = memory = _memory(config)
        self.metrics.unsaved.set_function(lambda: memory.failing)
        self._desired, self._model = Desired(config.host), HostModel()
        rundir = Path(config.ovs_rundir)
        socket = rundir / f"{config.bridge}.mgmt"
        self._flows = FlowDriver(socket, self.metrics)
        self._responder = Responder(socket, self._model, self.metrics, config.lease_s)
        send = self._responder.send
        self._forwarder = Forwarder(_resolvers(config), chance, self.metrics)
        self._reconciler = Reconciler(
            self._desired, self._model, link, self._flows, send, self.metrics
        )
        wish = wish_of(config)
        resolved = self._reconciler.set_resolved
        self._outside = OutsideNeighbours(self._model, _loop_time_s, resolved, self.metrics)
        self._responder.outside = self._outside
        self._reconciler.adopt = self._outside.adopt
        self._shared = SharedNeighbours(self._model, self._reconciler.set_holder)
        self._responder.shared = self._shared
        self._model.monitoring.limit = Limit(config.network_log_rate, config.network_log_burst)
        self._responder.decisions = DecisionLogs(
            self._model, _lines(config), lambda: exact_timestamp(now_s()), self.metrics
        )
        self._seeker = Seeker(
            self._model,
            self._desired,
            self._reconciler,
            _loop_time_s,
            self.metrics,
            config.lazy_idle_s,
        )
        self._responder.seeker = self._seeker
        self._reconciler.settled = self._seeker.settle
        told = self._reconciler.set_gateways
        self._next_hops = NextHops(
            self._model, self._outside, _loop_time_s, chance, told, self.metrics
        )
        self._responder.next_hops = self._next_hops
        self._listening = Listening(self._next_hops, self._responder)
        self._reconciler.outside_changed = self._listening.look
        names = Resolver(self._model, self._forwarder, self._seeker.look_for, self.metrics)
        self._metadata = _metadata(config, self.metrics)
        services = _services(self._metadata)
        desk = Desk(self._model, send, names, services, chance, self.metrics)
        self._responder.hand_over(PUNT_SERVICE, desk.take)
        self._database = SwitchDatabase(rundir / "db.sock", wish, self._reconciler)
        self._reconciler.want_copies = self._database.want_copies
        self._reconciler.want_queues = self._database.want_queues
        self._model.qos.bridge_by_network = wish.holding
        limit, type_ = config.connections_max, self._reconciler.datapath_type
        self._limits = ConnectionLimits(rundir, type_, limit, self._model.zones, self.metrics)

    async def run(self) -> None:
        """Run every part, for ever; if one fails, all end."""
        spare_the_collector()
        state = self._memory.load()
        self._reconciler.restore(state)
        if state is not None and state.release != RELEASE:
            self._reconciler.unsaved.set()
        self._seeker.restore()
        if state is not None and state.host == self._config.host:
            self._outside.restore(state.outside)
            self._shared.restore(state.holders)
        try:
            with _metrics_served(self._config.metrics_listen, self.metrics):
                async with asyncio.TaskGroup() as parts:
                    parts.create_task(self._database.run())
                    new, away = self._reconciler.switch_is_new, self._reconciler.switch_is_away
                    parts.create_task(self._flows.keep_connected(new, away))
                    parts.create_task(self._responder.run())
                    parts.create_task(self._forwarder.run())
                    parts.create_task(self._listening.run())
                    if self._metadata is not None:
                        parts.create_task(self._metadata.run())
                    parts.create_task(self._reconciler.read(self._link.events()))
                    parts.create_task(self._reconciler.run())
                    parts.create_task(every(self._config.audit_s, self._reconciler.audit))
                    parts.create_task(every(self._config.advertise_s, self._reconciler.advertise))
                    parts.create_task(every(ask_again_s / 2, self._ask_outside))
                    parts.create_task(every(announced_again_s, self._announce_again))
                    parts.create_task(watch(self._seeker, self._reconciler, self._flows))
                    unsaved = self._reconciler.unsaved
                    parts.create_task(self._memory.keep(unsaved, self._saved))
                    parts.create_task(self._meter())
                    parts.create_task(self._limit_connections())
        finally:
            self._flows.close()

    def _saved(self) -> SavedState:
        outside, holders = self._outside.saved(), self._shared.saved()
        saved = self._desired.saved()
        return replace(saved, outside=outside, holders=holders, release=RELEASE)

    def _ask_outside(self) -> None:
        self._responder.send(self._outside.tick())

    def _announce_again(self) -> None:
        self._reconciler.announce_again()
        self._responder.send(self._shared.ask_again())

    async def _limit_connections(self) -> None:
        while True:
            await self._limits.keep()
            await asyncio.sleep(limited_again_s)

    async def _meter(self) -> None:
        """Read what was counted under labels, for ever."""
        reader = MeterReader(self._model, self._flows, self.metrics)
        while True:
            await asyncio.sleep(self._config.metering_s)
            await reader.read()


async def every(interval_s: float, work: Callable[[], None]) -> None:
    """Do something every so many seconds, for ever; what fails ends the agent."""
    while True:
        await asyncio.sleep(interval_s)
        work()


async def run(config: AgentConfig) -> None:
    """Run a host's agent, connected by gRPC, until it is told to end, or until a part fails."""
    try:
        host = host_id(config.host)
    except ValueError as error:
        raise ConfigError(f"host: {error}") from None
    mappings = mappings_of(config.bridge_mappings)
    hello = Hello(
        host=host,
        version=version(),
        tunnel_endpoint=endpoint_of(config.tunnel_ip),
        physical_networks=tuple(sorted(mappings)),
        lazy=True,
        names=True,
        capacity=capacity_of(config, mappings),
        bridge=config.bridge,
    )
    log.info(
        "agent starts",
        host=host,
        version=hello.version,
        tunnel_ip=config.tunnel_ip,
        control_plane=config.control_plane,
        switch=config.ovs_rundir,
    )
    tell_unreadable(config)
    await run_until_stopped(Agent(config, _link(config, hello)))


def tell_unreadable(config: AgentConfig) -> None:
    """Say which files can't be read that only the way to the control plane needs: without it the
    host is served from what it remembers, and they are read anew for each connection."""
    for setting in ("tls_ca", "tls_certificate", "tls_key", "nats_credentials"):
        if path := getattr(config, setting):
            try:
                file_of(setting, path)
            except ConfigError as error:
                log.error("file is unreadable", reason=str(error))


def _link(config: AgentConfig, hello: Hello) -> Link:
    """By NATS or by gRPC, as the addresses say; `ConfigError` when they say both."""
    targets = [each.strip() for each in config.control_plane.split(",")]
    by_nats = {each.startswith(("nats://", "tls://")) for each in targets}
    if len(by_nats) > 1:
        raise ConfigError(f"control_plane: {config.control_plane} is of NATS and of gRPC")
    tls = tls_of(config)
    if by_nats == {False}:
        for each in targets:
            endpoint("control_plane", each)
        return GrpcLink(targets, hello, chance=chance, tls=tls)
    from alcor.transport.nats_client import NatsLink  # only here: it loads half as much again

    credentials = credentials_of(config)
    secure = tls if targets[0].startswith("tls://") else None
    try:
        servers = urls_of(config.control_plane)
    except ValueError as error:
        raise ConfigError(f"control_plane: {error}") from None
    return NatsLink(servers, hello, chance=chance, credentials=credentials, tls=secure)


def _resolvers(config: AgentConfig) -> tuple[Endpoint, ...]:
    try:
        return endpoints_of(config.dns_resolvers)
    except ValueError as error:
        raise ConfigError(f"dns_resolvers: {error}") from None


def _metadata(config: AgentConfig, metrics: Metrics) -> Metadata | None:
    """What passes metadata on; None when nobody said where it is."""
    if not config.metadata_url:
        return None
    try:
        upstream = Upstream(config.metadata_url)
    except ValueError as error:
        raise ConfigError(f"metadata_url = {config.metadata_url}: {error}") from None
    if not config.metadata_secret_file:
        raise ConfigError("metadata_url needs metadata_secret_file")
    secret = file_of("metadata_secret_file", config.metadata_secret_file).strip()
    return Metadata(upstream, secret, lambda: asyncio.get_running_loop().time(), metrics)


def _services(metadata: Metadata | None) -> dict[int, Service]:
    """What machines reach by TCP, besides names."""
    if metadata is None:
        return {}
    return {METADATA_PORT: lambda line: HttpSession(line, metadata.ask)}


def _lines(config: AgentConfig) -> Write:
    """Where it is written down what security groups decide."""
    if not config.network_log_file:
        return to_log
    path = Path(config.network_log_file)
    with needed("network_log_file", config.network_log_file):
        file = RotatedFile(path, config.network_log_file_bytes, config.network_log_files_kept)
    return file.write


def _memory(config: AgentConfig) -> Memory:
    with needed("state_dir", config.state_dir):
        return Memory(Path(config.state_dir))


def tls_of(config: AgentConfig) -> TlsFiles | None:
    """The files for TLS, all three or none; `ConfigError` when some are missing."""
    files = (config.tls_ca, config.tls_certificate, config.tls_key)
    if not any(files):
        return None
    if not all(files):
        raise ConfigError("TLS takes three files: tls_ca, tls_certificate, tls_key")
    return TlsFiles(*(Path(file).expanduser() for file in files))


def credentials_of(config: AgentConfig) -> Path | None:
    """The file of NATS credentials, or None."""
    return Path(config.nats_credentials).expanduser() if config.nats_credentials else None


def _loop_time_s() -> float:
    return asyncio.get_running_loop().time()


def wish_of(config: AgentConfig) -> Wish:
    """What the switch's database must say; `ConfigError` as `mappings_of`."""
    mappings = mappings_of(config.bridge_mappings)
    capacity = capacity_of(config, mappings)
    return Wish(
        config.bridge,
        config.datapath_type,
        config.tunnel_ip,
        mappings,
        tunnel_type=config.tunnel_type,
        tap_udp_port=config.tap_udp_port,
        egress={each.device: each.egress for each in capacity.bandwidths if each.egress},
        holding=holding(capacity),
    )


def mappings_of(text: str) -> dict[str, str]:
    """Bridges by physical network; `ConfigError` when the text says something else."""
    mappings: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        name, _, bridge = pair.rpartition(":")
        if not name or not bridge or name in mappings or bridge in mappings.values():
            raise ConfigError(f"bridge_mappings: '{text}' is not NAME:BRIDGE,NAME:BRIDGE")
        mappings[name] = bridge
    return mappings


def endpoint_of(text: str) -> Address:
    """The host's underlay address; `ConfigError` when it is none that the pipeline can carry."""
    try:
        parsed = address(text)
    except ValueError as error:
        raise ConfigError(f"tunnel_ip: {error}") from None
    if parsed.version != 4:
        raise ConfigError(f"tunnel_ip: an underlay of IPv6 is not possible yet: {text}")
    return parsed


async def run_until_stopped(agent: Agent) -> None:
    """Run until SIGTERM, SIGINT or SIGHUP, or until a part fails."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    asked = ends()
    for number in asked:
        loop.add_signal_handler(number, task.cancel)
    logs.listen()
    watchdog.begin(os.environ)
    try:
        await agent.run()
    except asyncio.CancelledError:
        log.info("agent stopped")
    finally:
        for number in asked:
            loop.remove_signal_handler(number)


@contextmanager
def _metrics_served(listen: str, metrics: Metrics) -> Iterator[None]:
    """Serve `/metrics` at HOST:PORT; nowhere when it is empty."""
    if not listen:
        yield
        return
    host, port = endpoint("metrics_listen", listen)
    with needed("metrics_listen", listen):
        server, thread = start_http_server(port, host, metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def spare_the_collector() -> None:
    """Flows by the ten thousand are not garbage: looking through them all costs more than they."""
    gc.set_threshold(50_000, 20, 50)
