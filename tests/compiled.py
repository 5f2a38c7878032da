"""The flows of a model as values, made from nothing: what the compiler is compared with."""

from alcor.agent.compiler.unit_flows import unit_flows
from alcor.agent.model.model import HostModel, Unit
from alcor.agent.shapes.shape import AnyFlow
from alcor.ovs.flow import Flow
from alcor.ovs.openflow.flows import FlowKey, flow_key


def as_flow(flow: AnyFlow) -> Flow:
    """A flow as a value."""
    if isinstance(flow, Flow):
        return flow
    shape, numbers = flow
    return shape.make(*numbers)


def flows_of(model: HostModel, unit: Unit) -> dict[FlowKey, Flow]:
    """The flows of one unit."""
    return {flow_key(flow): flow for flow in map(as_flow, unit_flows(model, unit))}


def compile_all(model: HostModel) -> dict[FlowKey, Flow]:
    """The flows of all units; of a key that several make the first one's counts."""
    found: dict[FlowKey, Flow] = {}
    for unit in sorted(set(model.units()), reverse=True):
        found |= flows_of(model, unit)
    return found
