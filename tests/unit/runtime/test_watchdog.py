"""systemd hears of a process for as long as its loop turns, if it asked for that."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alcor.runtime import watchdog


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.setblocking(False)
        yield door


def heard(door: socket.socket) -> list[bytes]:
    said = []
    while True:
        try:
            said.append(door.recv(100))
        except BlockingIOError:
            return said


def test_a_loop_that_turns_is_heard_and_one_that_hangs_is_not(systemd: socket.socket) -> None:
    asked = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000"}

    async def main() -> None:
        watchdog.begin(asked | {"WATCHDOG_PID": str(os.getpid())})
        said: list[bytes] = []
        async with asyncio.timeout(30):
            while len(said) < 4:
                await asyncio.sleep(0.001)
                said += heard(systemd)
        assert set(said) == {b"WATCHDOG=1"}

        time.sleep(0.1)  # noqa: ASYNC251  (it hangs)
        assert heard(systemd) == []

    asyncio.run(main())


@pytest.mark.parametrize("asked", [{}, {"WATCHDOG_PID": "1"}])
def test_who_is_not_asked_says_nothing(systemd: socket.socket, asked: dict[str, str]) -> None:
    asked = asked and asked | {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000"}

    async def main() -> None:
        watchdog.begin(asked)
        await asyncio.sleep(0.05)
        assert heard(systemd) == []

    asyncio.run(main())
