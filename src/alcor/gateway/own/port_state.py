"""`GET /alcor/v1/ports/<id>/state`: how a port is on its host, and why it is not up.

Whoever sees the port may ask; only administrators are told names of hosts.
"""

from typing import Any

import msgspec

from alcor.contracts.convergence import ConvergencePeer, ConvergenceReply, ConvergenceRequest
from alcor.contracts.port_states import PortState, PortStatePeer, PortStateRequest
from alcor.contracts.resources import Caller
from alcor.gateway.errors import not_allowed
from alcor.gateway.own.inner import Within, inner
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response, encode
from alcor.values.errors import Refusal


class Port(msgspec.Struct):
    """What must be known of the port."""

    id: str
    status: str
    admin_state_up: bool
    host: str = msgspec.field(default="", name="binding:host_id")
    vif_type: str = msgspec.field(default="", name="binding:vif_type")


class _Shown(msgspec.Struct):
    port: Port


_decode = msgspec.json.Decoder(_Shown).decode


class PortStateView:
    """Answers for one port at a time."""

    def __init__(
        self, states: PortStatePeer, convergence: ConvergencePeer, limits: Limits, within: Within
    ) -> None:
        self._states = states
        self._convergence = convergence
        self._limits = limits
        self._within = within

    async def on_port(self, request: Request, caller: Caller, id_: str) -> Response:
        """GET."""
        if request.method != "GET":
            return not_allowed("GET")
        path = f"/v2.0/ports/{id_}"
        seen = await self._within(inner(request, self._limits, "GET", path), caller)
        if seen.status != 200:
            return seen
        # Members don't see where their port is bound: that part is read as ourselves.
        ours = Caller(project_id="", admin=True, request_id=caller.request_id)
        whole = await self._within(inner(request, self._limits, "GET", path), ours)
        if whole.status != 200:
            return whole
        port = _decode(whole.body).port
        state = await self._states.state(PortStateRequest(port.id, port.host))
        progress = await self._progress(state)
        told: dict[str, Any] = {
            "id": port.id,
            "status": port.status,
            "revision": state.revision,
            "converged": progress.converged if progress else None,
            "reported": state.reported or None,
            "why_down": None if port.status == "ACTIVE" else why_down(port, state, progress),
        }
        if caller.admin:
            hosts = [host.host for host in progress.hosts] if progress else []
            told |= {
                "host": port.host,
                "host_connected": state.host_connected,
                "reported_by": state.reported_by or None,
                "reason": state.reason or None,
                "hosts_behind": hosts,
            }
        return Response(200, encode({"port_state": told}))

    async def _progress(self, state: PortState) -> ConvergenceReply | None:
        """How far hosts are with the port's last write; None when that can't be told now."""
        if not state.revision:
            return None
        try:
            wanted = ConvergenceRequest(revision=state.revision, timeout_s=0.0)
            return await self._convergence.wait(wanted)
        except Refusal:
            return None


def why_down(port: Port, state: PortState, progress: ConvergenceReply | None) -> str:
    """The first thing that stands between a port and being up. Pure; names no host."""
    if not port.admin_state_up:
        return "It is administratively down."
    if not port.host:
        return "It is bound to no host."
    if port.vif_type == "binding_failed":
        return (
            "It could not be bound to its host: no host of that name was known, its agent was "
            "silent, or the port is of a kind that hosts don't plug in. Change it to try again."
        )
    if not state.host_known:
        return "The agent of its host has not spoken since the control plane started."
    if not state.host_connected:
        return "The agent of its host is not connected."
    if state.reported == "failed" and state.reported_by == port.host:
        return f"Its host can't wire it: {state.reason or 'no reason given'}."
    if progress is not None and not progress.converged:
        return "Its hosts have not applied the last change yet."
    return "Its host sees no interface of it: nothing is plugged in."
