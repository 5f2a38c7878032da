"""Both sessions against peers that lie, stammer or fall silent."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.ovs.channel import Channel, Disconnected
from alcor.ovs.connection import OpenFlow
from alcor.ovs.openflow import wire
from alcor.ovs.ovsdb.client import Disconnected as DatabaseGone
from alcor.ovs.ovsdb.client import Ovsdb
from alcor.ovs.ovsdb.framing import JsonFrames
from alcor.ovs.ovsdb.framing import Malformed as BadJson
from alcor.ovs.ovsdb.values import as_map, as_set, map_value, set_value

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def with_peer(peer: Peer, given: Callable[[Path], Awaitable[None]]) -> None:
    """Run a peer on a socket; whatever it does, both ends are closed afterwards."""

    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await peer(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    with TemporaryDirectory() as directory:
        path = Path(directory) / "socket"
        server = await asyncio.start_unix_server(serve, path)
        async with server:
            await given(path)
            await asyncio.wait_for(ended.wait(), 5)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(16)
    writer.write(wire.hello(1))


async def next_message(reader: asyncio.StreamReader) -> wire.Message:
    _, kind, size, xid = wire.HEADER.unpack(await reader.readexactly(8))
    return wire.Message(kind, xid, await reader.readexactly(size - 8))


async def answer_barrier(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(wire.message(wire.BARRIER_REPLY, (await next_message(reader)).xid))


def test_a_switch_that_falls_silent_is_left(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await answer_barrier(reader, writer)
        await reader.read()

    async def given(path: Path) -> None:
        conn = await OpenFlow.connect(path, timeout_s=0.05)

        with pytest.raises(Disconnected, match="no answer within"):
            await conn.barrier()

        assert "no answer" in await conn.closed()
        with pytest.raises(Disconnected):
            await conn.flows()

    asyncio.run(with_peer(silent, given))


def test_a_switch_that_never_greets_is_left() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def given(path: Path) -> None:
        with pytest.raises(Disconnected, match="no greeting"):
            await OpenFlow.connect(path, timeout_s=0.05)

    asyncio.run(with_peer(mute, given))


def test_a_switch_of_another_version_is_refused() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(16)
        writer.write(struct.pack("!BBHIHH", 4, wire.ERROR, 12, 1, 0, 0))
        await reader.read()

    async def given(path: Path) -> None:
        with pytest.raises(Disconnected, match=r"OpenFlow 1\.4"):
            await OpenFlow.connect(path)

    asyncio.run(with_peer(old, given))


def test_bytes_that_make_no_sense_end_the_session_and_name_the_reason() -> None:
    async def mad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await answer_barrier(reader, writer)
        request = await next_message(reader)
        writer.write(wire.message(wire.MULTIPART_REPLY, request.xid, bytes(8) + b"\1" * 60))
        await reader.read()

    async def given(path: Path) -> None:
        conn = await OpenFlow.connect(path)
        with pytest.raises(Disconnected, match="malformed"):
            await conn.flows()

    asyncio.run(with_peer(mad, given))


def test_an_echo_is_answered_with_its_own_bytes() -> None:
    answers: list[wire.Message] = []

    async def asking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await answer_barrier(reader, writer)
        writer.write(wire.message(wire.ECHO_REQUEST, 77, b"hello"))
        answers.append(await next_message(reader))

    async def given(path: Path) -> None:
        conn = await OpenFlow.connect(path)
        await asyncio.wait_for(conn.closed(), 5)

    asyncio.run(with_peer(asking, given))
    assert answers == [wire.Message(wire.ECHO_REPLY, 77, b"hello")]


@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_no_bytes_crash_a_channel(chunks: list[bytes], greeted: bool) -> None:
    async def main() -> None:
        channel = Channel(lambda _: None, timeout_s=1)
        if greeted:
            channel.data_received(wire.hello(1))
        for chunk in chunks:
            if not channel.closed.done():
                channel.data_received(chunk)
        channel.close("done")

    asyncio.run(main())


# The database


MESSAGES = st.lists(
    st.dictionaries(
        st.text(max_size=5), st.text(alphabet='{}"\\[]x', max_size=10) | st.integers(0, 9)
    ),
    min_size=1,
    max_size=5,
)


@given(MESSAGES, st.integers(1, 40))
def test_json_messages_are_the_same_however_the_bytes_arrive(
    messages: list[dict[str, Any]], size: int
) -> None:
    stream = b"".join(msgspec.json.encode(message) for message in messages)
    frames, found = JsonFrames(), list[Any]()

    for at in range(0, len(stream), size):
        found += frames.feed(stream[at : at + size])

    assert found == messages


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_json_messages_or_malformed(chunks: list[bytes]) -> None:
    frames = JsonFrames()
    with suppress(BadJson):
        for chunk in chunks:
            frames.feed(chunk)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
METHODS = st.sampled_from(["update", "echo", "locked", "stolen", "?"])
RPC = st.fixed_dictionaries(
    {}, optional={"method": METHODS, "params": JSON, "id": JSON, "result": JSON, "error": JSON}
)


@given(st.lists(RPC, max_size=5))
def test_no_message_crashes_a_database_session(messages: list[dict[str, Any]]) -> None:
    async def main() -> None:
        session = Ovsdb(1, "Open_vSwitch")
        for message in messages:
            session.data_received(msgspec.json.encode(message))
        session.close()

    asyncio.run(main())


def test_a_database_that_falls_silent_is_left() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def given(path: Path) -> None:
        db = await Ovsdb.connect(path, timeout_s=0.05)
        with pytest.raises(DatabaseGone, match="no answer to transact"):
            await db.transact([])

    asyncio.run(with_peer(silent, given))


def test_the_database_s_echo_is_answered() -> None:
    answers: list[bytes] = []

    async def asking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"method":"echo","params":[5],"id":"echo"}')
        answers.append(await reader.readuntil(b"}"))

    async def given(path: Path) -> None:
        db = await Ovsdb.connect(path)
        await asyncio.wait_for(db.closed(), 5)

    asyncio.run(with_peer(asking, given))
    assert msgspec.json.decode(answers[0]) == {"result": [5], "error": None, "id": "echo"}


def test_values_of_a_column_are_read_whatever_their_number() -> None:
    uuid = ["uuid", "u"]
    assert as_set(5) == (5,)
    assert as_set(["set", []]) == ()
    assert as_set(["set", [uuid, uuid]]) == ("u", "u")
    assert as_set(uuid) == ("u",)
    assert as_set(set_value((1, 2))) == (1, 2)
    assert as_map(map_value({"a": "b"})) == {"a": "b"}
    assert as_map(["map", [["a", uuid]]]) == {"a": "u"}
