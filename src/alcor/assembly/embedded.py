"""A whole control plane: managers with SQLite files, logs in memory, gRPC to hosts, HTTP.

`alcor up` runs the delivery in a child process; who calls `embedded` without one has all in one.

Nothing here decides anything: it opens, wires, starts in order, and stops in the reverse order.
"""

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
import uvloop

from alcor.assembly import databases, delivery_child, far_delivery
from alcor.assembly.config import Config, servers
from alcor.assembly.control import Control
from alcor.assembly.delivery_child import Child
from alcor.assembly.far_delivery import FarDelivery
from alcor.assembly.identity import check_exposure, identity
from alcor.assembly.notifiers import notifiers
from alcor.contracts.convergence import ConvergencePeer
from alcor.contracts.traces import TracePeer
from alcor.delivery.port_states import PortStates
from alcor.gateway.app import door
from alcor.gateway.http.server import HttpServer
from alcor.gateway.identity import Identity
from alcor.gateway.own.operations import About
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime import watchdog
from alcor.runtime.clock import new_id, now_s
from alcor.runtime.config import ConfigError, endpoint, needed
from alcor.runtime.descriptors import take_all_descriptors
from alcor.runtime.memory import settle_memory
from alcor.runtime.observability import logs
from alcor.runtime.observability.exposition import exposition
from alcor.runtime.observability.metrics import build_info
from alcor.runtime.observability.otlp import traced
from alcor.runtime.signals import ends
from alcor.runtime.sql.places import Servers
from alcor.runtime.tasks import TaskFailed, Tasks
from alcor.runtime.version import version
from alcor.values.errors import Unavailable

_log = structlog.get_logger("alcor.up")


class Running(NamedTuple):
    """A control plane that answers. `failure` raises `TaskFailed` when a part of it has failed."""

    api: tuple[str, int]
    agents_port: int
    failure: Callable[[], "asyncio.Future[None]"]


class Served(Protocol):
    """The delivery: in this process, or in a child."""

    @property
    def port(self) -> int: ...

    @property
    def convergence(self) -> ConvergencePeer: ...

    @property
    def traces(self) -> TracePeer: ...

    async def ready(self) -> bool: ...

    async def failure(self) -> None: ...

    async def stop(self) -> None: ...


@asynccontextmanager
async def embedded(config: Config, child: Child | None = None) -> AsyncIterator[Running]:
    """The control plane, for as long as the context lasts; with `child`, the delivery runs there.

    `ConfigError` when the settings can't be used, or what they name can't be had: an address, or
    the databases' folder.
    """
    check_exposure(config, "listen", serves_hosts=True)
    with needed("data", config.data):
        folder = _folder(config)
    async with AsyncExitStack() as stack:
        closing = stack.enter_context(ExitStack())
        asks = identity(config, now_s, closing)
        with needed("data", config.data):
            _lock(folder / "lock", stack)
            epoch = _next_epoch(folder / "epoch")
        intent, reports = MemoryLog(epoch), MemoryLog(epoch)
        place = servers(config) or folder
        if isinstance(place, Servers):
            await databases.answering(place)
        with needed("data", config.data):
            control = Control(place, intent, reports, config, now_s, new_id)
            for notifier in notifiers(config, place, intent, reports, closing):
                control.add(notifier)
        stack.push_async_callback(control.close)
        tasks = Tasks(passing=databases.is_loss)
        stack.push_async_callback(tasks.stop)
        served = await _deliver(config, child, epoch, intent, reports, control)
        stack.push_async_callback(served.stop)
        http = _http(config, control, served, asks, (intent, reports))
        stack.callback(http.close)
        await control.lead()
        try:
            await control.start(tasks)
        except Unavailable as away:
            setting = "data" if place is folder else "served.postgres"
            raise ConfigError(f"{setting}: {away.message}") from away
        answering = asyncio.ensure_future(http.run())
        stack.push_async_callback(_finish, http, answering)
        build_info.labels(version(), "up").set(1)
        yield Running(http.address, served.port, lambda: _first(tasks, served, answering))


async def run(config: Config, child: Child, started: Callable[[Running], None]) -> None:
    """Run until SIGTERM, SIGINT or SIGHUP; raise `TaskFailed` when a part fails."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ends():
        loop.add_signal_handler(number, asked.set)
    logs.listen(child.pid)
    watchdog.begin(os.environ)
    async with embedded(config, child) as running:
        settle_memory()
        host, port = running.api
        _log.info("up", api=f"{host}:{port}", agents_port=running.agents_port, data=config.data)
        started(running)
        await _until(asked, running.failure())
        _log.info("stopping")


async def _until(asked: asyncio.Event, failure: "asyncio.Future[None]") -> None:
    """Wait until we are asked to stop; raise what failed before that."""
    stop = asyncio.ensure_future(asked.wait())
    waits: list[asyncio.Future[Any]] = [stop, failure]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if failure.done():
        failure.result()
    failure.cancel()


def serve(config: Config, started: Callable[[Running], None] = lambda _: None) -> None:
    """Configure the process and run in a quick event loop of its own.

    A process that leads a database no more knows neither what others have written since, nor what
    the server that is there now has: it begins anew, as one does that has just been started.
    """
    logs.configure(config.log.form, config.log.level)
    take_all_descriptors()
    child = delivery_child.fork(config.agents, config.traces)
    lost = False
    try:
        with (
            traced(config.traces, "alcor-up", os.environ),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(run(config, child, started))
    except TaskFailed as failed:
        if not databases.is_loss(failed.__cause__):
            raise
        _log.warning("up.begin_anew", part=str(failed), why=str(failed.__cause__))
        lost = True
    finally:
        child.end()
    if lost:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


async def _deliver(
    config: Config,
    child: Child | None,
    epoch: int,
    intent: MemoryLog,
    reports: MemoryLog,
    control: Control,
) -> Served:
    if child is not None:
        return await far_delivery.start(
            child, epoch=epoch, intent=intent, reports=reports, managers=control.telling
        )
    from alcor.delivery import app  # only here: it loads gRPC

    return await app.start(
        config.agents, epoch=epoch, intent=intent, reports=reports, managers=control.telling
    )


def _http(
    config: Config,
    control: Control,
    served: Served,
    asks: Identity,
    logs: tuple[MemoryLog, MemoryLog],
) -> HttpServer:
    async def checks() -> Mapping[str, bool]:
        return await control.checks() | {"delivery": await served.ready()}

    async def metrics() -> bytes:
        far = await served.metrics() if isinstance(served, FarDelivery) else ""
        return exposition(far, "delivery")

    host, port = endpoint("listen", config.listen)
    about = About(served.convergence, checks, metrics, PortStates(*logs), served.traces)
    application = door(control.resources, about, config.gateway, asks, new_id)
    with needed("listen", config.listen):
        return HttpServer(application, host, port, now_s)


async def _finish(http: HttpServer, answering: "asyncio.Future[None]") -> None:
    http.stop()
    await answering


def _first(
    tasks: Tasks, served: Served, answering: "asyncio.Future[None]"
) -> "asyncio.Future[None]":
    """Done, with its exception, as soon as a part has failed."""
    return asyncio.ensure_future(_failure(tasks, served, answering))


async def _failure(tasks: Tasks, served: Served, answering: "asyncio.Future[None]") -> None:
    waits = [asyncio.ensure_future(each) for each in (tasks.failure(), served.failure())]
    try:
        done, _ = await asyncio.wait([*waits, answering], return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for wait in waits:
            wait.cancel()


def _folder(config: Config) -> Path:
    folder = Path(config.data).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _lock(path: Path, stack: AsyncExitStack) -> None:
    """One process a folder; `OSError` when another one has it."""
    held = stack.enter_context(path.open("ab"))
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OSError(f"{path.parent} is used by another process") from error


def _next_epoch(path: Path) -> int:
    """Greater at every start, also when the clock went back or the folder is new."""
    held = 0
    with suppress(FileNotFoundError, ValueError):
        held = int(path.read_text())
    epoch = max(held + 1, int(now_s() * 1_000))
    path.write_text(str(epoch))
    return epoch
