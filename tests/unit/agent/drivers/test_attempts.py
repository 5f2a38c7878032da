"""A switch that answers and then refuses is asked again ever later, as one that is away is."""

import asyncio
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alcor.agent.drivers.attempts import Attempts, pause_s_max, pause_s_min
from alcor.agent.drivers.bridge import Wish
from alcor.agent.drivers.openflow import FlowDriver
from alcor.agent.drivers.ovsdb import SwitchDatabase
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.punts.responder import Responder
from alcor.ovs import channel
from alcor.ovs.connection import OpenFlow
from alcor.ovs.openflow.wire import SwitchError
from alcor.ovs.ovsdb import client
from alcor.ovs.ovsdb.client import Ovsdb
from alcor.simulation.fakes.clock import VirtualLoop

WATCHED_S = 60.0
SOCKET = Path("none")


class TooOften(Exception):
    """So often that time does not get on."""


class Switch:
    """Takes every connection, and then refuses whatever is asked or hangs up."""

    def __init__(self) -> None:
        self.connections = 0
        self.rows: dict[str, Any] = {}

    async def connect(self, *_: object) -> Any:
        self.connections += 1
        if self.connections > 10 * WATCHED_S:
            raise TooOften
        return self

    async def meters(self) -> None:
        raise channel.Refused(SwitchError(1, 2, b""))

    async def closed(self) -> str:
        return "closed by the switch"

    async def lock(self, name: str) -> bool:
        return True

    def holds(self, name: str) -> bool:
        return True

    async def monitor(self, columns: object) -> None:
        pass

    async def transact(self, operations: Iterable[object]) -> None:
        raise client.Refused("constraint violation")

    def close(self) -> None:
        pass


class Listener:
    def allow_writing(self, allowed: bool) -> None:
        assert not allowed


def watched(work: Coroutine[Any, Any, None]) -> None:
    """Run it for a while of virtual time."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(WATCHED_S):
                await work

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def test_a_switch_that_can_not_be_read_back_is_asked_once_a_second() -> None:
    switch = Switch()

    watched(
        FlowDriver(SOCKET, Metrics(), switch.connect).keep_connected(lambda: None, lambda _: None)
    )

    assert switch.connections < 1.2 * WATCHED_S


def test_a_switch_that_hangs_up_is_asked_for_packets_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switch = Switch()
    monkeypatch.setattr(OpenFlow, "connect", switch.connect)

    watched(Responder(SOCKET, HostModel(), Metrics(), 3600).run())

    assert switch.connections < 1.2 * WATCHED_S


def test_a_database_that_refuses_is_asked_once_a_second_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switch = Switch()
    monkeypatch.setattr(Ovsdb, "connect", switch.connect)
    wish = Wish("br-int", "netdev", "192.0.2.1")

    with capture_logs() as logs:
        watched(SwitchDatabase(SOCKET, wish, Listener()).run())  # type: ignore[arg-type]

    assert switch.connections < 1.2 * WATCHED_S
    errors = [each["event"] for each in logs if each["log_level"] == "error"]
    assert errors == ["switch configuration refused"]


def test_after_one_that_lasted_the_next_comes_at_once() -> None:
    async def pauses() -> list[float]:
        clock, attempts, found = asyncio.get_running_loop().time, Attempts(), list[float]()
        for lasts_s in (0.0, 0.0, pause_s_max + 1, 0.0):
            attempts.begin()
            await asyncio.sleep(lasts_s)
            before = clock()
            await attempts.pause()
            found.append(round(clock() - before, 6))
        return found

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(pauses()) == [pause_s_min, 2 * pause_s_min, pause_s_min, 2 * pause_s_min]
