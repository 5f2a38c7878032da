"""The roles of a region: gateway, managers, delivery. Each is a process, and may be killed.

`gateway`: as many as like, HTTP in, calls to the managers out. `managers`: one leads, those that
wait take over when it is gone, and one that has lost a database waits with them. `delivery`: as
many as like, each host connects to one of them; hosts go on as they are while there is none.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import structlog

from alcor.assembly.config import Config, servers
from alcor.assembly.databases import answering
from alcor.assembly.identity import check_exposure, identity
from alcor.assembly.lives import Lives
from alcor.assembly.resources import contract_of, declared
from alcor.assembly.role import Checks, Region, region, until_told
from alcor.contracts.convergence import ConvergencePeer
from alcor.contracts.port_states import PortStatePeer
from alcor.contracts.progress import ProgressPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.traces import TracePeer
from alcor.delivery.port_states import PortStates
from alcor.gateway.app import door
from alcor.gateway.http.server import HttpServer
from alcor.gateway.own.operations import About
from alcor.intent.records import MANAGERS
from alcor.resource.declaration import Resource
from alcor.runtime.calls.rpc import answers, far_peer
from alcor.runtime.clock import life_number, new_id, now_s
from alcor.runtime.config import ConfigError, endpoint, needed
from alcor.runtime.observability.exposition import exposition

_log = structlog.get_logger("alcor.role")

_API, _HEALTH = "listen", "served.health_listen"
Resources = list[tuple[Resource, ResourceManager]]


async def gateway(config: Config) -> None:
    """Answer clients, until told to stop."""
    check_exposure(config, _API, serves_hosts=False)
    async with region(config, "gateway") as found:
        resources = [
            (each, far_peer(contract_of(each), found.wire, each.name)) for each in declared()
        ]

        async def checks() -> Mapping[str, bool]:
            return {"nats": found.client.is_connected}

        async with _http(config, config.listen, resources, found, checks) as http:
            host, port = http.address
            _log.info("up", role="gateway", api=f"{host}:{port}")
            await until_told(found.tasks.failure)


async def managers(config: Config) -> None:
    """Keep the databases when no other process does, until told to stop."""
    check_exposure(config, _HEALTH, serves_hosts=False)
    place = servers(config)
    if place is None:
        raise ConfigError(
            "alcor serve managers needs served.postgres, as in postgresql://host/alcor_{manager}"
        )
    await answering(place)
    async with region(config, "managers") as found:
        lives = Lives(config, place, found)
        try:
            health = config.served.health_listen
            async with _http(config, health, [], found, lives.checks) as http:
                _log.info("waits", role="managers", health="{}:{}".format(*http.address))
                lives.start()
                found.tasks.start(lives.failure(), "managers")
                await until_told(found.tasks.failure)
        finally:
            await lives.close()


async def delivery(config: Config) -> None:
    """Plan, and serve hosts, until told to stop."""
    check_exposure(config, _HEALTH, serves_hosts=True)
    from alcor.delivery import app  # only here: it loads gRPC

    async with region(config, "delivery") as found, AsyncExitStack() as stack:
        intent, reports = found.log("intent"), found.log("reports")
        id_ = life_number()
        serving = await app.start(
            config.agents,
            epoch=id_,
            intent=intent,
            reports=reports,
            managers=MANAGERS,
            peer_of=lambda other: far_peer(ProgressPeer, found.wire, str(other)),
        )
        stack.push_async_callback(serving.stop)
        calls = answers(ConvergencePeer, serving.convergence)
        calls |= answers(ProgressPeer, serving.progress, str(id_))
        calls |= answers(TracePeer, serving.traces)
        await found.wire.serve(calls | answers(PortStatePeer, PortStates(intent, reports)))

        async def checks() -> Mapping[str, bool]:
            followed = intent.is_followed and reports.is_followed
            ready = {"nats": found.client.is_connected, "logs": followed}
            return ready | {"planned": await serving.ready()}

        async with _http(config, config.served.health_listen, [], found, checks) as http:
            stack.push_async_callback(found.wire.withdraw)
            health = "{}:{}".format(*http.address)
            _log.info("up", role="delivery", agents_port=serving.port, health=health)
            found.tasks.start(serving.failure(), "delivery")
            await until_told(found.tasks.failure)


@asynccontextmanager
async def _http(
    config: Config, listen: str, resources: Resources, found: Region, checks: Checks
) -> AsyncIterator[HttpServer]:
    """What the role answers by HTTP, for as long as the context lasts."""

    async def metrics() -> bytes:
        return exposition()

    with ExitStack() as stack:
        asks = identity(config, now_s, stack)
        hosts, ports = far_peer(ConvergencePeer, found.wire), far_peer(PortStatePeer, found.wire)
        about = About(hosts, checks, metrics, ports, far_peer(TracePeer, found.wire))
        application = door(resources, about, config.gateway, asks, new_id)
        setting = _API if resources else _HEALTH
        with needed(setting, listen):
            where = endpoint(setting, listen)
            http = HttpServer(application, *where, now_s, shared=bool(resources))
        stack.callback(http.close)
        answering = asyncio.ensure_future(http.run())
        try:
            yield http
        finally:
            http.stop()
            await answering
