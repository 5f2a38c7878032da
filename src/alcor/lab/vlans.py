"""Machines behind a machine: its interface carries their frames, told apart by VLAN tags.

What a guest does with VLAN sub-interfaces and a container in each, done by this process with raw
sockets, since not every kernel has 802.1Q devices. Each machine behind has a namespace and an
`eth0` of its own, so that whatever is done with machines can be done with these.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Mapping
from typing import Self

from alcor.lab import machines, namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.layout import Layout, machine_mtu
from alcor.lab.record import Machine, save_machine

TAG = 0x8100  # the ethertype of 802.1Q
SOL_PACKET, AUXDATA = 263, 8  # tells a socket which tags the kernel has put aside
_ETH_P_ALL, _VLAN_VALID = 3, 0x10
_outgoing = 4  # PACKET_OUTGOING: our own frames, seen on their way out
_auxdata = struct.Struct("=IIIHHHH")  # tpacket_auxdata: status ... vlan_tci, vlan_tpid
_look_s = 0.1  # how soon it is noticed that the switch is to stop


def plug_behind(lab: Layout, parent: Machine, machine: Machine, vlan: int) -> None:
    """Make a machine whose cable ends in its parent, as `cable(vlan)`."""
    save_machine(lab, machine)
    inside, outside = (lab.machine_namespace(each.name) for each in (machine, parent))
    namespaces.create([inside])
    ip_batch(
        [
            f"link add {cable(vlan)} netns {outside} mtu {machine_mtu}"
            f" type veth peer name eth0 address {machine.mac} mtu {machine_mtu} netns {inside}"
        ]
    )
    ip_batch([f"link set {cable(vlan)} arp off addrgenmode none up"], outside)
    with namespaces.inside(inside):
        machines.settle()


def cable(vlan: int) -> str:
    """The parent's end of the cable to the machine behind that tag."""
    return f"vlan{vlan}"


class VlanSwitch:
    """Carries frames between a machine's interface and the machines behind it, as a context."""

    def __init__(self, lab: Layout, parent: Machine, machine_by_vlan: Mapping[int, Machine]):
        for vlan, machine in machine_by_vlan.items():
            plug_behind(lab, parent, machine, vlan)
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        with namespaces.inside(lab.machine_namespace(parent.name)):
            self._trunk = _socket("eth0")
            self._cable_by_vlan = {vlan: _socket(cable(vlan)) for vlan in machine_by_vlan}
        self._trunk.setsockopt(SOL_PACKET, AUXDATA, 1)
        self._selector.register(self._trunk, selectors.EVENT_READ, 0)
        for vlan, end in self._cable_by_vlan.items():
            self._selector.register(end, selectors.EVENT_READ, vlan)
        self._thread = threading.Thread(target=self._run, name=f"vlans of {parent.name}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        self._thread.join()
        self._selector.close()
        for each in (self._trunk, *self._cable_by_vlan.values()):
            each.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(_look_s):
                try:
                    if key.data:
                        self._take_out(self._cable_by_vlan[key.data], key.data)
                    else:
                        self._take_in()
                except OSError:
                    continue  # a cable is gone, or a queue is full: frames are lost on wires

    def _take_out(self, end: socket.socket, vlan: int) -> None:
        """From a machine behind: with its tag."""
        frame, sender = end.recvfrom(65_535)
        if sender[2] != _outgoing:
            self._trunk.send(tagged(frame, vlan))

    def _take_in(self) -> None:
        """From the wire: what has a tag of somebody behind."""
        frame, aside, _, sender = self._trunk.recvmsg(65_535, 256)
        vlan, frame = untagged(frame, aside)
        if sender[2] != _outgoing and vlan in self._cable_by_vlan:
            self._cable_by_vlan[vlan].send(frame)


def _socket(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    made.bind((interface, _ETH_P_ALL))
    made.setblocking(False)
    return made


def tagged(frame: bytes, vlan: int) -> bytes:
    """The frame with a tag."""
    return frame[:12] + struct.pack("!HH", TAG, vlan) + frame[12:]


def untagged(frame: bytes, aside: list[tuple[int, int, bytes]]) -> tuple[int, bytes]:
    """The VLAN id of a frame, 0 for none, and the frame without it: the kernel may have put the
    tag aside already."""
    for level, kind, data in aside:
        if (level, kind) == (SOL_PACKET, AUXDATA):
            status, *_, tci, _ = _auxdata.unpack(data[: _auxdata.size])
            if status & _VLAN_VALID:
                return tci & 0xFFF, frame
    if frame[12:14] == TAG.to_bytes(2, "big"):
        return int.from_bytes(frame[14:16], "big") & 0xFFF, frame[:12] + frame[16:]
    return 0, frame
