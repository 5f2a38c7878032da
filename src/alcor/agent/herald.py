"""What machines and switches must hear, beside flows, so that the first packets arrive.

* An address that moved to another MAC is announced to the local machines of its network: flows
  answer all ARP, so nothing else would tell a machine that remembers the old one.
* A tunnel endpoint that is new gets one frame of no network, which its host drops: the switch
  looks for the endpoint's MAC when it first sends there, and loses that packet.

Pure: frames out. Bounded: what does not fit is left out and counted; machines and switches then
learn in their own time. Sources: RFC 5227 section 2.3, RFC 4861 section 7.2.6.
"""

from collections import OrderedDict
from typing import NamedTuple

from alcor.agent.model import HostModel
from alcor.goal_state.entries import Neighbour
from alcor.ovs import frames
from alcor.ovs.flow import Action, output, set_field
from alcor.values.addresses import Address, Mac

addresses_remembered_max = 100_000  # with whom they were last; the longest untouched is forgotten
frames_at_once_max = 1_000

_ALL_NODES, _ALL_NODES_MAC = 0xFF02 << 112 | 1, 0x3333_0000_0001
_NO_NETWORK = 0  # a VNI that no network has
_LOCAL_EXPERIMENT = 0x88B5  # ethertype (IEEE 802)
_ADVERTISEMENT, _TARGET_LINK_LAYER, _OVERRIDE = 136, 2, 0x2000_0000


class Outgoing(NamedTuple):
    """A frame, and what to do with it."""

    frame: bytes
    actions: tuple[Action, ...]


class _Moved(NamedTuple):
    neighbour: Neighbour
    address: Address


class Herald:
    """Notes neighbours as they come; says what is to be sent once their flows are there."""

    def __init__(self, frames_max: int = frames_at_once_max) -> None:
        self._frames_max = frames_max
        self._mac_by_address: OrderedDict[tuple[str, Address], Mac] = OrderedDict()
        self._moved: list[_Moved] = []
        self._endpoints: set[Address] = set()  # to which something was sent
        self._new_endpoints: set[Address] = set()
        self.left_out = 0  # frames, ever

    def note(self, neighbour: Neighbour) -> None:
        """A neighbour is new, or is not what it was."""
        for address in neighbour.addresses:
            key = (neighbour.network_id, address)
            before = self._mac_by_address.pop(key, neighbour.mac)
            self._mac_by_address[key] = neighbour.mac
            if before != neighbour.mac:
                self._moved.append(_Moved(neighbour, address))
        while len(self._mac_by_address) > addresses_remembered_max:
            self._mac_by_address.popitem(last=False)
        self._note_endpoint(neighbour.tunnel_endpoint)

    def switch_is_new(self, model: HostModel) -> None:
        """The switch was started: it has forgotten where endpoints are."""
        self._endpoints.clear()
        for neighbours in model.neighbours.values():
            for neighbour in neighbours.values():
                self._note_endpoint(neighbour.tunnel_endpoint)

    def take(self, model: HostModel) -> list[Outgoing]:
        """What is to be sent now; it is not said twice."""
        moved, self._moved = self._moved, []
        outgoing = self._wake_endpoints(model)
        for each in moved:
            outgoing += _announcements(model, each)
        self.left_out += max(0, len(outgoing) - self._frames_max)
        return outgoing[: self._frames_max]

    def _note_endpoint(self, endpoint: Address) -> None:
        if endpoint.version == 4 and endpoint not in self._endpoints:
            self._new_endpoints.add(endpoint)

    def _wake_endpoints(self, model: HostModel) -> list[Outgoing]:
        if model.tunnel is None:
            return []  # they wait for the tunnel port
        new = sorted(self._new_endpoints - {model.tunnel.endpoint})
        self._endpoints |= self._new_endpoints
        self._new_endpoints = set()
        frame = frames.ethernet(frames.BROADCAST, 0, _LOCAL_EXPERIMENT, b"")
        return [
            Outgoing(
                frame,
                (
                    set_field("tun_id", _NO_NETWORK),
                    set_field("tun_dst", endpoint.number),
                    output(model.tunnel.ofport),
                ),
            )
            for endpoint in new
        ]


def _announcements(model: HostModel, moved: _Moved) -> list[Outgoing]:
    """To every local port of the network but the address's own."""
    network_id = moved.neighbour.network_id
    frame = _announcement(moved.address, moved.neighbour.mac)
    wired = (model.wired(port_id) for port_id in model.ports_by_network.get(network_id, ()))
    return [
        Outgoing(frame, (output(each.ofport),))
        for each in wired
        if each is not None and each.port.id != moved.neighbour.port_id
    ]


def _announcement(address: Address, mac: int) -> bytes:
    number = address.number
    if address.version == 4:
        return frames.arp(1, sha=mac, spa=number, tpa=number)
    option = (_TARGET_LINK_LAYER, mac)
    packet = frames.neighbour(_ADVERTISEMENT, number, _ALL_NODES, number, option, _OVERRIDE)
    return frames.ip_frame(_ALL_NODES_MAC, mac, packet)
