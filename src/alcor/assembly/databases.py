"""Servers of databases: a process waits for them at its start, and may lose them later."""

import asyncio

import structlog

from alcor.runtime.config import ConfigError, without_login
from alcor.runtime.sql.database import Deposed
from alcor.runtime.sql.places import Servers
from alcor.values.errors import Kind, Refusal

_log = structlog.get_logger("alcor.databases")


async def answering(place: Servers) -> None:
    """Wait until the databases' servers answer; what waits is said once. `ConfigError` when they
    never will, whatever one waits for."""
    from alcor.runtime.sql.postgres import (  # only here: it loads the driver
        ask_again_s,
        unreachable,
    )

    for url in {place.of("network"), *(url for _, url in place.url_by_manager)}:
        told = False
        try:
            while why := await asyncio.to_thread(unreachable, url):
                if not told:
                    _log.warning("waits.postgres", server=without_login(url), why=why)
                told = True
                await asyncio.sleep(ask_again_s)
        except ValueError as error:
            raise ConfigError(f"served.postgres = {without_login(url)}: {error}") from None


def is_loss(error: BaseException | None) -> bool:
    """Whether it says only that a database is led no more, or does not answer."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_loss, error.exceptions))
    return isinstance(error, Deposed) or (
        isinstance(error, Refusal) and error.kind is Kind.UNAVAILABLE
    )
