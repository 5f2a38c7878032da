"""Tap services and tap flows, as the hosts of their ports must know them."""

from collections.abc import Iterator, Sequence

from alcor.goal_state.entries import Tap, TapFlow
from alcor.goal_state.slices import tap_flow_key, tap_key
from alcor.intent.records import NodeRecord, PortRecord
from alcor.intent.watching_records import TapFlowRecord, TapServiceRecord
from alcor.planner.parsed import address


def keys(service: TapServiceRecord, port: PortRecord | None) -> Iterator[str]:
    """The keys of a service's entries."""
    if port is not None:
        yield from (tap_key(host, service.id) for host in port.hosts)


def plan(service: TapServiceRecord, port: PortRecord | None) -> Iterator[tuple[str, Tap]]:
    """A service's entries: one for each host that its port is bound to."""
    for host in port.hosts if port is not None else ():
        yield tap_key(host, service.id), Tap(service.id, host, service.port_id, service.number)


def keys_of_flow(flow: TapFlowRecord, source: PortRecord | None) -> Iterator[str]:
    """The keys of a flow's entries."""
    if source is not None:
        yield from (tap_flow_key(host, flow.id) for host in source.hosts)


def plan_flow(
    flow: TapFlowRecord, source: PortRecord | None, there: Sequence[NodeRecord]
) -> Iterator[tuple[str, TapFlow]]:
    """A flow's entries: one for each host of the port that is copied, while the tap is somewhere.

    `there` are the hosts that the tap's port is bound to, as far as their tunnel ends are known.
    `ValueError` when one is no address.
    """
    endpoints = tuple(address(node.tunnel_ip) for node in there)
    for host in source.hosts if source is not None and endpoints else ():
        yield (
            tap_flow_key(host, flow.id),
            TapFlow(
                id=flow.id,
                host=host,
                port_id=flow.port_id,
                tap_port_id=flow.tap_port_id,
                number=flow.number,
                endpoints=endpoints,
                ingress=flow.ingress,
                egress=flow.egress,
            ),
        )
