"""What travels by gRPC beside what hosts and the control plane say: nothing, or a fleet pays it."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any

from tests.contract.transport.conftest import Proxy

_PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")  # RFC 9113, 3.4: what a client begins with
_HEAD, _PING, _ACK = 9, 6, 1
_keepalive_s = 10  # of silence, after which either side asks whether the other is there


class Listening(Proxy):
    """A wire on which pings are counted, either way."""

    pings = 0

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None
    ) -> None:
        is_client = writer.get_extra_info("peername")[1] == self._target
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if is_client:
                writer.write(await reader.readexactly(_PREFACE))
            while True:
                head = await reader.readexactly(_HEAD)
                self.pings += head[3] == _PING and not head[4] & _ACK
                writer.write(head + await reader.readexactly(int.from_bytes(head[:3])))
                await writer.drain()
        self.cut()


def test_nobody_pings_for_each_thing_that_is_said(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await world.control.tell(record.network(), record.node("h1"), record.port(0, "h1"))
        await world.control.begin()
        began = monotonic()
        async with (
            Listening(world.control.delivery.port) as wire,
            world.host("h1", "host/h1/", port=wire.port) as h1,
        ):
            for number in range(1, 21):
                await world.control.tell(record.port(number, "h1"))
                key = f"host/h1/port/p{number}"
                await h1.until(lambda key=key: key in h1.living())
            assert wire.pings <= 2 * ((monotonic() - began) // _keepalive_s)

    play(scenario)
