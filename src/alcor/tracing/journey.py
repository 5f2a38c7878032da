"""A packet under way: what it is now, where it is, and what was decided so far."""

from dataclasses import dataclass, field

from alcor.intent.records import (
    FloatingIpRecord,
    NetworkRecord,
    PortForwardingRecord,
    PortRecord,
    RouterRecord,
)
from alcor.tracing.packet import Packet
from alcor.tracing.path import About, Stage, Step, Trace, Verdict
from alcor.tracing.region import Region
from alcor.values.addresses import Address

_KINDS: dict[type, str] = {
    PortRecord: "port",
    NetworkRecord: "network",
    RouterRecord: "router",
    FloatingIpRecord: "floatingip",
    PortForwardingRecord: "port_forwarding",
}

Owned = PortRecord | NetworkRecord | RouterRecord | FloatingIpRecord


class Ended(Exception):
    """The packet goes no further."""


@dataclass
class Journey:
    """One packet, from the port that sends it to its end."""

    region: Region
    sender: PortRecord
    packet: Packet
    choice: int = 0  # which of several next hops it takes
    host: str = ""
    network_id: str = ""
    came_by: Stage = Stage.CLASSIFY  # to this host: from its port, or TUNNEL_OUT or UPLINK_OUT
    translated: bool = False  # what was to be translated on its way in has been
    ways_most: int = 1  # of the routes that it took
    sends_to: str = ""  # the MAC of the first next hop
    verdict: Verdict = Verdict.DROPPED
    got_by: str = ""
    steps: list[Step] = field(default_factory=list)

    def note(self, stage: Stage, says: str, about: About | None = None) -> None:
        """A stage has let the packet pass."""
        self.steps.append(Step(stage, self.host, self.network_id, says, about))

    def go_outside(self, hop: Address) -> None:
        """A router sends the packet to somebody on an external network, here or not."""
        step = Step(Stage.NEIGHBOUR, self.host, self.network_id, f"{hop} is outside")
        self.steps.append(step._replace(outside=self.packet))

    def end(self, verdict: Verdict, stage: Stage, says: str, about: About | None = None) -> Ended:
        """A stage has decided what becomes of the packet: raise what this returns."""
        self.note(stage, says, about)
        self.verdict = verdict
        return Ended()

    def drop(self, stage: Stage, says: str, about: About | None = None) -> Ended:
        """The packet is dropped, and nobody told."""
        return self.end(Verdict.DROPPED, stage, says, about)

    def refuse(self, stage: Stage, says: str, about: About | None = None) -> Ended:
        """A router can't forward the packet; whoever sent it hears so, if he can be found."""
        from_routed_port = self.came_by is Stage.CLASSIFY and self.region.is_routed(
            self.sender.network_id
        )
        told = from_routed_port or self.came_by is Stage.UPLINK_OUT
        return self.end(Verdict.REFUSED if told else Verdict.DROPPED, stage, says, about)

    def arrive(self, host: str, came_by: Stage) -> None:
        """The packet comes to another host."""
        self.host, self.came_by = host, came_by

    def trace(self) -> Trace:
        """What was found out."""
        macs = self.sender.mac_address, self.sends_to
        return Trace(self.verdict, tuple(self.steps), self.got_by, self.packet, macs)


def about(record: Owned) -> About:
    """The resource of a record."""
    shared: tuple[str, ...] = ()
    if isinstance(record, NetworkRecord):
        shared = ("*",) if record.external else record.shared_with
    return About(_KINDS[type(record)], record.id, record.project_id, shared)


def called(record: PortRecord | NetworkRecord | RouterRecord) -> str:
    """How a record is named to people."""
    return record.name or record.id
