"""The zones in which local IPs of ports are translated.

Pure. A part of `model.py`'s HostModel. A zone a port, so that a connection to one that had a local
IP never leads to another that has it now.
"""

from alcor.goal_state.entries import Port
from alcor.values.addresses import Address
from alcor.values.rendezvous import weight

zone_first, zone_last = 0xFF00, 0xFFFE  # above those of routers; so many ports have local IPs


class LocalIps:
    """The ports whose local IPs are translated, and their zones."""

    def __init__(self) -> None:
        self._zone_by_port: dict[str, int] = {}
        self._port_by_zone: dict[int, str] = {}

    def zone_of(self, port_id: str) -> int | None:
        """Of a port whose local IPs are translated; None when this host has given out all."""
        return self._zone_by_port.get(port_id)

    def answered(self, port: Port) -> list[Address]:
        """The local IPs of a port that it can have here."""
        translates = port.id in self._zone_by_port
        return [each.address for each in port.local_ips if each.passthrough or translates]

    def change(self, before: Port | None, after: Port | None) -> None:
        """A port that was so is so now."""
        if after is not None and _translates(after):
            self._take(after.id)
        elif before is not None and before.id in self._zone_by_port:
            del self._port_by_zone[self._zone_by_port.pop(before.id)]

    def _take(self, port_id: str) -> None:
        """A zone of its own, the same on every start unless two ports want the same one."""
        if port_id in self._zone_by_port:
            return
        count = zone_last - zone_first + 1
        wanted = weight(port_id, "") % count
        for step in range(count):
            zone = zone_first + (wanted + step) % count
            if zone not in self._port_by_zone:
                self._zone_by_port[port_id], self._port_by_zone[zone] = zone, port_id
                return


def _translates(port: Port) -> bool:
    return any(not each.passthrough for each in port.local_ips)
