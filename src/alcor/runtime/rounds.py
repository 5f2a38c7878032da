"""Work that is done every while, for ever: what fails now is done by a later round."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from alcor.values.errors import Refusal

_log = structlog.get_logger(__name__)


async def rounds(
    work: Callable[[], Awaitable[object]], interval_s: float, *, at_once: bool = False
) -> None:
    """Call `work` every `interval_s` seconds, the first time now or after the first of them."""
    if not at_once:
        await asyncio.sleep(interval_s)
    while True:
        try:
            await work()
        except Refusal as refusal:
            _log.warning("not_settled", work=work.__qualname__, reason=refusal.message)
        await asyncio.sleep(interval_s)
