"""The Open vSwitch of a simulated host: flows, meters and interfaces, for as long as it lives.

The agent's driver speaks to it by `SwitchSession`, which does what `ovs.connection.OpenFlow` does
without the bytes: a bundle is carried out whole and in order, or refused whole, and what was sent
on a connection that is lost may or may not have been done.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

from alcor.agent.model.model import Interface
from alcor.ovs.channel import Disconnected
from alcor.ovs.connection import OpenFlow, Prepared, Sent
from alcor.ovs.openflow.flows import Bundle, FlowBody, FlowCounts, FlowKey
from alcor.ovs.openflow.meters import Meter
from alcor.simulation.fakes.journal import Journal

answer_s = 0.002  # on average, of a switch that is not busy

Installed = dict[FlowKey, FlowBody]


class _Batch(NamedTuple):
    puts: tuple[tuple[FlowKey, FlowBody], ...]
    takes: tuple[FlowKey, ...]


class Switch:
    """One host's switch."""

    def __init__(self, host: str, chance: Random, journal: Journal) -> None:
        self.host = host
        self.flows: Installed = {}
        self.meters: dict[int, Meter] = {}
        self.interfaces: dict[str, Interface] = {}  # by port
        self.is_up = True
        self.changed: Callable[[], object] = lambda: None  # told when interfaces have changed
        self._chance, self._journal = chance, journal
        self._sessions: list[SwitchSession] = []
        self._last_ofport = 10

    def plug(self, port_id: str) -> None:
        """A machine's interface is there."""
        if port_id not in self.interfaces:
            self._last_ofport += 1
            self.interfaces[port_id] = Interface(self._last_ofport, True)
            self.changed()

    def unplug(self, port_id: str) -> None:
        """It is there no more."""
        if self.interfaces.pop(port_id, None) is not None:
            self.changed()

    async def connect(self, _socket: Path) -> OpenFlow:
        """A session; `OSError` when the switch is not there."""
        await asyncio.sleep(self.delay_s())
        if not self.is_up:
            raise ConnectionRefusedError(f"no switch on {self.host}")
        session = SwitchSession(self)
        self._sessions.append(session)
        return session

    def stop(self) -> None:
        """It ends, and with it all flows."""
        self.is_up = False
        self.flows.clear()
        self.meters.clear()
        self.disconnect()

    def start(self) -> None:
        """It is there again, empty."""
        self.is_up = True

    def disconnect(self) -> None:
        """Every session ends."""
        while self._sessions:
            self._sessions.pop().lose("the switch hung up")

    def meddle(self) -> None:
        """Somebody else takes away some flows, and changes others."""
        some = [key for key in self.flows if self._chance.random() < 0.2]
        for key in some:
            del self.flows[key]
        self._journal.note("switch.meddled", host=self.host, flows=len(some))

    def delay_s(self) -> float:
        return self._chance.expovariate(1 / answer_s)

    def carry_out(self, batch: _Batch) -> None:
        """One bundle."""
        for key, body in batch.puts:
            self.flows[key] = body
        for key in batch.takes:
            self.flows.pop(key, None)
        self._journal.note(
            "switch.bundle", host=self.host, puts=len(batch.puts), takes=len(batch.takes)
        )


class SwitchSession(OpenFlow):
    """A driver's session, as `OpenFlow` is to a real switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._prepared: dict[int, _Batch] = {}
        self._number = 0

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        if not self._lost.done():
            self._lost.set_result(reason)

    def close(self) -> None:
        self.lose("closed by us")

    async def closed(self) -> str:
        return await asyncio.shield(self._lost)

    async def barrier(self) -> None:
        await self._answer()

    async def flows(self, cookie: int = 0, mask: int = 0, table: int = 0xFF) -> Installed:
        await self._answer()
        return dict(self._switch.flows)

    async def counts(self, table: int = 0xFF) -> dict[FlowKey, FlowCounts]:
        await self._answer()
        return {key: FlowCounts(0, 0) for key in self._switch.flows}

    async def meters(self) -> dict[int, Meter]:
        await self._answer()
        return dict(self._switch.meters)

    async def set_meters(self, wanted: Mapping[int, Meter]) -> None:
        await self._answer()
        self._switch.meters.update(wanted)

    async def del_meter(self, meter_id: int) -> None:
        await self._answer()
        self._switch.meters.pop(meter_id, None)

    async def flush_zones(self, zones: Iterable[int]) -> None:
        if list(zones):
            await self._answer()

    def prepare(
        self,
        adds: Iterable[tuple[FlowKey, FlowBody]] = (),
        deletes: Iterable[FlowKey] = (),
    ) -> Prepared:
        self._number += 1
        batch = self._prepared[self._number] = _Batch(tuple(adds), tuple(deletes))
        return Prepared(Bundle(self._number), 0, [key for key, _ in batch.puts], [])

    def send(self, prepared: Prepared) -> Sent:
        nothing: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        return Sent(prepared.bundle, 0, prepared.keys, nothing, nothing)

    async def commit(self, sent: Sent) -> None:
        batch = self._prepared.pop(sent.bundle.number)
        await self._answer()
        self._switch.carry_out(batch)
        await self._answer()

    async def _answer(self) -> None:
        """The switch takes its time; `Disconnected` when it is gone meanwhile."""
        if not self._lost.done():
            await asyncio.wait([self._lost], timeout=self._switch.delay_s())
        if self._lost.done():
            raise Disconnected(self._lost.result())
