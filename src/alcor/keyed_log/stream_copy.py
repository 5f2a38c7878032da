"""Follow a JetStream stream from its beginning, by a consumer of our own.

The consumer pushes without acknowledgements, with flow control and heartbeats: silence, a gap or a
new connection ends it (`Lost`), and whoever follows begins again.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import NamedTuple

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

heartbeat_s = 1.0
silence_max_s = 4.0
inactive_s = 60.0  # after which a server forgets a consumer that nobody listens to
batch_max = 1_024  # messages handed over at once


class Lost(Exception):
    """The stream can't be followed any more from where we are."""


class Message(NamedTuple):
    """One message of the stream."""

    subject: str
    sequence: int
    data: bytes


class Batch(NamedTuple):
    """What has come, and how many messages of the stream are still to come."""

    messages: Sequence[Message]
    pending: int


async def follow(
    client: Client, jetstream: JetStreamContext, stream: str, connection: int
) -> AsyncGenerator[Batch, None]:
    """Every message that the stream holds, in order, then those that come; the first batch comes at
    once. A batch is empty when the server only says that it is there. `connection` is the client's
    count of reconnections: another one ends it. `Lost` when it ends; NATS's errors when there is no
    server."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, pending_msgs_limit=-1, pending_bytes_limit=-1)
    try:
        consumer = await jetstream.add_consumer(stream, _config(inbox))
        pending = consumer.num_pending or 0
        yield Batch([], pending)
        delivered = 0
        while True:
            messages = []
            for raw in await _ready(subscription):
                fields = raw.reply.split(".") if raw.reply else []
                if fields[:2] != ["$JS", "ACK"]:
                    await _keep_alive(client, raw)
                    continue
                delivered += 1
                if int(fields[-3]) != delivered:
                    raise Lost(f"{stream}: message {delivered} has not come")
                messages.append(Message(raw.subject, int(fields[-4]), raw.data))
                pending = int(fields[-1])
            if client.stats["reconnects"] != connection:
                raise Lost(f"{stream}: the server is another, or was away")
            yield Batch(messages, pending)
    finally:
        with suppress(nats.errors.Error):
            await subscription.unsubscribe()


def _config(inbox: str) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_subject=inbox,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.NONE,
        max_deliver=1,
        flow_control=True,
        idle_heartbeat=heartbeat_s,
        inactive_threshold=inactive_s,
        mem_storage=True,
        num_replicas=1,
    )


async def _ready(subscription: Subscription) -> list[Msg]:
    """At least one message, and what else has come; `Lost` after too long a silence."""
    try:
        messages = [await subscription.next_msg(timeout=silence_max_s)]
    except nats.errors.TimeoutError:
        raise Lost("the server is silent") from None
    while len(messages) < batch_max and subscription.pending_msgs:
        messages.append(await subscription.next_msg(timeout=silence_max_s))
    return messages


async def _keep_alive(client: Client, raw: Msg) -> None:
    """Answer a request for flow control, or a heartbeat that says that an answer was missed."""
    reply = raw.reply or (raw.headers or {}).get("Nats-Consumer-Stalled", "")
    if reply:
        await client.publish(reply)
