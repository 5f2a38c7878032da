"""Finds out which of several ports has an address that all of them may have.

A question goes to all machines that may have the address, here and on other hosts; the machine that
has it answers. When a machine announces an address of its pairs it is believed: every other host of
the network is told, and the machines there hear it, so that none goes on sending to the one that
had the address before. Its host asks it again from time to time, and tells the others that it has
it still; who says nothing is forgotten. All this works without the control plane. Pure: frames out,
findings out. Sources: RFC 826, RFC 5227 section 2.3, RFC 4861 section 7.2.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from alcor.agent.announcements.herald import Outgoing, announcement
from alcor.agent.desired.state import SavedHolder
from alcor.agent.model.model import HostModel
from alcor.agent.model.networks.shared_addresses import Holder
from alcor.agent.model.service_address import SERVER_ADDRESS, SERVER_ADDRESS6, SERVER_MAC
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.outside import Asker, next_hop, question, said_by
from alcor.goal_state.entries import Gateway, Neighbour, Network, RouterInterface
from alcor.ovs import frames
from alcor.ovs.flow import output, set_field
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address, Mac, address, eui64_link_local

frames_at_once_max = 1_000  # for one packet: beyond, others find out in their own time

asks_max = 3  # one a second; any one of them may be lost
asks_of_port_max = 10  # in a second: fewer than the port's meter lets answers pass
# Since somebody said that he has an address: his host asks him then; others forget him then.
asked_after_s, forgotten_after_s = 100, 300

_REQUEST, _REPLY, _SOLICIT = 1, 2, 135
# Who asks after a restart: an ARP probe is nobody's (RFC 5227 section 2.1.1), and changes no table.
_NOBODY4 = Asker(SERVER_MAC, Address(4, 0))
_NOBODY6 = Asker(SERVER_MAC, eui64_link_local(SERVER_MAC))
Key = tuple[str, Address]  # network and address
Heard = Callable[[str, Address, Holder | None], None]  # None: nobody has it, as far as is known


class _Own(NamedTuple):
    has: Address
    mac: Mac


class _Silence:
    """How long nothing was heard about an address, and how often its port was asked since."""

    __slots__ = ("asks", "since_s")

    def __init__(self, since_s: int) -> None:
        self.since_s, self.asks = since_s, 0


class SharedNeighbours:
    """Brings questions to who may answer, and hears who does."""

    def __init__(self, model: HostModel, heard: Heard) -> None:
        self._model, self._heard = model, heard
        self._doubted: dict[Key, int] = {}  # since a restart; asks that are left
        self._silences: dict[Key, _Silence] = {}  # the longest first
        self._now_s = 0  # since the start: `ask_again` counts

    def saved(self) -> list[SavedHolder]:
        """Who has what, to be remembered."""
        return [
            SavedHolder(network_id, str(what), holder.port_id, holder.mac)
            for network_id, what, holder in self._model.shared.held()
        ]

    def restore(self, saved: Iterable[SavedHolder]) -> None:
        """Go on with who had what before a restart; it may have moved while nobody listened."""
        for network_id, what, port_id, mac in saved:
            network = self._model.networks.get(network_id)
            speaker = self._model.neighbours.get(network_id, {}).get(port_id)
            has, holder = address(what), Holder(port_id, Mac(mac))
            if network and speaker and self._is_claimable(network, speaker, has, holder.mac):
                self._believe(network_id, has, holder)
                self._doubted[network_id, has] = asks_max

    def ask_again(self) -> list[Outgoing]:
        """Ask who has what since a restart, or who has long said nothing; called every second."""
        self._now_s += 1
        outgoing = self._ask_silent()
        for (network_id, what), left in list(self._doubted.items()):
            network = self._model.networks.get(network_id)
            if network is not None:
                asker = _NOBODY4 if what.version == 4 else _NOBODY6
                outgoing += self._bring(network, question(asker, what), what, sent_here=True)
            self._doubted[network_id, what] = left - 1
            if left == 1:
                del self._doubted[network_id, what]
        return outgoing[:frames_at_once_max]

    def _ask_silent(self) -> list[Outgoing]:
        """Ask ports here of which nothing was heard for long, and at last everybody; who says
        nothing is forgotten, and so is who isn't here and of whom his host says nothing more."""
        outgoing: list[Outgoing] = []
        asked: Counter[str] = Counter()
        for key, silence in list(self._silences.items()):
            silent_s = self._now_s - silence.since_s
            if silent_s < asked_after_s:
                break
            network, found = self._model.networks.get(key[0]), self._model.shared.holder(*key)
            here = self._model.wired(found[0].port_id) if found else None
            is_over = silent_s >= forgotten_after_s or silence.asks == asks_max
            if network is None or found is None or is_over:
                del self._silences[key]
                self._heard(*key, None)
            elif here is not None and asked[here.port.id] < asks_of_port_max:
                asked[here.port.id] += 1
                silence.asks += 1
                frame = question(_NOBODY4 if key[1].version == 4 else _NOBODY6, key[1])
                if silence.asks == asks_max:
                    outgoing += self._bring(network, frame, key[1], sent_here=True)
                else:
                    outgoing.append(Outgoing(frame, here.delivery))
        return outgoing

    def _believe(self, network_id: str, address: Address, holder: Holder) -> None:
        """Who has a pair of just this address is believed for as long as nobody else says so."""
        self._heard(network_id, address, holder)
        self._silences.pop((network_id, address), None)
        if not self._model.shared.has_pair(network_id, address, holder):
            self._silences[network_id, address] = _Silence(self._now_s)

    def take(self, packet: PacketIn) -> list[Outgoing]:
        """A question or an answer; what is to be sent because of it."""
        networks = self._model.networks.values()
        vni = packet.field(p.VNI)
        network = next((each for each in networks if each.vni == vni), None)
        if network is None:
            return []
        if packet.table == p.NEIGHBOUR:
            outgoing = self._ask(network, packet)
        else:
            outgoing = self._listen(network, packet)
        return list(outgoing)[:frames_at_once_max]

    def _ask(self, network: Network, packet: PacketIn) -> Iterable[Outgoing]:
        """A router leads to an address: it asks for it, as a machine would."""
        wanted = next_hop(packet)
        asker = self._router_at(network, int.from_bytes(packet.data[6:12], "big"), wanted.version)
        if asker is None:
            return []
        return self._bring(network, question(asker, wanted), wanted, sent_here=True)

    def _listen(self, network: Network, packet: PacketIn) -> Iterable[Outgoing]:
        frame = Packet(packet.data)
        if packet.field(p.FLAGS) & p.FROM_UPLINK[1]:
            self._lose(network, frame)
            return []
        sent_here = not packet.field(p.FLAGS) & p.FROM_TUNNEL[1]
        asked = _asked(frame)
        if asked is not None:
            outgoing = self._bring(network, packet.data, asked, sent_here=sent_here)
            asker = _asker(frame) if network.physical_network else None
            if asker is None:
                return outgoing
            # Whoever outside answers it must get through to it.
            return chain(outgoing, self._hear(network, packet, *asker, sent_here=sent_here))
        said = said_by(frame)
        return [] if said is None else self._hear(network, packet, *said, sent_here=sent_here)

    def _bring(
        self, network: Network, frame: bytes, wanted: Address, *, sent_here: bool
    ) -> Iterator[Outgoing]:
        """A question, to the machines that may have the address."""
        candidates = self._model.shared.asked(network.id, wanted)
        sender = Mac(int.from_bytes(frame[6:12], "big"))
        yield from self._to_ports(frame, (c.port_id for c in candidates if c.mac != sender))
        if sent_here:
            yield from self._to_hosts(
                network, frame, {c.tunnel_endpoint.number for c in candidates}
            )

    def _hear(
        self, network: Network, packet: PacketIn, address: Address, mac: Mac, *, sent_here: bool
    ) -> Iterator[Outgoing]:
        """Somebody says that he has the address; nobody is believed who may not have it."""
        speaker = self._speaker(network, packet, address, mac)
        if speaker is None:
            return
        found, holder = self._model.shared.holder(network.id, address), Holder(speaker.port_id, mac)
        self._believe(network.id, address, holder)
        self._doubted.pop((network.id, address), None)
        if network.physical_network and not self._model.shared.has_pair(
            network.id, address, holder
        ):
            if sent_here:
                was_off_wire = found is not None and not self._is_on_wire(network, found[0])
                yield from self._to_hosts(
                    network,
                    _said(address, mac),
                    self._who_finds_not(network, speaker, was_off_wire=was_off_wire),
                )
            return
        frame = announcement(address, mac)
        if found is None or found[1] != holder:  # else the machines here know it
            ports = set(self._model.ports_by_network.get(network.id, ())) - {speaker.port_id}
            yield from self._to_ports(frame, sorted(ports))
        if sent_here:
            yield from self._to_hosts(network, frame, self._model.reach.endpoints(network.id))

    def _who_finds_not(
        self, network: Network, speaker: Neighbour, *, was_off_wire: bool
    ) -> Iterator[int]:
        """The endpoints of hosts of a physical network that must be told where a MAC is. What it
        said has gone to all, and who is on the wire finds it there, if it is there, and was."""
        is_told = was_off_wire or not self._is_on_wire(network, speaker)
        for endpoint in self._model.reach.endpoints(network.id):
            if is_told or not self._has_uplink(network, Address(4, endpoint)):
                yield endpoint

    def _is_on_wire(self, network: Network, speaker: Neighbour) -> bool:
        if speaker.tunnel_endpoint == self._model.own_endpoint:
            return self._model.exits.uplink_of(network) is not None
        return self._has_uplink(network, speaker.tunnel_endpoint)

    def _has_uplink(self, network: Network, endpoint: Address) -> bool:
        return self._model.exits.outside.has_uplink(network.physical_network, endpoint)

    def _lose(self, network: Network, frame: Packet) -> None:
        """Outside somebody has what a machine here had: its MAC, or its address at another."""
        source, said = frame["eth_src"], said_by(frame)
        for network_id, had, holder in list(self._model.shared.held()):
            has_moved = said is not None and said[0] == had and said[1] != holder.mac
            if network_id != network.id or not (has_moved or holder.mac == source):
                continue
            if not self._model.shared.has_pair(network_id, had, holder):
                self._silences.pop((network_id, had), None)
                self._heard(network_id, had, None)

    def _speaker(
        self, network: Network, packet: PacketIn, address: Address, mac: Mac
    ) -> Neighbour | None:
        """The port that a frame is from: of this host by its number, of another by that host."""
        number, remote = packet.field(p.PORT_IN), packet.field("tun_src")
        here = self._model.port_at(number) if number else ""
        candidates = self._model.shared.candidates(network.id, address)
        for each in sorted(candidates, key=lambda candidate: candidate.mac != mac):
            is_it = each.port_id == here if number else each.tunnel_endpoint.number == remote
            if is_it and self._model.shared.may_hold(each, address, mac):
                return each if self._is_claimable(network, each, address, mac) else None
        return None

    def _is_claimable(
        self, network: Network, speaker: Neighbour, address: Address, mac: Mac
    ) -> bool:
        """Who may have every address may not have what is another's, a router's or the host's."""
        if any(pair.prefix.number == address.number for pair in speaker.pairs):
            return True
        if address in (SERVER_ADDRESS, SERVER_ADDRESS6, eui64_link_local(speaker.mac)):
            return False
        of_routers = self._of_routers(network)
        if mac == SERVER_MAC or any(mac == each.mac or address == each.has for each in of_routers):
            return False
        return self._model.shared.is_free(network.id, speaker.port_id, address, mac)

    def _of_routers(self, network: Network) -> Iterator[_Own]:
        """What routers have in a network, inside or outside, as far as this host knows."""
        routing, outside = self._model.routing, self._model.exits.outside
        meetings: list[RouterInterface | Gateway] = [
            interface
            for router_id in routing.routers_on(network.id)
            for interface in routing.interfaces_of(router_id)
        ]
        meetings += (each for held in outside.gateways.values() for each in held.values())
        for meeting in meetings:
            if meeting.network_id == network.id:
                yield from (_Own(fixed.address, meeting.mac) for fixed in meeting.fixed_ips)
        for floating in (each for held in outside.floating.values() for each in held.values()):
            if floating.network_id == network.id:
                yield _Own(floating.address, floating.mac)

    def _router_at(self, network: Network, mac: int, version: int) -> Asker | None:
        """The router that has this MAC in the network, by an address that goes with it."""
        if version == 6:
            return Asker(mac, eui64_link_local(mac))
        for router_id in self._model.routing.routers_on(network.id):
            for interface in self._model.routing.interfaces_of(router_id):
                if (interface.network_id, interface.mac) == (network.id, mac):
                    own = (each.address for each in interface.fixed_ips)
                    return next((Asker(mac, each) for each in own if each.version == 4), None)
        return None

    def _to_ports(self, frame: bytes, port_ids: Iterable[str]) -> Iterator[Outgoing]:
        for wired in map(self._model.wired, port_ids):
            if wired is not None:
                yield Outgoing(frame, wired.delivery)

    def _to_hosts(
        self, network: Network, frame: bytes, endpoints: Iterable[int]
    ) -> Iterator[Outgoing]:
        tunnel = self._model.tunnel
        if tunnel is None:
            return
        for endpoint in sorted(set(endpoints) - {tunnel.endpoint.number}):
            to_host = (set_field("tun_id", network.vni), set_field("tun_dst", endpoint))
            yield Outgoing(frame, (*to_host, output(tunnel.ofport)))


def _said(has: Address, mac: Mac) -> bytes:
    """To everybody, that an address is at a MAC: as an answer, which is no question to anybody."""
    if has.version == 6:
        return announcement(has, mac)
    return frames.arp(_REPLY, sha=mac, spa=has.number, tpa=has.number)


def _asker(frame: Packet) -> tuple[Address, Mac] | None:
    """Who asks, if he says so: his address and MAC; None where he has no address yet."""
    if frame["arp_op"]:
        return said_by(frame)
    asks_as, mac = Address(6, frame["ipv6_src"]), frame["nd_sll"] if frame.has("nd_sll") else 0
    return (asks_as, Mac(mac)) if asks_as.number and mac and not mac >> 40 & 1 else None


def _asked(frame: Packet) -> Address | None:
    """The address that is asked for; None when it is said who has one."""
    if frame["arp_op"] == _REQUEST:
        is_announced = frame["arp_spa"] == frame["arp_tpa"]
        return None if is_announced else Address(4, frame["arp_tpa"])
    return Address(6, frame["nd_target"]) if frame["icmpv6_type"] == _SOLICIT else None
