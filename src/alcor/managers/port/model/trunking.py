"""Ports on trunks: who may be a parent or a sub-port, and what follows for both. Pure.

A sub-port is bound to the host of its parent, whatever becomes of that. Source of the refusals:
neutron.services.trunk (rules, exceptions).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, structs

from alcor.contracts.trunking import (
    TRUNK_SUBPORT,
    Joining,
    Leaving,
    ParentPortInUse,
    Seat,
    TrunkPortInUse,
)
from alcor.managers.port.model import binding
from alcor.managers.port.model.holding import PortInUse, is_held
from alcor.managers.port.model.port import Port, Status
from alcor.managers.port.model.seats import OnTrunk, SubPort, TrunkDetails
from alcor.resource.revisions import touched
from alcor.values.errors import Conflict
from alcor.values.missing import PortNotFound

Find = Callable[[Sequence[str]], Mapping[str, Port]]  # the ports of these ids that there are
Changes = list[tuple[Port, Port]]  # as it was, as it is now


class PortInUseAsTrunkParent(Conflict):
    """A parent stays as long as its trunk."""

    def __init__(self, port_id: str, trunk_id: str) -> None:
        super().__init__(f"Port {port_id} is currently a parent port for trunk {trunk_id}.")


class PortInUseAsSubPort(Conflict):
    """A sub-port stays, and stays where its parent is, as long as it is one."""

    def __init__(self, port_id: str, trunk_id: str) -> None:
        super().__init__(f"Port {port_id} is currently a subport for trunk {trunk_id}.")


def joined(request: Joining, find: Find, at: str) -> Changes:
    """What changes when these ports become the trunk's; nothing of those that are already."""
    ports = find([request.parent_id, *(seat.port_id for seat in request.seats)])
    parent = ports.get(request.parent_id)
    if parent is None:
        raise PortNotFound(request.parent_id)
    held = _as_parent(parent, request.trunk_id)
    new = [
        (port, _seated(port, parent, seat, request.trunk_id, at))
        for seat in request.seats
        if not _has(port := _found(ports, seat), seat, request)
    ]
    more = tuple(_shown(port) for _, port in new)
    if not more and parent.trunk_details is not UNSET:
        return []
    details = TrunkDetails(request.trunk_id, held + more)
    return [(parent, touched(parent, {"trunk_details": details}, at)), *new]


def left(request: Leaving, find: Find, at: str) -> Changes:
    """What changes when these ports leave the trunk."""
    going = find(request.port_ids)
    parents = {
        port.id: port
        for port in going.values()
        if port.trunk_details and port.trunk_details.trunk_id == request.trunk_id
    }
    ids = {id_ for parent in parents.values() for id_ in sub_port_ids(parent)} | {*going}
    seated = [
        port
        for port in find(sorted(ids)).values()
        if port.trunk_subport and port.trunk_subport.trunk_id == request.trunk_id
    ]
    staying = {p.trunk_subport.port_id for p in seated if p.trunk_subport} - parents.keys()
    changes: Changes = [(port, _unseated(port, at)) for port in seated]
    changes += [(each, touched(each, {"trunk_details": UNSET}, at)) for each in parents.values()]
    gone = {port.id for port in seated}
    return changes + [(old, _without(old, gone, at)) for old in find(sorted(staying)).values()]


def sub_port_ids(port: Port) -> list[str]:
    """Of a parent; of any other port none."""
    return [each.port_id for each in port.trunk_details.sub_ports] if port.trunk_details else []


def following(old: Port, new: Port, find: Find, at: str) -> Changes:
    """What follows for the trunk of a port that has been changed: sub-ports go where their parent
    goes, and it shows their MAC addresses as they are."""
    changes: Changes = []
    if (new.host, new.vif_type) != (old.host, old.vif_type):
        changes += [(sub, _moved(sub, new, at)) for sub in find(sub_port_ids(new)).values()]
    if new.mac_address != old.mac_address and new.trunk_subport:
        for parent in find([new.trunk_subport.port_id]).values():
            changes.append((parent, _with_mac(parent, new, at)))
    return changes


def check_removal(port: Port) -> None:
    """No port is deleted that a trunk has."""
    if port.trunk_subport:
        raise PortInUseAsSubPort(port.id, port.trunk_subport.trunk_id)
    if port.trunk_details:
        raise PortInUseAsTrunkParent(port.id, port.trunk_details.trunk_id)


def check_change(old: Port, new: Port) -> None:
    """A sub-port is its trunk's, and where its parent is, whatever a client says; and what a trunk
    has becomes no router's, who could not drop it."""
    if (
        old.trunk_details
        and new.device_owner != old.device_owner
        and is_held(new.device_owner, new.device_id)
    ):
        raise PortInUseAsTrunkParent(old.id, old.trunk_details.trunk_id)
    if not old.trunk_subport:
        return
    before, after = ((p.host, p.vnic_type, p.device_id, p.device_owner) for p in (old, new))
    if before != after:
        raise PortInUseAsSubPort(old.id, old.trunk_subport.trunk_id)


def check_binding(port: Port) -> None:
    """A sub-port has no bindings of its own to make or take away."""
    if port.trunk_subport:
        raise PortInUseAsSubPort(port.id, port.trunk_subport.trunk_id)


def _as_parent(port: Port, trunk_id: str) -> tuple[SubPort, ...]:
    """The sub-ports that it has already."""
    if port.trunk_subport:
        raise TrunkPortInUse(port.id)
    if is_held(port.device_owner, port.device_id):
        raise ParentPortInUse(port.id)
    if not port.trunk_details:
        return ()
    if port.trunk_details.trunk_id != trunk_id:
        raise ParentPortInUse(port.id)
    return port.trunk_details.sub_ports


def _found(ports: Mapping[str, Port], seat: Seat) -> Port:
    if seat.port_id not in ports:
        raise PortNotFound(seat.port_id)
    return ports[seat.port_id]


def _has(port: Port, seat: Seat, request: Joining) -> bool:
    wanted = OnTrunk(request.trunk_id, request.parent_id, seat.segmentation_id)
    return port.trunk_subport == wanted


def _seated(port: Port, parent: Port, seat: Seat, trunk_id: str, at: str) -> Port:
    if port.trunk_subport:
        raise TrunkPortInUse(port.id)
    if port.id == parent.id or port.trunk_details:
        raise ParentPortInUse(port.id)
    if port.device_id:
        raise PortInUse(port.id, port.network_id, port.device_id)
    seat_shown = OnTrunk(trunk_id, parent.id, seat.segmentation_id)
    values = {"trunk_subport": seat_shown, "device_owner": TRUNK_SUBPORT, "device_id": trunk_id}
    return touched(port, values | _bound_as(parent), at)


def _unseated(port: Port, at: str) -> Port:
    free = {"trunk_subport": UNSET, "device_owner": "", "device_id": ""}
    nowhere = {"host": "", "status": Status.DOWN} | binding.NOT_BOUND._asdict()
    return touched(port, free | nowhere, at)


def _bound_as(parent: Port) -> dict[str, Any]:
    return {
        "host": parent.host,
        "vif_type": parent.vif_type,
        "vif_details": parent.vif_details,
        "status": Status.DOWN,  # until the host says otherwise
    }


def _moved(sub: Port, parent: Port, at: str) -> Port:
    values = _bound_as(parent)
    if sub.host == parent.host:
        del values["status"]
    return touched(sub, values, at)


def _shown(port: Port) -> SubPort:
    assert port.trunk_subport
    tag = port.trunk_subport.segmentation_id
    return SubPort(segmentation_id=tag, port_id=port.id, mac_address=port.mac_address)


def _without(parent: Port, gone: set[str], at: str) -> Port:
    assert parent.trunk_details
    kept = tuple(each for each in parent.trunk_details.sub_ports if each.port_id not in gone)
    details = structs.replace(parent.trunk_details, sub_ports=kept)
    return touched(parent, {"trunk_details": details}, at)


def _with_mac(parent: Port, sub: Port, at: str) -> Port:
    assert parent.trunk_details
    shown = tuple(
        structs.replace(each, mac_address=sub.mac_address) if each.port_id == sub.id else each
        for each in parent.trunk_details.sub_ports
    )
    details = structs.replace(parent.trunk_details, sub_ports=shown)
    return touched(parent, {"trunk_details": details}, at)
