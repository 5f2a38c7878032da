"""What goes wrong in a simulated region, when, and for how long: all by chance, from the seed.

Each seed has a mood: only some kinds of faults happen in it, so that they are not drowned in the
others (swarm testing: Groce et al., ISSTA 2012).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Protocol

from alcor.simulation.fakes.broker import Broker
from alcor.simulation.fakes.calls import Exchange
from alcor.simulation.fakes.clock import Process
from alcor.simulation.fakes.disks import Disks
from alcor.simulation.fakes.journal import Journal
from alcor.simulation.fakes.weather import Weather
from alcor.simulation.host import Host
from alcor.simulation.roles import Role

pause_s = 1.5  # between two faults, on average
mood_share = 0.5  # of the kinds of faults that happen under one seed

Mend = Callable[[], object]


class Stage(Protocol):
    """What faults happen to."""

    managers: Role
    deliveries: Sequence[Role]
    hosts: Sequence[Host]
    broker: Broker
    exchange: Exchange
    weather: Weather
    disks: Disks
    journal: Journal

    def processes(self) -> Iterator[Process]:
        """Those that live."""
        ...


class Faults:
    """The misfortunes of one world."""

    def __init__(self, world: Stage, chance: Random) -> None:
        self._world, self._chance = world, chance
        kinds = (
            self._kill_managers,
            self._kill_delivery,
            self._kill_agent,
            self._kill_switch,
            self._meddle,
            self._stop_nats,
            self._cut_power,
            self._part,
            self._disconnect,
            self._fill_disk,
            self._lose_answers,
            self._fill_host,
            self._depose,
        )
        self._kinds = [kind for kind in kinds if chance.random() < mood_share]
        self._mends: dict[int, Mend] = {}
        self._happened = 0

    async def run(self) -> None:
        """Let things happen, for ever."""
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / pause_s))
            if self._kinds:
                self._chance.choice(self._kinds)()

    def end(self) -> None:
        """All is well again."""
        self._kinds = []
        for number in list(self._mends):
            self._mend(number)
        self._world.weather.clear()

    def _for(self, seconds: float, mend: Mend) -> None:
        self._happened += 1
        number = self._happened
        self._mends[number] = mend
        asyncio.get_running_loop().call_later(seconds, self._mend, number)

    def _mend(self, number: int) -> None:
        mend = self._mends.pop(number, None)
        if mend is not None:
            mend()

    def _note(self, fault: str, **about: object) -> None:
        self._world.journal.note("fault", what=fault, **about)

    def _soon(self) -> float:
        return self._chance.uniform(0.05, 2.0)

    # The kinds

    def _kill_managers(self) -> None:
        self._note("managers killed")
        self._world.managers.kill()
        self._for(self._soon(), self._world.managers.start)

    def _kill_delivery(self) -> None:
        delivery = self._chance.choice(self._world.deliveries)
        self._note("delivery killed", name=delivery.name)
        delivery.kill()
        self._for(self._soon(), delivery.start)

    def _kill_agent(self) -> None:
        host = self._chance.choice(self._world.hosts)
        if host.process is not None:
            self._note("agent killed", host=host.name)
            host.kill()
            self._for(self._soon(), host.start)

    def _kill_switch(self) -> None:
        host = self._chance.choice(self._world.hosts)
        if host.switch.is_up:
            self._note("switch killed", host=host.name)
            host.switch.stop()
            self._for(self._soon(), host.switch.start)

    def _meddle(self) -> None:
        self._chance.choice(self._world.hosts).switch.meddle()

    def _stop_nats(self) -> None:
        self._stop_broker(power_cut=False)

    def _cut_power(self) -> None:
        self._stop_broker(power_cut=True)

    def _stop_broker(self, *, power_cut: bool) -> None:
        broker = self._world.broker
        if broker.is_up:
            broker.stop(power_cut=power_cut)
            self._for(self._soon(), broker.start)

    def _part(self) -> None:
        """Somebody is cut off for a while; connections survive if it is not long."""
        world = self._world
        names = ["nats", *(process.name for process in world.processes())]
        name, seconds = self._chance.choice(names), self._chance.choice((0.3, 2.0, 8.0))
        self._note("partition", name=name, seconds=seconds)
        world.weather.part(name, seconds)
        if seconds > 1 and self._chance.random() < 0.7:
            self._cut(name)

    def _disconnect(self) -> None:
        name = self._chance.choice([process.name for process in self._world.processes()])
        self._note("disconnected", name=name)
        self._cut(name)

    def _cut(self, name: str) -> None:
        for process in self._world.processes():
            if process.name == name:
                self._world.broker.cut_process(process)
                self._world.exchange.cut_process(process)

    def _fill_disk(self) -> None:
        self._note("disk full now and then")
        disks = self._world.disks
        disks.full_share = self._chance.choice((0.1, 0.5, 1.0))
        self._for(self._soon(), lambda: setattr(disks, "full_share", 0.0))

    def _lose_answers(self) -> None:
        self._note("answers of databases are lost")
        disks = self._world.disks
        disks.lost_share = self._chance.choice((0.05, 0.3))
        self._for(self._soon(), lambda: setattr(disks, "lost_share", 0.0))

    def _depose(self) -> None:
        """A database forgets who leads it, as when the leader's connection is lost."""
        manager, disk = self._chance.choice(list(self._world.disks.by_manager.items()))
        self._note("deposed", manager=manager)
        disk.leader = None

    def _fill_host(self) -> None:
        disk = self._chance.choice(self._world.hosts).disk
        self._note("a host's disk is full")
        disk.is_full = True
        self._for(self._soon() * 3, lambda: setattr(disk, "is_full", False))
