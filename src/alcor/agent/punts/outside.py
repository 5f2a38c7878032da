"""Finds out who has which address outside: asks, hears, asks again before it forgets.

The packets that wait for an answer are held, a few for each address, and leave when it comes. Pure
but for the clock that is given: frames out, findings out. Sources: RFC 826, RFC 4861 section 7.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from alcor.agent.announcements.herald import Outgoing, Owned, uplink_actions
from alcor.agent.announcements.owned import owned_outside
from alcor.agent.desired.state import SavedNeighbour
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import hop_of
from alcor.goal_state.entries import Network
from alcor.ovs import frames
from alcor.ovs.fields import ETH_TYPE_IPV6
from alcor.ovs.openflow.flows import FlowBody, FlowKey
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address, Mac, address, eui64_link_local

held_max = 8  # packets for one address
wanted_max = 1_000  # addresses at once; beyond it the longest wanted go, those silent first
ask_again_s = 1.0
asks_max = 3  # without an answer; then the packets are dropped
refresh_s = 30.0  # an address that is known is asked again

_REQUEST, _SOLICIT, _SOURCE_LINK_LAYER = 1, 135, 1
_SOLICITED_NODE = 0xFF02 << 112 | 0x1_FF00_0000

Key = tuple[str, Address]  # network, address
Resolved = Callable[[str, Address, Mac | None], None]


class Asker(NamedTuple):
    """Whose question it is: a MAC and an address of this host's outside."""

    mac: int
    address: Address


@dataclass(slots=True)
class _Wanted:
    asker: Asker
    asked_at_s: float
    asks: int = 1
    held: list[bytes] = field(default_factory=list)
    known: Mac | None = None
    is_restored: bool = False  # from before this start: its uplink may not be there yet


class OutsideNeighbours:
    """The addresses outside that packets of this host go to."""

    def __init__(
        self,
        model: HostModel,
        clock: Callable[[], float],
        resolved: Resolved,
        metrics: Metrics,
    ) -> None:
        self._model, self._clock, self._resolved = model, clock, resolved
        self._metrics = metrics
        self._wanted: dict[Key, _Wanted] = {}

    def saved(self) -> list[SavedNeighbour]:
        """Who is known, to be remembered."""
        return [
            SavedNeighbour(network, str(who), each.known, each.asker.mac, str(each.asker.address))
            for (network, who), each in self._wanted.items()
            if each.known is not None
        ]

    def restore(self, saved: Iterable[SavedNeighbour]) -> None:
        """Go on with who was known before a restart; each is asked again soon."""
        for network_id, who, mac, asker_mac, asker_address in saved:
            asker = Asker(asker_mac, address(asker_address))
            wanted = _Wanted(asker, self._clock() - refresh_s, 0, known=Mac(mac), is_restored=True)
            self._wanted[network_id, address(who)] = wanted
            self._resolved(network_id, address(who), Mac(mac))

    def adopt(self, left_over: Iterable[tuple[FlowKey, FlowBody]]) -> None:
        """Go on with whom the switch knows and the memory did not; each is asked again soon.

        An agent that is killed has not yet saved whom it found in its last moments.
        """
        owned = owned_outside(self._model)
        for vni, who, mac in filter(None, (hop_of(*each) for each in left_over)):
            network = self._network(vni)
            asker = _asker_here(owned, network.id, who) if network is not None else None
            if network is None or asker is None or (network.id, who) in self._wanted:
                continue
            if len(self._wanted) < wanted_max:
                asked_at_s = self._clock() - refresh_s
                self._wanted[network.id, who] = _Wanted(asker, asked_at_s, 0, known=mac)
                self._resolved(network.id, who, mac)

    def want(self, packet: PacketIn) -> list[Outgoing]:
        """A packet's next hop is not known: hold it, and ask."""
        network = self._network(packet.field(p.VNI))
        if network is None:
            return []
        key = (network.id, next_hop(packet))
        wanted = self._wanted.get(key)
        if wanted is not None:
            if wanted.known is not None:  # its flow is on its way
                return self._send(network, [_towards(packet.data, wanted.known)])
            wanted.held = [*wanted.held, packet.data][-held_max:]
            return []
        asker = self._asker(network, packet.data, key[1].version)
        return [] if asker is None else self._ask(network, asker, key[1], [packet.data])

    def look_for(self, network: Network, asker: Asker, who: Address) -> list[Outgoing]:
        """Somebody of this host's wants to speak to an address outside, again and again."""
        is_asked = (network.id, who) in self._wanted
        return [] if is_asked else self._ask(network, asker, who, [])

    def _ask(
        self, network: Network, asker: Asker, who: Address, held: list[bytes]
    ) -> list[Outgoing]:
        if len(self._wanted) >= wanted_max:
            self._make_room()
        self._wanted[network.id, who] = _Wanted(asker, self._clock(), held=held)
        return self._send(network, [question(asker, who)])

    def hear(self, packet: PacketIn) -> list[Outgoing]:
        """Somebody outside says who he is; only who was asked for is believed."""
        network = self._network(packet.field(p.VNI))
        said = said_by(Packet(packet.data))
        wanted = self._wanted.get((network.id, said[0])) if network and said else None
        if network is None or said is None or wanted is None:
            return []
        address, mac = said
        held, wanted.held = wanted.held, []
        wanted.asks, wanted.asked_at_s = 0, self._clock()
        if wanted.known != mac:
            wanted.known = mac
            self._resolved(network.id, address, mac)
        return self._send(network, [_towards(frame, mac) for frame in held])

    def tick(self) -> list[Outgoing]:
        """Ask again who has not answered, and who was heard long ago; give up the silent."""
        due = [key for key, wanted in self._wanted.items() if self._is_due(key[0], wanted)]
        owned = owned_outside(self._model) if due else set()
        return [each for key in due for each in self._ask_again(owned, *key)]

    def _is_due(self, network_id: str, wanted: _Wanted) -> bool:
        network = self._model.networks.get(network_id)
        if network is None or self._model.exits.uplink_of(network) is None:
            return True  # to be forgotten
        wait_s = ask_again_s if wanted.asks else refresh_s
        return self._clock() - wanted.asked_at_s >= wait_s

    def _ask_again(self, owned: set[Owned], network_id: str, who: Address) -> list[Outgoing]:
        wanted, network = self._wanted[network_id, who], self._model.networks.get(network_id)
        has_uplink = network is not None and self._model.exits.uplink_of(network) is not None
        # Who was asked for may be another host's by now: its switch would be led here.
        asker = _asker_here(owned, network_id, who, wanted.asker) if has_uplink else None
        if network is None or asker is None:
            if not wanted.is_restored or self._clock() - wanted.asked_at_s >= 2 * refresh_s:
                self._forget((network_id, who))
            return []
        if wanted.asks >= asks_max:
            self._forget((network_id, who))
            return []
        wanted.asker, wanted.is_restored = asker, False
        wanted.asks, wanted.asked_at_s = wanted.asks + 1, self._clock()
        return self._send(network, [question(asker, who)])

    def _make_room(self) -> None:
        """Whoever is forgotten and used still is asked for again with the next packet."""
        self._metrics.limit_reached.labels("agent_neighbours_outside").inc()
        silent = (key for key, wanted in self._wanted.items() if wanted.known is None)
        self._forget(next(silent, next(iter(self._wanted))))

    def _forget(self, key: Key) -> None:
        if self._wanted.pop(key).known is not None:
            self._resolved(*key, None)

    def _network(self, vni: int) -> Network | None:
        networks = self._model.networks.values()
        return next((e for e in networks if e.vni == vni and e.physical_network), None)

    def _asker(self, network: Network, frame: bytes, version: int) -> Asker | None:
        """The MAC that the packet leaves with, and an address that goes with it."""
        mac = int.from_bytes(frame[6:12], "big")
        if version == 6:
            return Asker(mac, eui64_link_local(mac))
        outside = self._model.exits.outside
        for floating in (e for each in outside.floating.values() for e in each.values()):
            if floating.mac == mac and floating.network_id == network.id:
                return Asker(mac, floating.address)
        for gateway in (e for each in outside.gateways.values() for e in each.values()):
            if gateway.mac == mac and gateway.network_id == network.id:
                own = (each.address for each in gateway.fixed_ips if each.address.version == 4)
                return next((Asker(mac, address) for address in own), None)
        return None

    def _send(self, network: Network, out: list[bytes]) -> list[Outgoing]:
        actions = uplink_actions(self._model, network)
        return [Outgoing(frame, actions) for frame in out] if actions else []


def _asker_here(
    owned: set[Owned], network_id: str, who: Address, before: Asker | None = None
) -> Asker | None:
    """Whose question it may be: of somebody this host answers for; `before` as long as it does."""
    here = sorted(each for each in owned if each.network_id == network_id)
    if who.version == 6:
        askers = [Asker(each.mac, eui64_link_local(each.mac)) for each in here]
    else:
        askers = [Asker(each.mac, each.address) for each in here if each.address.version == 4]
    return before if before in askers else next(iter(askers), None)


def next_hop(packet: PacketIn) -> Address:
    """Whom a routed packet is to be handed to."""
    words = [packet.field(register) for register in p.NEXT_HOP]
    if packet.data[12:14] != ETH_TYPE_IPV6.to_bytes(2, "big"):
        return Address(4, words[0])
    return Address(6, words[0] << 96 | words[1] << 64 | words[2] << 32 | words[3])


def _towards(frame: bytes, mac: int) -> bytes:
    return mac.to_bytes(6, "big") + frame[6:]


def question(asker: Asker, address: Address) -> bytes:
    """Who has an address? By ARP, or by neighbour discovery."""
    if address.version == 4:
        return frames.arp(_REQUEST, sha=asker.mac, spa=asker.address.number, tpa=address.number)
    group = _SOLICITED_NODE | address.number & 0xFF_FFFF
    option = (_SOURCE_LINK_LAYER, asker.mac)
    packet = frames.neighbour(_SOLICIT, asker.address.number, group, address.number, option)
    return frames.ip_frame(0x3333_0000_0000 | group & 0xFFFF_FFFF, asker.mac, packet)


def said_by(packet: Packet) -> tuple[Address, Mac] | None:
    """Who says that he has which address; None when it is none that a machine can have."""
    if packet["arp_op"]:
        address, mac = Address(4, packet["arp_spa"]), packet["arp_sha"]
    else:
        address = Address(6, packet["nd_target"])
        mac = packet["nd_tll"] if packet.has("nd_tll") else packet["eth_src"]
    if not address.number or not mac or mac >> 40 & 1:
        return None
    return address, Mac(mac)
