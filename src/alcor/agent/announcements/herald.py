"""What machines and switches must hear, beside flows, so that the first packets arrive.

* An address that moved to another MAC is announced to the local machines of its network: flows
  answer all ARP, so nothing else would tell a machine that remembers the old one.
* What this host begins to answer for outside is announced there, as switches learn.
* A tunnel endpoint that is new gets one frame of no network, which its host drops: the switch
  looks for the endpoint's MAC when it first sends there, and loses that packet.

An announcement is said three times, with a second between, as any one of them may be lost; not
again once it is no longer true.

Pure: frames out. Bounded: what does not fit is left out and counted; machines and switches then
learn in their own time. Sources: RFC 5227 section 2.3, RFC 4861 section 7.2.6
(MAX_NEIGHBOR_ADVERTISEMENT, RetransTimer).
"""

from collections import OrderedDict
from typing import NamedTuple

from alcor.agent.model.model import HostModel
from alcor.agent.model.ports.tags import put_on
from alcor.agent.model.service_address import SERVER_MAC
from alcor.goal_state.entries import (
    Found,
    GoalEntry,
    Neighbour,
    Network,
    Presence,
    RouterInterface,
    UplinkNode,
)
from alcor.ovs import frames
from alcor.ovs.flow import Action, output, set_field
from alcor.values.addresses import Address, Mac

addresses_remembered_max = 100_000  # with whom they were last; the longest untouched is forgotten
frames_at_once_max = 1_000
announced_times = 3
announced_again_s = 1.0

_ALL_NODES, _ALL_NODES_MAC = 0xFF02 << 112 | 1, 0x3333_0000_0001
_NO_NETWORK = 0  # a VNI that no network has
_LOCAL_EXPERIMENT = 0x88B5  # ethertype (IEEE 802)
_ADVERTISEMENT, _TARGET_LINK_LAYER, _OVERRIDE = 136, 2, 0x2000_0000


class Outgoing(NamedTuple):
    """A frame, and what to do with it."""

    frame: bytes
    actions: tuple[Action, ...]


class _Moved(NamedTuple):
    network_id: str
    port_id: str  # whose it is, who knows already
    address: Address
    mac: Mac


class Owned(NamedTuple):
    """An address outside that this host answers for."""

    network_id: str
    address: Address
    mac: Mac


class _Said(NamedTuple):
    """What was announced, and is to be said again."""

    what: "_Moved | Owned"
    times_left: int
    is_fresh: bool  # less than a whole interval ago


class Herald:
    """Notes neighbours as they come; says what is to be sent once their flows are there."""

    def __init__(self, frames_max: int = frames_at_once_max) -> None:
        self._frames_max = frames_max
        self._mac_by_address: OrderedDict[tuple[str, Address], Mac] = OrderedDict()
        self._moved: OrderedDict[tuple[str, Address], _Moved] = OrderedDict()  # not yet said
        self._endpoints: set[Address] = set()  # to which something was sent
        self._new_endpoints: set[Address] = set()
        self._outside: set[Owned] = set()  # what this host has outside, and has said so
        self._new_outside: list[Owned] = []
        self._said: list[_Said] = []
        self.left_out = 0  # frames, ever

    def note(self, entry: GoalEntry) -> None:
        """An entry is new, or is not what it was."""
        match entry:
            case Neighbour():
                for address in entry.addresses:
                    moved = _Moved(entry.network_id, entry.port_id, address, entry.mac)
                    self._note_address(moved, entry.mac)
                for endpoint in (entry.tunnel_endpoint, *entry.also):
                    self._note_endpoint(endpoint)
            case Found():
                self.note(entry.neighbour)
            case Presence():
                self._note_endpoint(entry.tunnel_endpoint)
            case RouterInterface():
                # Before there was a router DHCP's server had its address, with another MAC.
                for fixed in entry.fixed_ips:
                    moved = _Moved(entry.network_id, entry.port_id, fixed.address, entry.mac)
                    self._note_address(moved, SERVER_MAC)
            case UplinkNode():
                self._note_endpoint(entry.tunnel_endpoint)

    def _note_address(self, moved: _Moved, believed: Mac) -> None:
        """`believed`: whose an address is that nothing is remembered of."""
        key = (moved.network_id, moved.address)
        before = self._mac_by_address.pop(key, believed)
        self._mac_by_address[key] = moved.mac
        if before != moved.mac:
            self._moved[key] = moved
            self._moved.move_to_end(key)
        while len(self._moved) > self._frames_max:  # while the switch is away: they are too many
            self._moved.popitem(last=False)
            self.left_out += 1
        while len(self._mac_by_address) > addresses_remembered_max:
            self._mac_by_address.popitem(last=False)

    def note_outside(self, owned: set[Owned]) -> None:
        """What this host answers for outside now; what is new is announced there."""
        due = [each for each in self._new_outside if each in owned]
        self._new_outside = due + sorted(owned - self._outside - set(due))
        self._outside = owned

    def switch_is_new(self, model: HostModel) -> None:
        """The switch was started: it has forgotten where endpoints are."""
        self._endpoints.clear()
        for neighbours in model.neighbours.values():
            for neighbour in neighbours.values():
                for endpoint in (neighbour.tunnel_endpoint, *neighbour.also):
                    self._note_endpoint(endpoint)

    def take(self, model: HostModel) -> list[Outgoing]:
        """What is new, to be sent now."""
        moved, self._moved = self._moved, OrderedDict()
        new: list[_Moved | Owned] = [*self._new_outside, *moved.values()]
        self._new_outside = []
        outgoing = self._wake_endpoints(model)
        for each in new:
            outgoing += _announced(model, each)
        room = self._frames_max - len(self._said)
        self._said += [_Said(each, announced_times - 1, True) for each in new[:room]]
        return self._at_once(outgoing)

    def again(self, model: HostModel) -> list[Outgoing]:
        """What was announced and is so still; asked every `announced_again_s`."""
        said, self._said = self._said, []
        outgoing: list[Outgoing] = []
        for each in said:
            if not self._is_true(each.what):
                continue
            if not each.is_fresh:
                outgoing += _announced(model, each.what)
            left = each.times_left - (not each.is_fresh)
            if left:
                self._said.append(_Said(each.what, left, False))
        return self._at_once(outgoing)

    def _is_true(self, what: "_Moved | Owned") -> bool:
        if isinstance(what, Owned):
            return what in self._outside
        return self._mac_by_address.get((what.network_id, what.address)) == what.mac

    def _at_once(self, outgoing: list[Outgoing]) -> list[Outgoing]:
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


def _announced(model: HostModel, what: _Moved | Owned) -> list[Outgoing]:
    if isinstance(what, Owned):
        return _announced_outside(model, what)
    return _announcements(model, what)


def _announced_outside(model: HostModel, owned: Owned) -> list[Outgoing]:
    """By the uplink of its network: the switches there learn where it is."""
    network = model.networks.get(owned.network_id)
    actions = uplink_actions(model, network) if network is not None else ()
    return [Outgoing(announcement(owned.address, owned.mac), actions)] if actions else []


def uplink_actions(model: HostModel, network: Network) -> tuple[Action, ...]:
    """What sends a frame out by a network's uplink; nothing when there is none."""
    uplink = model.exits.uplink_of(network)
    if uplink is None:
        return ()
    return (*put_on(network.vlan), output(uplink))


def _announcements(model: HostModel, moved: _Moved) -> list[Outgoing]:
    """To every local port of the network but the address's own."""
    frame = announcement(moved.address, moved.mac)
    ports = model.ports_by_network.get(moved.network_id, ())
    wired = (model.wired(port_id) for port_id in ports)
    return [
        Outgoing(frame, each.delivery)
        for each in wired
        if each is not None and each.port.id != moved.port_id
    ]


def announcement(address: Address, mac: int) -> bytes:
    """That an address is at a MAC, to everybody."""
    number = address.number
    if address.version == 4:
        return frames.arp(1, sha=mac, spa=number, tpa=number)
    option = (_TARGET_LINK_LAYER, mac)
    packet = frames.neighbour(_ADVERTISEMENT, number, _ALL_NODES, number, option, _OVERRIDE)
    return frames.ip_frame(_ALL_NODES_MAC, mac, packet)
