"""One process of many: what every role has, whichever it is.

Roles find each other over NATS. Each answers /healthz, /readyz and /metrics on an address of its
own, stops taking work at SIGTERM, finishes what it has, and ends.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
import uvloop
from nats.aio.client import Client

from alcor.assembly.config import Config, ServedSettings
from alcor.assembly.majority import keep_to_majority
from alcor.keyed_log.jetstream import JetStreamLog
from alcor.runtime import watchdog
from alcor.runtime.calls.nats_wire import NatsWire
from alcor.runtime.clock import Seconds, now_s
from alcor.runtime.config import ConfigError, file_of, without_login
from alcor.runtime.descriptors import take_all_descriptors
from alcor.runtime.memory import settle_memory
from alcor.runtime.observability import logs
from alcor.runtime.observability.metrics import build_info, credentials_end
from alcor.runtime.observability.otlp import traced
from alcor.runtime.signals import ends
from alcor.runtime.tasks import Tasks
from alcor.runtime.version import version
from alcor.transport import nats_credentials
from alcor.transport.nats_connection import close, connected
from alcor.transport.nats_urls import each_of, urls_of

reconnect_every_s = 0.5
connect_s_max = 60.0  # how long a starting role waits for NATS
pending_bytes_max = 64 << 20  # of what waits to be sent while NATS is away

_log = structlog.get_logger("alcor.role")

Checks = Callable[[], Awaitable[Mapping[str, bool]]]


class Region:
    """What a role holds of the region it works in."""

    def __init__(self, client: Client, clock: Seconds = now_s, replicas: int = 1) -> None:
        """`replicas`: on how many servers of a cluster each log is kept."""
        self.client = client
        self._replicas = replicas
        self.wire = NatsWire(client)
        self.tasks = Tasks()
        self.epoch = int(clock() * 1_000)

    def log(self, name: str) -> JetStreamLog:
        """A log of the region, followed from now on."""
        log = JetStreamLog(self.client, name, self.epoch, replicas=self._replicas)
        self.tasks.start(log.run(), f"log-{name}")
        return log


@asynccontextmanager
async def region(config: Config, role: str) -> AsyncIterator[Region]:
    """The region, for as long as the context lasts; `ConfigError` when NATS can't be reached."""
    async with AsyncExitStack() as stack:
        client = await _connect(config, role)
        stack.push_async_callback(close, client)
        found = Region(client, replicas=_replicas(config.served))
        stack.push_async_callback(found.tasks.stop)
        await found.wire.open()
        found.tasks.start(keep_to_majority(client), "nats-majority")
        yield found


async def _connect(config: Config, role: str) -> Client:
    said: list[str] = []

    async def tell(problem: Exception) -> None:
        why = str(problem) or repr(problem)
        if why not in said:  # while NATS is away attempts say the same
            _log.warning("nats.problem", why=why)
            said.append(why)

    async def away() -> None:
        _log.warning("nats.away")

    async def back() -> None:
        said.clear()
        _log.info("nats.back")

    served = config.served
    if not served.nats:
        raise ConfigError("served.nats is not set: write it as nats://127.0.0.1:4222")
    where = ",".join(map(without_login, each_of(served.nats)))
    try:
        urls = urls_of(served.nats)
    except ValueError as error:
        raise ConfigError(f"served.nats = {where}: {error}") from None
    _log.info("starting", role=role, nats=where)
    try:
        async with asyncio.timeout(connect_s_max):
            return await connected(
                urls,
                _credentials(served.nats_credentials),
                None,
                name=f"alcor-{role}",
                error_cb=tell,
                disconnected_cb=away,
                reconnected_cb=back,
                max_reconnect_attempts=-1,
                reconnect_time_wait=reconnect_every_s,
                pending_size=pending_bytes_max,
            )
    except TimeoutError as error:
        why = "; ".join(said) or "no answer"
        raise ConfigError(f"served.nats = {where}: NATS does not let us in: {why}") from error


def _replicas(served: ServedSettings) -> int:
    """On how many servers each log is kept."""
    of_cluster = 3 if len(urls_of(served.nats)) >= 3 else 1
    return served.nats_replicas or of_cluster


def _credentials(path: str) -> Path | None:
    """The file of credentials, if there is one; `ConfigError` when it can't be read."""
    if not path:
        return None
    file_of("served.nats_credentials", path)  # NATS' client would only say that it can't connect
    file = Path(path).expanduser()
    ends = credentials_end.labels("served.nats_credentials")
    ends.set_function(partial(nats_credentials.end_s, file))
    return file


async def until_told(failure: Callable[[], Awaitable[None]]) -> None:
    """Wait for SIGTERM, SIGINT or SIGHUP; raise what failed before that."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ends():
        loop.add_signal_handler(number, asked.set)
    stop, failed = asyncio.ensure_future(asked.wait()), asyncio.ensure_future(failure())
    try:
        done, _ = await asyncio.wait([stop, failed], return_when=asyncio.FIRST_COMPLETED)
        if failed in done:
            failed.result()
    finally:
        stop.cancel()
        failed.cancel()


def run(config: Config, role: str, main: Callable[[Config], Awaitable[None]]) -> None:
    """Run a role in a process set up for it."""
    logs.configure(config.log.form, config.log.level)
    build_info.labels(version(), role).set(1)
    take_all_descriptors()

    async def settled() -> None:
        logs.listen()
        watchdog.begin(os.environ)
        settle_memory()
        await main(config)

    with (
        traced(config.traces, f"alcor-{role}", os.environ),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(settled())
