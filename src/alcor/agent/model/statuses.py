"""What became of each port on this host. Pure."""

from collections.abc import Mapping

from alcor.agent.model.model import HostModel, Unit, UnitKind
from alcor.goal_state.entries import Port
from alcor.goal_state.reports import PortStatus
from alcor.transport.link import PortState

WAITS = "waits for its machine"  # until its state is told again: then without


def port_states(model: HostModel) -> dict[str, PortState]:
    """The state of every port bound here, once the switch has what the model says.

    Of a port that waits for its machine, or that it has left, another host tells: here is told only
    that it is ready, which Nova waits for before it moves a machine.
    """
    found: dict[str, PortState] = {}
    for port in model.ports.values():
        status, reason = _status(model, port)
        interface = model.interface_of(port)
        ofport = interface.ofport if interface is not None and status is PortStatus.UP else 0
        if not port.waits:
            found[port.id] = PortState(port.id, status, reason, ofport)
        elif status is PortStatus.UP:
            found[port.id] = PortState(port.id, status, WAITS, ofport)
    return found


def as_refused(
    states: Mapping[str, PortState], quarantined: Mapping[Unit, str]
) -> dict[str, PortState]:
    """The states, given what the switch refused of it."""
    refused = {
        unit.id: states[unit.id]._replace(status=PortStatus.FAILED, reason=reason)
        for unit, reason in quarantined.items()
        if unit.kind is UnitKind.PORT and unit.id in states
    }
    return {**states, **refused}


def _status(model: HostModel, port: Port) -> tuple[PortStatus, str]:
    if not port.admin_state_up:
        return PortStatus.DOWN, "administratively down"
    interface = model.interface_of(port)
    if interface is None:
        whose = "its parent" if port.parent_id else "this port"
        return PortStatus.DOWN, f"no interface on the switch names {whose}"
    if interface.error:
        return PortStatus.FAILED, interface.error
    if not interface.present:
        return PortStatus.DOWN, "the interface's device is not there"
    if interface.ofport <= 0:
        return PortStatus.DOWN, "the switch has not opened the interface"
    network = model.networks.get(port.network_id)
    if network is None:
        return PortStatus.DOWN, "the network is not known yet"
    if not network.admin_state_up:
        return PortStatus.DOWN, "the network is administratively down"
    if port.parent_id and model.sub_ports.number_of(port.id) is None:
        return PortStatus.FAILED, "this host has no number left for a sub-port"
    return PortStatus.UP, ""
