"""Looks for neighbours that machines want, and for names, in networks that are held lazily.

Each neighbour is asked for once, however many packets wait for it. A few packets for each are held,
and go on from their stage once the neighbour is known and its flows are there. Questions about
names wait in the same way. That nobody has an address is remembered and followed as well: if
somebody gets it, the host hears at once. What is no longer used is forgotten. Pure but for the
clock that is given: frames out, wishes out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.outside import next_hop
from alcor.goal_state.entries import Neighbour, Network
from alcor.goal_state.slices import found_slice, looked_for
from alcor.ovs.flow import Action, Resubmit, load, set_field
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address, Prefix, eui64_link_local, mac_text

sought_max = 5_000  # neighbours of a host that machines want; beyond it the longest unused go
held_max = 8  # packets for one neighbour
held_s_max = 3.0  # they wait; a machine has asked again by then
seeks_per_s_max, seeks_burst = 20.0, 100.0  # of one port: new neighbours
negative_s = 30.0  # nobody has it: remembered for so long
tidy_s = 5.0  # between two looks for who is nobody's

_LINK_LOCAL = Prefix(6, 0xFE80 << 112, 64)
_REGISTERS = tuple(f"reg{number}" for number in range(16))
_STAGES = {p.Wants.ADDRESS: p.ARP_ND, p.Wants.MAC: p.L2_DST, p.Wants.NEXT_HOP: p.NEIGHBOUR}


class Knowledge(Protocol):
    """What is held of networks, and is wanted."""

    @property
    def sought(self) -> list[str]:
        """The `found` slices that machines want."""
        ...

    def found(self, name: str) -> list[Neighbour] | None:
        """Who was found; None while that is not known."""
        ...

    def leftovers(self) -> Mapping[str, Collection[Neighbour]]:
        """By network, neighbours from when it was held as a whole."""
        ...


class Wishes(Protocol):
    """Who makes it so."""

    def seek(self, names: Iterable[str]) -> None: ...

    def forsake(self, names: Iterable[str]) -> None: ...

    def drop_leftovers(self, network_id: str) -> None: ...


Then = Callable[[bool], None]  # is told whether what was wanted is known


class _Waiting(NamedTuple):
    names: frozenset[str]
    until_s: float
    then: Then


@dataclass(slots=True)
class _Sought:
    used_s: float  # when last
    held: list[PacketIn] = field(default_factory=list)


class _Bucket(NamedTuple):
    left: float
    at_s: float


class Seeker:
    """The neighbours that machines of this host want."""

    def __init__(
        self,
        model: HostModel,
        knowledge: Knowledge,
        wishes: Wishes,
        clock: Callable[[], float],
        metrics: Metrics,
        idle_s: float,
    ) -> None:
        """`idle_s`: a neighbour to whom nothing is sent for so long is forgotten."""
        self._model, self._knowledge, self._wishes = model, knowledge, wishes
        self._clock, self._metrics, self._idle_s = clock, metrics, idle_s
        self._sought: dict[str, _Sought] = {}
        self._open: dict[str, None] = {}  # of them, who is not known, or whose flows aren't there
        self._tidied_s = 0.0
        self._waiting: list[_Waiting] = []
        self._buckets: dict[int, _Bucket] = {}  # by port number
        self._packets: Mapping[str, int] = {}  # by port id: sent to it, when last counted
        self._leaving: set[str] = set()  # networks whose leftovers go when what is used is known

    def restore(self) -> None:
        """Go on with what was sought before a restart."""
        now_s = self._clock()
        self._sought = {name: _Sought(now_s) for name in self._knowledge.sought}

    def want(self, packet: PacketIn) -> list[Outgoing]:
        """A packet wants a neighbour that no flow knows: hold it, and look."""
        network = self._network(packet.field(p.VNI))
        what = _wanted(packet)
        if network is None or what is None:
            return self._say("ignored", [])
        name = found_slice(network.id, what)
        sought, found = self._sought.get(name), self._knowledge.found(name)
        if sought is None and found is None:
            begun = self._begin(name, packet.field(p.PORT_IN), [packet])
            return self._say("asked" if begun else "refused", [])
        if sought is not None:
            sought.used_s = self._clock()
            if found is None:
                self._open[name] = None  # it is not followed while nobody answers
            if name in self._open:
                sought.held = [*sought.held, packet][-held_max:]
                return self._say("held", [])
        return self._say("known" if found else "nobody", [_released(packet)])

    def look_for(self, names: Iterable[str], number: int, then: Then) -> None:
        """Call `then` once all of these `found` slices are known, which a port asks for, or when
        that takes too long; perhaps at once."""
        wanted = frozenset(names)
        for name in sorted(wanted):
            if name in self._sought:
                self._sought[name].used_s = self._clock()
            elif not self._begin(name, number, []):
                then(False)
                return
        if self._are_known(wanted):
            then(True)
        else:
            self._waiting.append(_Waiting(wanted, self._clock() + held_s_max, then))

    def _are_known(self, names: Iterable[str]) -> bool:
        return all(self._knowledge.found(name) is not None for name in names)

    def _call(self) -> None:
        """Tell those whose names are known."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if self._are_known(each.names):
                each.then(True)
            else:
                self._waiting.append(each)

    def settle(self) -> list[Outgoing]:
        """The flows are as what is held says: let go of packets whose neighbour is known."""
        outgoing: list[Outgoing] = []
        also: list[str] = []
        for name in list(self._open):
            found, sought = self._knowledge.found(name), self._sought[name]
            if found is None:
                continue
            del self._open[name]
            outgoing += map(_released, sought.held)
            sought.held = []
            also += self._addresses_of(name, found)
        if also:
            self._follow(also)
        self._call()
        return outgoing

    def tick(self) -> None:
        """Forget packets that have waited too long, and neighbours that are nobody's."""
        now_s = self._clock()
        for sought in map(self._sought.__getitem__, self._open):
            if sought.held and now_s - sought.used_s > held_s_max:
                sought.held = []
        late = [each for each in self._waiting if each.until_s < now_s]
        self._waiting = [each for each in self._waiting if each.until_s >= now_s]
        for each in late:
            each.then(False)
        sought_now = self._knowledge.sought
        if len(sought_now) != len(self._sought):  # a network has gone, or is held as a whole again
            for name in self._sought.keys() - set(sought_now):
                del self._sought[name]
                self._open.pop(name, None)
        if now_s - self._tidied_s >= tidy_s:
            self._tidied_s = now_s
            self._tidy(now_s)
        self._leave()

    def _tidy(self, now_s: float) -> None:
        """Forget who is nobody's; it takes a while, for there may be thousands."""
        nobody = [
            name
            for name, sought in self._sought.items()
            if now_s - sought.used_s > negative_s and not self._knowledge.found(name)
        ]
        self._forget(nobody)
        self._buckets = {n: b for n, b in self._buckets.items() if now_s - b.at_s < seeks_burst}

    def counted(self, packets: Mapping[str, int]) -> None:
        """How many packets were sent to each neighbour, ever, by port id."""
        now_s, before = self._clock(), self._packets
        self._packets = packets
        idle: list[str] = []
        for name, sought in self._sought.items():
            ports = [each.port_id for each in self._knowledge.found(name) or ()]
            if any(packets.get(each, 0) != before.get(each, 0) for each in ports):
                sought.used_s = now_s
            elif ports and now_s - sought.used_s > self._idle_s:
                idle.append(name)
        self._forget(idle)
        for network_id, left in self._knowledge.leftovers().items():
            used = [each.port_id for each in left if packets.get(each.port_id)]
            self._follow(found_slice(network_id, each) for each in used)
            self._leaving.add(network_id)
        self._leave()

    @property
    def seeks(self) -> bool:
        """Whether anything is sought."""
        return bool(self._sought)

    @property
    def waits_for_counts(self) -> bool:
        """Whether a network was held as a whole until now: what of it is used must be known."""
        return any(each not in self._leaving for each in self._knowledge.leftovers())

    def _leave(self) -> None:
        """Drop what is left of networks that were held as a whole, once what is used is known."""
        for network_id in list(self._leaving):
            if not any(_is_of(each, network_id) for each in self._open):
                self._leaving.discard(network_id)
                self._wishes.drop_leftovers(network_id)

    def _begin(self, name: str, number: int, held: list[PacketIn]) -> bool:
        if not self._may_seek(number):
            self._metrics.limit_reached.labels("seeks_per_port").inc()
            return False
        if len(self._sought) >= sought_max:
            self._metrics.limit_reached.labels("neighbours_sought").inc()
            self._forget([min(self._sought, key=lambda each: self._sought[each].used_s)])
        self._sought[name] = _Sought(self._clock(), held=held)
        self._open[name] = None
        self._wishes.seek([name])
        return True

    def _may_seek(self, number: int) -> bool:
        now_s = self._clock()
        left, at_s = self._buckets.get(number, _Bucket(seeks_burst, now_s))
        left = min(seeks_burst, left + (now_s - at_s) * seeks_per_s_max)
        self._buckets[number] = _Bucket(max(left - 1, 0), now_s)
        return left >= 1

    def _follow(self, names: Iterable[str]) -> None:
        new = [each for each in names if each not in self._sought]
        self._sought.update({each: _Sought(self._clock()) for each in new})
        self._open.update(dict.fromkeys(new))
        if new:
            self._wishes.seek(new)

    def _forget(self, names: Collection[str]) -> None:
        for name in names:
            del self._sought[name]
            self._open.pop(name, None)
        if names:
            self._wishes.forsake(names)

    def _addresses_of(self, name: str, found: Iterable[Neighbour]) -> Iterator[str]:
        """Who was found by something else is followed by address too: it may become another's."""
        asked = looked_for(name)
        if asked is not None:
            for each in found:
                if asked[1] in (each.port_id, mac_text(each.mac)):
                    yield from (found_slice(asked[0], str(own)) for own in each.addresses)

    def _network(self, vni: int) -> Network | None:
        lazy = (self._model.networks.get(each) for each in self._model.lazy)
        return next((each for each in lazy if each is not None and each.vni == vni), None)

    def _say(self, result: str, outgoing: list[Outgoing]) -> list[Outgoing]:
        self._metrics.punts.labels("seek", result).inc()
        return outgoing


def _wants(packet: PacketIn) -> p.Wants | None:
    value = (packet.field(p.FLAGS) & p.WANTS_MASK) >> 11
    return p.Wants(value) if value else None


def _wanted(packet: PacketIn) -> str | None:
    """The text of the address or MAC that a packet wants; None when it is none."""
    frame = Packet(packet.data)
    match _wants(packet):
        case p.Wants.MAC:
            return mac_text(frame["eth_dst"])
        case p.Wants.NEXT_HOP:
            return _as_known(next_hop(packet))
        case p.Wants.ADDRESS if frame["arp_op"]:
            return _as_known(Address(4, frame["arp_tpa"]))
        case p.Wants.ADDRESS:
            return _as_known(Address(6, frame["nd_target"]))
    return None


def _as_known(wanted: Address) -> str:
    """A link-local address is known by the MAC that it is made of."""
    if not _LINK_LOCAL.covers(wanted):
        return str(wanted)
    number = wanted.number
    mac = (number >> 16 & 0xFFFFFF_000000 | number & 0xFFFFFF) ^ 0x02 << 40
    return mac_text(mac) if eui64_link_local(mac) == wanted else str(wanted)


def _released(packet: PacketIn) -> Outgoing:
    """The packet again, at the stage where it was, as it was; it does not come back once more."""
    wants = _wants(packet)
    assert wants is not None, "else it was not held"
    flags = packet.field(p.FLAGS) & ~p.WANTS_MASK | p.AGAIN[0]
    as_it_was: list[Action] = [
        set_field(register, packet.field(register))
        for register in _REGISTERS
        if packet.field(register)
    ]
    # An answer goes back to where the question came from.
    came = load(p.VNI, packet.field(p.VNI)), load("in_port", packet.in_port & 0xFFFF, bits=16)
    go_on = set_field(p.FLAGS, flags), Resubmit(_STAGES[wants])
    return Outgoing(packet.data, (*came, *as_it_was, *go_on))


def _is_of(name: str, network_id: str) -> bool:
    asked = looked_for(name)
    return asked is not None and asked[0] == network_id
