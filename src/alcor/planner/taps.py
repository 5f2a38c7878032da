"""What changes of ports and nodes mean for taps: who copies, who gets copies, and where that is."""

from collections.abc import Iterator, Mapping

from alcor.goal_state.entries import Tap, TapFlow
from alcor.intent.records import NodeRecord, PortRecord
from alcor.intent.watching_records import TapFlowRecord, TapServiceRecord
from alcor.planner.index import Index
from alcor.planner.nodes import tap

Entries = Iterator[tuple[str, Tap | TapFlow]]
_NO_PORTS: Mapping[str, PortRecord] = {}
_NO_NODES: Mapping[str, NodeRecord | None] = {}


def of_service(index: Index, service: TapServiceRecord) -> Entries:
    """The entries of a service."""
    yield from tap.plan(service, index.port(service.port_id))


def of_flow(
    index: Index,
    flow: TapFlowRecord,
    ports: Mapping[str, PortRecord] = _NO_PORTS,
    nodes: Mapping[str, NodeRecord | None] = _NO_NODES,
) -> Entries:
    """The entries of a flow, with `ports` and `nodes` as they will be."""
    source = ports.get(flow.port_id) or index.port(flow.port_id)
    target = ports.get(flow.tap_port_id) or index.port(flow.tap_port_id)
    hosts = target.hosts if target is not None else ()
    there = (nodes[host] if host in nodes else index.node(host) for host in hosts)
    yield from tap.plan_flow(flow, source, [each for each in there if each is not None])


def of_port(index: Index, port: PortRecord) -> Entries:
    """The entries of what taps a port, and of what it is the tap of, with it as it will be."""
    monitoring = index.monitoring
    for service in monitoring.taps_at(port.id):
        yield from tap.plan(service, port)
    for flow in (*monitoring.flows_from(port.id), *monitoring.flows_to(port.id)):
        yield from of_flow(index, flow, {port.id: port})


def of_node(index: Index, host: str, node: NodeRecord | None) -> Entries:
    """The entries of flows to the ports of a host, as it will be."""
    for port in index.ports_on(host):
        for flow in index.monitoring.flows_to(port.id):
            yield from of_flow(index, flow, nodes={host: node})


def keys_of_flow(index: Index, flow: TapFlowRecord) -> Iterator[str]:
    """The keys of `of_flow`, of the ports as they are."""
    yield from tap.keys_of_flow(flow, index.port(flow.port_id))


def keys_of_port(index: Index, port: PortRecord) -> Iterator[str]:
    """The keys of `of_port`, of the port as it is (or was: the index may know better by now)."""
    monitoring = index.monitoring
    for service in monitoring.taps_at(port.id):
        yield from tap.keys(service, port)
    for flow in monitoring.flows_from(port.id):
        yield from tap.keys_of_flow(flow, port)
    for flow in monitoring.flows_to(port.id):
        if flow.port_id != port.id:
            yield from keys_of_flow(index, flow)


def keys_of_node(index: Index, host: str) -> Iterator[str]:
    """The keys of `of_node`."""
    for port in index.ports_on(host):
        for flow in index.monitoring.flows_to(port.id):
            yield from keys_of_flow(index, flow)
