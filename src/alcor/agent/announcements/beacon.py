"""Router advertisements that nobody asked for: when they change, and from time to time.

Pure: frames out, one for each router of each port. A router that has gone says so itself, or
machines would go on using it for hours, and a prefix that has gone is withdrawn. Source: RFC 4861
sections 6.2.4 and 6.2.5.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.announcements.ra import advertisements, farewells, link_of, unsolicited
from alcor.agent.model.model import HostModel, Unit, UnitKind
from alcor.agent.packets.advertisement import Advertisement
from alcor.ovs.flow import Action


class _Told(NamedTuple):
    delivery: tuple[Action, ...]
    said: tuple[Advertisement, ...]


class Beacon:
    """Remembers what each port was told; says what is to be sent once the flows are there."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._due: set[str] = set()
        self._routers_due: set[str] = set()

    def note(self, units: Iterable[Unit]) -> None:
        """What these units are made of has changed."""
        for unit in units:
            if unit.kind is UnitKind.PORT:
                self._due.add(unit.id)
            elif unit.kind is UnitKind.ROUTER:
                self._routers_due.add(unit.id)

    def take(self, model: HostModel) -> list[Outgoing]:
        """What is new, once."""
        due, self._due = self._due | self._behind_routers(model), set()
        return [each for port_id in sorted(due) for each in self._news(model, port_id)]

    def again(self) -> list[Outgoing]:
        """All that was told, for machines that have forgotten or missed it."""
        return [
            _outgoing(told.delivery, said) for told in self._told.values() for said in told.said
        ]

    def _behind_routers(self, model: HostModel) -> set[str]:
        """The ports of networks whose router has changed."""
        routers, self._routers_due = self._routers_due, set()
        interfaces = (each for router in routers for each in model.routing.interfaces_of(router))
        networks = {each.network_id for each in interfaces}
        return {port for each in networks for port in model.ports_by_network.get(each, ())}

    def _news(self, model: HostModel, port_id: str) -> Iterator[Outgoing]:
        wired = model.wired(port_id)
        before = self._told.pop(port_id, None)
        if wired is None:
            return
        told = _Told(wired.delivery, advertisements(link_of(model, wired)))
        if told.said:
            self._told[port_id] = told
        if told == before:
            return
        if before is not None and before.delivery == told.delivery:
            for said in farewells(before.said, told.said):
                yield _outgoing(told.delivery, said)
        for said in told.said:
            yield _outgoing(told.delivery, said)


def _outgoing(delivery: tuple[Action, ...], said: Advertisement) -> Outgoing:
    return Outgoing(unsolicited(said), delivery)
