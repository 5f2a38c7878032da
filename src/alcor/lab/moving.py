"""A machine that is moved from host to host while it runs, as a hypervisor does it.

Its interface is a bridge of its own with a cable to each host, of which one is in use: addresses,
neighbours and connections stay, and for a moment it is nowhere.
"""

import fcntl
import socket
import struct

from msgspec.structs import replace

from alcor.lab import machines, namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.layout import LabHost, Layout, interface_name, machine_mtu
from alcor.lab.record import Machine, save_machine

_SIOCBRADDIF, _SIOCBRDELIF = 0x89A2, 0x89A3


class MovingMachine:
    """A machine that was just plugged in, and has no addresses yet."""

    def __init__(self, lab: Layout, machine: Machine) -> None:
        self.machine = machine
        self._lab = lab
        self._namespace = lab.machine_namespace(machine.name)
        self._cable = _cable(machine.host)
        ip_batch(
            [
                "link set eth0 down",
                f"link set eth0 name {self._cable} address 02:00:00:00:00:fe",
                f"link add eth0 address {machine.mac} mtu {machine_mtu} type bridge",
                f"link set {self._cable} master eth0 up",
            ],
            self._namespace,
        )
        with namespaces.inside(self._namespace):
            machines.settle()

    def plug(self, host: LabHost) -> None:
        """A cable to another host, that is not in use yet."""
        cable, end = _cable(host.number), interface_name(self.machine.port_id)
        ip_batch(
            [
                f"link add {end} netns {host.namespace} mtu {machine_mtu} type veth"
                f" peer name {cable} mtu {machine_mtu} netns {self._namespace}"
            ]
        )
        ip_batch([f"link set {cable} arp off addrgenmode none up"], self._namespace)
        with namespaces.inside(self._namespace):
            checksum_in_software(cable)
        machines.plug_on_host(host, [self.machine])

    def move(self, host: LabHost) -> None:
        """Leave the host where it is, and be at this one."""
        with (
            namespaces.inside(self._namespace),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door,
        ):
            for verb, cable in ((_SIOCBRDELIF, self._cable), (_SIOCBRADDIF, _cable(host.number))):
                number = socket.if_nametoindex(cable)
                fcntl.ioctl(door, verb, struct.pack("16si20x", b"eth0", number))
        self._cable = _cable(host.number)
        self.machine = replace(self.machine, host=host.number)
        save_machine(self._lab, self.machine)

    def unplug(self, host: LabHost) -> None:
        """Take away the cable to a host where it is not any more."""
        machines.unplug_on_host(host, [self.machine])
        ip_batch([f"link del {_cable(host.number)}"], self._namespace)


def _cable(host: int) -> str:
    return f"cable{host}"
