"""Servers of databases at the start: a process waits for them, whatever was started first."""

import asyncio

import structlog

from alcor.runtime.places import Servers

_log = structlog.get_logger("alcor.databases")


async def answering(place: Servers) -> None:
    """Wait until the databases' servers answer; what waits is said once."""
    from alcor.runtime.postgres import ask_again_s, unreachable  # only here: it loads the driver

    for url in {place.of("network"), *(url for _, url in place.url_by_manager)}:
        told = False
        while why := await asyncio.to_thread(unreachable, url):
            if not told:
                _log.warning("waits.postgres", why=why)
            told = True
            await asyncio.sleep(ask_again_s)
