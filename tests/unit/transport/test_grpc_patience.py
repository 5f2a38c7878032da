"""A host that has a connection gives a delivery time to let it in: all others may be coming too."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self, cast

import grpc
import pytest

from alcor.transport import wire
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Connected, Hello

connect_s = 0.02  # that a connection may take here


class Stream:
    """A connection is there at once; who is on it is let in later."""

    async def write(self, data: bytes) -> None:
        pass

    async def initial_metadata(self) -> tuple[tuple[str, str], ...]:
        await asyncio.sleep(5 * connect_s)
        return ((wire.welcome, "1"),)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    def cancel(self) -> None:
        pass


class Channel:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *problem: object) -> None:
        pass

    def stream_stream(self, *how: Any) -> Any:
        return lambda _: Stream()


def test_a_delivery_that_lets_many_in_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alcor.transport.grpc_client.connect_s_max", connect_s)

    async def main() -> object:
        link = GrpcLink(
            ["delivery"],
            Hello("h1", "", None),
            chance=lambda: 0.0,
            open_channel=lambda _: cast(grpc.aio.Channel, Channel()),
        )
        events = link.events()
        try:
            return await anext(events)
        finally:
            await events.aclose()

    assert isinstance(asyncio.run(main()), Connected)
