"""What a trace says of intent is what the flows do that are compiled of it."""

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from tests.unit.tracing.fabric import Fabric, Fate
from tests.unit.tracing.worlds import EXTERNAL, OUTSIDE, World, world

from alcor.intent.records import PortRecord
from alcor.tracing.path import Stage, Trace, Verdict
from alcor.tracing.region import Region
from alcor.tracing.walk import next_hop, trace
from alcor.values.addresses import address

_SERVICES = {"service", "dhcp4", "dhcp6"}
_OF_ROUTERS = {
    *(Stage.ROUTER_IN, Stage.ROUTE, Stage.ROUTE_SCOPE),
    *(Stage.NAT_OUT, Stage.ROUTE_SIZE, Stage.NEIGHBOUR),
}
_ALSO = {
    Stage.L2_DST: {"CLASSIFY"},  # which knows no network without ports
    Stage.NAT_OUT: {"NAT_DONE"},
    Stage.NAT_IN: {"NAT_CAME"},
}


def region_of(asked: World) -> Region:
    region = Region()
    for record in asked.records:
        region.put(record)
    return region


def agrees(said: Trace, done: Fate) -> bool:
    """Whether a packet ended as the trace says."""
    match said.verdict:
        case Verdict.DELIVERED | Verdict.HANDED:
            assert said.packet is not None
            source = str(said.packet.source)
            return done[::2] == ("delivered", said.port_id) and done.source == source
        case Verdict.ANSWERED:
            return done.what in ({"answered"} if said.stage is Stage.ROUTER_IN else _SERVICES)
        case Verdict.LEAVES:
            assert said.packet is not None
            return done.what == "wanted" or (done.what, done.source) == (
                "left",
                str(said.packet.source),
            )
        case Verdict.REFUSED:
            return done.what == "router"
        case Verdict.DROPPED if said.stage is Stage.UPLINK_OUT:
            return done.what == "left"
        case Verdict.DROPPED if said.stage is Stage.L2_DST and _was_on_the_wire(said):
            return done.what == "left"  # no host takes it from there
    return done.what == "dropped" and _same_stage(said.stage, done.stage)


def _was_on_the_wire(said: Trace) -> bool:
    return any(step.stage is Stage.UPLINK_OUT for step in said.steps)


def _same_stage(said: Stage, done: str) -> bool:
    """What is one decision may be several stages, and what nobody can be told of has one."""
    if done == "ROUTER_FAULT":
        return said in _OF_ROUTERS
    return done.startswith(said.value) or done in _ALSO.get(said, ())


@seed(1)
@settings(max_examples=250)
@given(st.integers(0, 2**32 - 1))
def test_a_trace_says_what_the_flows_do(number: int) -> None:
    asked = world(number)
    region = region_of(asked)
    sender = region.one(PortRecord, asked.sender)
    assert sender is not None

    said = trace(region, sender, asked.packet)

    if said.stage in (Stage.MACHINE, Stage.CLASSIFY) and said.steps[0].stage is said.stage:
        return  # it is not sent
    hop = next_hop(region, sender, asked.packet)
    assert hop is not None
    fabric = Fabric(asked.records, [(EXTERNAL, address(OUTSIDE))])
    done = fabric.send(asked.sender, hop.address, asked.packet)
    assert agrees(said.ways[0] if said.ways else said, done), (said, done)
