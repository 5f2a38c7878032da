"""Have a region's logs made anew from the managers' databases, while it runs.

Nothing is taken from anybody: hosts keep what they hold until managers have told all there is, and
are then sent what differs. Cut short, or done twice, it does no harm.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import nats.js.errors

from alcor.assembly.config import Config
from alcor.assembly.resources import contract_of, declared
from alcor.assembly.role import Region, region
from alcor.contracts.resources import Caller, ListQuery, ListRequest
from alcor.intent.records import MANAGERS
from alcor.keyed_log.jetstream import begin_anew
from alcor.runtime.calls.rpc import far_peer
from alcor.runtime.clock import life_number
from alcor.runtime.config import ConfigError
from alcor.values.errors import Refusal

LOGS = ("reports", "intent")
look_every_s = 0.5


class LogSize(NamedTuple):
    """What a log holds: the last of every key, tombstones too."""

    log: str
    messages: int
    bytes: int


class Progress(NamedTuple):
    """How far managers are: what the new log holds, and who has not told all yet."""

    records: int
    awaited: list[str]


async def sizes(config: Config) -> list[LogSize]:
    """What the logs hold. `ConfigError` when there are none, or nobody could fill them again."""
    async with region(config, "rebuild") as found:
        await _check_managers(found)
        return [await _size(found, log) for log in LOGS]


async def rebuild(config: Config, tell: Callable[[Progress], None], wait_s: float) -> None:
    """Empty the logs, and wait until every manager has told all that it has; `tell` hears how far
    they are. `ConfigError` as of `sizes`; `TimeoutError` when they need longer: they go on."""
    async with region(config, "rebuild") as found:
        await _check_managers(found)
        for log in LOGS:
            await begin_anew(found.client, log, life_number())
        intent = found.log("intent")
        async with asyncio.timeout(wait_s):
            while awaited := intent.awaited(MANAGERS):
                tell(Progress(intent.living, awaited))
                await asyncio.sleep(look_every_s)
        tell(Progress(intent.living, []))


async def _check_managers(found: Region) -> None:
    """Who has the databases answers, or the logs would stay empty."""
    first = declared()[0]
    manager = far_peer(contract_of(first), found.wire, first.name)
    query = ListQuery(limit=1)
    try:
        await manager.list_page(ListRequest(Caller(project_id="", admin=True), query))
    except Refusal as refusal:
        message = f"no managers answer, who could tell the logs all again: {refusal}"
        raise ConfigError(message) from refusal


async def _size(found: Region, log: str) -> LogSize:
    try:
        state = (await found.client.jetstream().stream_info(f"alcor_{log}")).state
    except nats.js.errors.NotFoundError as error:
        raise ConfigError(f"NATS has no log '{log}'") from error
    return LogSize(log, state.messages, state.bytes)
