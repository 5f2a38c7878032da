"""The conntrack zones in which local IPs of ports are translated.

Pure. A part of `HostModel`. Each port with a local IP has a zone of its own, so that a
connection to a port that had the local IP never leads to the one that has it now. After the 255th
such port, zones take numbers that sub-ports could otherwise have.
"""

from collections.abc import Callable, Mapping

from alcor.agent.model.ports.sub_ports import number_first, number_last
from alcor.goal_state.entries import Port
from alcor.values.addresses import Address
from alcor.values.rendezvous import weight

zone_first, zone_last = 0xFF00, 0xFFFE  # above those of routers
_OWN, _SPARE = range(zone_first, zone_last + 1), range(number_first, number_last + 1)


class LocalIps:
    """The ports whose local IPs are translated, and their zones."""

    def __init__(self, is_taken: Callable[[int], bool]) -> None:
        self._is_taken = is_taken  # a number that a port here has
        self._zone_by_port: dict[str, int] = {}
        self._port_by_zone: dict[int, str] = {}

    def zone_of(self, port_id: str) -> int | None:
        """Of a port whose local IPs are translated; None when this host has given out all."""
        return self._zone_by_port.get(port_id)

    def zones(self) -> Mapping[str, int]:
        """The zone of each port whose local IPs are translated."""
        return self._zone_by_port

    def is_zone(self, number: int) -> bool:
        """Whether it is the zone of a port's local IPs."""
        return number in self._port_by_zone

    def give_way(self, ofport: int) -> str:
        """An interface has come by this number: the port that has another zone now; empty: none."""
        port_id = self._port_by_zone.get(ofport, "")
        if port_id:
            self._free(port_id)
            self._take(port_id)
        return port_id

    def answered(self, port: Port) -> list[Address]:
        """The local IPs of a port that it can have here."""
        translates = port.id in self._zone_by_port
        return [each.address for each in port.local_ips if each.passthrough or translates]

    def change(self, before: Port | None, after: Port | None) -> None:
        """A port that was so is so now."""
        if after is not None and _translates(after):
            self._take(after.id)
        elif before is not None:
            self._free(before.id)

    def _free(self, port_id: str) -> None:
        if port_id in self._zone_by_port:
            del self._port_by_zone[self._zone_by_port.pop(port_id)]

    def _take(self, port_id: str) -> None:
        """A zone of its own, the same on every start unless two ports want the same one."""
        if port_id in self._zone_by_port:
            return
        wanted = weight(port_id, "")
        for zones in (_OWN, _SPARE):
            for step in range(len(zones)):
                zone = zones[(wanted + step) % len(zones)]
                if zone not in self._port_by_zone and not self._is_taken(zone):
                    self._zone_by_port[port_id], self._port_by_zone[zone] = zone, port_id
                    return


def _translates(port: Port) -> bool:
    return any(not each.passthrough for each in port.local_ips)
