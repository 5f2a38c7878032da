"""Tell another service what is new, for ever: together what comes together, again what failed."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from alcor.integrations.pace import Pace
from alcor.values.errors import Unavailable

retry_first_s = 0.2

_log = structlog.get_logger(__name__)


async def tell(
    news: asyncio.Event,
    some: Callable[[], Awaitable[bool]],
    down: type[Exception],
    pace: Pace,
    failed: str,
) -> None:
    """Do `some` while it says that there was anything, whenever there is news.

    When the service is `down`, or the database where it is noted what it was told, the log says
    that it `failed`, and it is done again, after pauses that double up to `retry_s_max`.
    """
    pause = retry_first_s
    while True:
        await news.wait()
        await asyncio.sleep(pace.interval_s)  # others may come together with it
        news.clear()
        try:
            while await some():
                pause = retry_first_s
        except (down, Unavailable) as why:
            _log.warning(failed, reason=str(why), again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, pace.retry_s_max)
            news.set()
