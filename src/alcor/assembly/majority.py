"""Leave a NATS server that is cut off from the others of its cluster.

Such a server answers its clients, and knows nobody else: those who came to it would go on as if all
others had died. Only who has most of a cluster's servers beside it can say how JetStream is.
"""

import asyncio

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client

look_every_s = 5.0
answer_s_max = 3.0
silences = 2  # one after the other, until we leave
patience_s_max = 300.0  # of who finds no server that is better

_log = structlog.get_logger("alcor.role")


async def keep_to_majority(client: Client) -> None:
    """Go to another server whenever ours can't say how JetStream is, for ever; ever more seldom
    while none can."""
    silent, patience_s = 0, silences * look_every_s
    while True:
        await asyncio.sleep(look_every_s)
        if not client.is_connected or await _is_answered(client):
            silent, patience_s = 0, silences * look_every_s
            continue
        silent += 1
        if silent * look_every_s < patience_s or len(client.servers) < 2:
            continue
        _log.warning("nats.leaves", why="it is cut off from the others, or most of them are away")
        silent, patience_s = 0, min(2 * patience_s, patience_s_max)
        await client.force_reconnect()


async def _is_answered(client: Client) -> bool:
    try:
        await client.jetstream(timeout=answer_s_max).account_info()
    except (nats.errors.TimeoutError, nats.js.errors.ServiceUnavailableError):
        return False
    except (nats.errors.Error, nats.js.errors.Error):
        return True  # it has answered, or is away, which is another matter
    return True
