"""What Nova must be told of a port: the difference between what it knows and what is.

Pure. Nova's events are edges, but edges are lost in crashes; what it was told is state, so that the
difference can be computed again whenever somebody doubts. Saying a thing twice does no harm.

Source: Nova's API reference, "os-server-external-events"; neutron.notifiers.nova.
"""

from enum import StrEnum
from typing import NamedTuple

from alcor.intent.records import PortRecord
from alcor.values.ids import is_uuid

MACHINE = "compute:"  # the device owner of a port that Nova made its own begins so


class State(StrEnum):
    """Of a port on its host."""

    DOWN = "down"
    UP = "up"
    FAILED = "failed"


class Wired(NamedTuple):
    """A port of a machine, as it is or as Nova knows it."""

    server: str  # the machine's id
    state: State
    host: str  # that says so; empty while none does
    addresses: str  # fixed and floating, as text to compare
    ofport: int = 0  # of its interface there; 0: not known


class Event(NamedTuple):
    """One of Nova's external events; `tag` is the port's id."""

    name: str
    server_uuid: str
    tag: str
    status: str = "completed"


def is_machines(port: PortRecord) -> bool:
    """Whether Nova wants to know of it."""
    return port.device_owner.startswith(MACHINE) and is_uuid(port.device_id)


def events(port_id: str, told: Wired | None, now: Wired | None, *, gone: bool) -> list[Event]:
    """In order; none when Nova knows. `gone`: the port is deleted, not only without a machine."""
    if now is None:
        # A port that was only detached: Nova did that itself, and waits for nothing.
        return [Event("network-vif-deleted", told.server, port_id)] if told and gone else []
    if told is None or told.server != now.server:
        return [] if now.state is State.DOWN else [_plugged(port_id, now)]
    found: list[Event] = []
    if now.state is State.DOWN and told.state is State.UP:
        found.append(Event("network-vif-unplugged", now.server, port_id))
    # Wired on another host while it migrates, or by another interface, as when a machine is
    # rebuilt: its status never changed, or nobody saw it change, and Nova waits for it.
    elif now.state is not State.DOWN and (
        (now.state, now.host) != (told.state, told.host) or _is_anew(told, now)
    ):
        found.append(_plugged(port_id, now))
    if now.addresses != told.addresses:
        found.append(Event("network-changed", now.server, port_id))
    return found


def _is_anew(told: Wired, now: Wired) -> bool:
    return now.ofport != told.ofport and bool(now.ofport and told.ofport)


def _plugged(port_id: str, now: Wired) -> Event:
    status = "completed" if now.state is State.UP else "failed"
    return Event("network-vif-plugged", now.server, port_id, status)
