"""What a trace says: the stages that a packet passes, and what each decided."""

from enum import StrEnum
from typing import NamedTuple

from alcor.tracing.packet import Packet

LEAVES = "by an uplink"


class Verdict(StrEnum):
    """What becomes of a packet."""

    DELIVERED = "delivered"  # to the port that has its destination
    HANDED = "handed_over"  # to a machine that is a next hop: what it does with it is its own
    ANSWERED = "answered"  # by a router or by a service of the host
    LEAVES = "leaves"  # by an uplink, to whom nothing here is known of
    REFUSED = "refused"  # a router tells the sender that it can't forward it
    DROPPED = "dropped"
    UNSEEN = "unseen"  # another project decides
    DEPENDS = "depends"  # on which of several next hops the connection takes


class Stage(StrEnum):
    """Where something is decided: what the machine does itself, then a host's stages by name."""

    MACHINE = "MACHINE"
    CLASSIFY = "CLASSIFY"
    PORT_SEC = "PORT_SEC_L3"
    GUARDS = "GUARDS"
    SERVICES = "SERVICES"
    RESOLUTION = "ARP_ND"
    ACL_OUT = "ACL_OUT"
    FW_OUT = "FW_OUT"
    L2_DST = "L2_DST"
    NAT_IN = "NAT_IN"
    ROUTER_IN = "ROUTER_IN"
    ROUTE = "ROUTE"
    ROUTE_SCOPE = "ROUTE_SCOPE"
    NAT_OUT = "NAT_OUT"
    ROUTE_SIZE = "ROUTE_SIZE"
    NEIGHBOUR = "NEIGHBOUR"
    ACL_IN = "ACL_IN"
    FW_IN = "FW_IN"
    DELIVER = "DELIVER"
    TUNNEL_OUT = "TUNNEL_OUT"
    UPLINK_OUT = "UPLINK_OUT"


class About(NamedTuple):
    """The resource that decided, and whose it is."""

    kind: str
    id: str
    project_id: str
    shared_with: tuple[str, ...] = ()  # projects that see it as well; "*": all


class Step(NamedTuple):
    """One stage: where, and what it decided, in words that name no host."""

    stage: Stage
    host: str
    network_id: str
    says: str
    about: About | None = None
    outside: Packet | None = None  # as it is, where it leaves a router for what is outside


class Trace(NamedTuple):
    """A packet's way; the last step decided."""

    verdict: Verdict
    steps: tuple[Step, ...]
    port_id: str = ""  # that got it
    packet: Packet | None = None  # as it is at its end
    macs: tuple[str, str] = ("", "")  # of the sender, and of whom it sends to
    ways: tuple["Trace", ...] = ()  # by each of several next hops, when it depends on them

    @property
    def stage(self) -> Stage:
        """The stage that decided."""
        return self.steps[-1].stage


def as_seen_by(trace: Trace, project_id: str) -> Trace:
    """What a project may know of a trace: all until another's resource decides; no hosts, nor
    MACs."""
    if trace.ways:
        ways = tuple(as_seen_by(each, project_id) for each in trace.ways)
        if len({each.verdict for each in ways}) == 1:
            return ways[0]  # that they differ is only to be seen where others decide
        return ways[0]._replace(verdict=trace.verdict, ways=ways)
    shown: list[Step] = []
    for step in trace.steps:
        if step.about is not None and not _sees(step.about, project_id):
            return _cut(shown, step)
        shown.append(step._replace(host=""))
    return trace._replace(steps=tuple(shown), macs=("", ""))


def _sees(about: About, project_id: str) -> bool:
    return about.project_id == project_id or not {project_id, "*"}.isdisjoint(about.shared_with)


def _cut(shown: list[Step], step: Step) -> Trace:
    """Until the foreign step; of what is outside it isn't even said that it is here: the answer is
    the same as of a packet that leaves for whom nobody here knows."""
    wire = [each for each in shown[-1:] if each.stage is Stage.UPLINK_OUT]
    left = shown[: len(shown) - len(wire)]
    if left and left[-1].outside is not None:
        out = Step(Stage.UPLINK_OUT, "", left[-1].network_id, LEAVES)
        return Trace(Verdict.LEAVES, (*left, *(wire or [out])), packet=left[-1].outside)
    says = "what another project has decides from here on"
    return Trace(Verdict.UNSEEN, (*shown, Step(step.stage, "", "", says)))
