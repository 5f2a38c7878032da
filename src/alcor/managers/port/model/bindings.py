"""The bindings of a port: the active one, which is the port's own, and others that wait. Pure.

While a machine is moved its port is bound to both hosts: the new binding waits until it is
activated, then the old one waits until it is deleted. Both hosts get what is sent to it.
Source: Neutron API reference v2, "Port bindings extended attributes"; neutron.plugins.ml2.plugin.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.intent.records import NodeRecord
from alcor.managers.port.model import binding
from alcor.managers.port.model.port import Port, Status
from alcor.managers.port.model.segments import Reach, check_host
from alcor.resource.revisions import touched
from alcor.values.errors import BadRequest, Conflict, NotFound

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"


class PortBindingNotFound(NotFound):
    """The port is not bound to that host."""

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(f"Binding for port {port_id} for host {host} could not be found.")


class PortBindingAlreadyExists(Conflict):
    """The port is bound to that host."""

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(f"Binding for port {port_id} on host {host} already exists.")


class PortBindingAlreadyActive(Conflict):
    """The port is there already."""

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(f"Binding for port {port_id} on host {host} is already active.")


class PortBindingError(BadRequest):
    """The host can't plug the port, or nobody knows it."""

    def __init__(self, port_id: str, host: str) -> None:
        super().__init__(
            f"Binding for port {port_id} on host {host} could not be created or updated."
        )


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """One binding as clients see it."""

    host: str
    status: str
    vif_type: str
    vif_details: dict[str, Any]
    vnic_type: str
    profile: dict[str, Any]


Bindings = Sequence[Binding]  # those that wait
Decided = tuple[Port, Bindings]


def active(port: Port) -> Binding | None:
    """The port's own; None when it is bound nowhere."""
    if not port.host:
        return None
    return Binding(
        host=port.host,
        status=ACTIVE,
        vif_type=port.vif_type,
        vif_details=port.vif_details,
        vnic_type=port.vnic_type,
        profile=port.profile,
    )


def all_of(port: Port, waiting: Bindings) -> list[Binding]:
    """The active one first."""
    own = active(port)
    return [*([] if own is None else [own]), *waiting]


def found(port: Port, waiting: Bindings, host: str) -> Binding:
    """The binding to a host; `PortBindingNotFound`."""
    for each in all_of(port, waiting):
        if each.host == host:
            return each
    raise PortBindingNotFound(port.id, host)


def added(
    port: Port,
    waiting: Bindings,
    wanted: Mapping[str, Any],
    *,
    node: NodeRecord | None,
    reach: Reach,
    at: str,
) -> Decided:
    """With one more: it waits, unless the port is bound nowhere else."""
    host = wanted["host"]
    if any(each.host == host for each in all_of(port, waiting)):
        raise PortBindingAlreadyExists(port.id, host)
    new = _made(port, host, wanted["vnic_type"], wanted["profile"], node)
    if port.fixed_ips:
        check_host(port.segment, host, reach, port.id)
    if port.host:
        return port, [*waiting, new]
    return _bound(port, new, at), waiting


def changed(
    port: Port,
    waiting: Bindings,
    host: str,
    changes: Mapping[str, Any],
    *,
    node: NodeRecord | None,
    at: str,
) -> Decided:
    """With other words for the binding to a host."""
    held = found(port, waiting, host)
    vnic_type = changes.get("vnic_type", held.vnic_type)
    new = _made(port, host, vnic_type, changes.get("profile", held.profile), node)
    if host == port.host:
        same = (new.vnic_type, new.profile) == (port.vnic_type, port.profile)
        return (port if same else _bound(port, new, at)), waiting
    return port, [new if each.host == host else each for each in waiting]


def activated(port: Port, waiting: Bindings, host: str, *, at: str) -> Decided:
    """With the packets going to this host; the binding that was active waits."""
    new = found(port, waiting, host)
    if host == port.host:
        raise PortBindingAlreadyActive(port.id, host)
    old = active(port)
    left = [each for each in waiting if each.host != host]
    if old is not None:
        left.append(_waits(old))
    return _bound(port, new, at), left


def removed(port: Port, waiting: Bindings, host: str, *, at: str) -> Decided:
    """Without the binding to a host; without the active one the port is bound nowhere."""
    found(port, waiting, host)
    if host != port.host:
        return port, [each for each in waiting if each.host != host]
    values = {"host": "", "profile": {}, "status": Status.DOWN} | binding.NOT_BOUND._asdict()
    return touched(port, values, at), waiting


def _made(
    port: Port, host: str, vnic_type: str, profile: dict[str, Any], node: NodeRecord | None
) -> Binding:
    plug = binding.plug(host, node, vnic_type)
    if plug.vif_type != binding.OVS:
        raise PortBindingError(port.id, host)
    return Binding(
        host=host,
        status=INACTIVE,
        vif_type=plug.vif_type,
        vif_details=plug.vif_details,
        vnic_type=vnic_type,
        profile=profile,
    )


def _waits(held: Binding) -> Binding:
    return msgspec.structs.replace(held, status=INACTIVE)


def _bound(port: Port, to: Binding, at: str) -> Port:
    values: dict[str, Any] = {
        "host": to.host,
        "vif_type": to.vif_type,
        "vif_details": to.vif_details,
        "vnic_type": to.vnic_type,
        "profile": binding.with_trust(to.profile, port.trusted),
    }
    if to.host != port.host:
        values["status"] = Status.DOWN  # until the host says otherwise
    return touched(port, values, at)
