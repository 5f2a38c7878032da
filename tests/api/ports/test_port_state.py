"""How a port is on its host, and why it is not up."""

from typing import Any

import pytest

from alcor.contracts.convergence import ConvergenceReply
from alcor.contracts.port_states import PortState
from alcor.gateway.own.port_state import Port, why_down

DONE = ConvergenceReply(revision="port:1", converged=True)
BEHIND = ConvergenceReply(revision="port:1", converged=False)


def state(**fields: Any) -> PortState:
    given: dict[str, Any] = {"host_known": True, "host_connected": True} | fields
    return PortState(**given)


def port(**fields: Any) -> Port:
    given: dict[str, Any] = {"host": "h1", "vif_type": "ovs", "admin_state_up": True} | fields
    return Port(id="p", status="DOWN", **given)


@pytest.mark.parametrize(
    ("down", "said", "progress", "why"),
    [
        (port(admin_state_up=False), state(), DONE, "administratively"),
        (port(host=""), state(), DONE, "no host"),
        (port(vif_type="binding_failed"), state(), DONE, "could not be bound"),
        (port(), state(host_known=False), DONE, "has not spoken"),
        (port(), state(host_connected=False), DONE, "not connected"),
        (port(), state(reported="failed", reported_by="h1", reason="full"), DONE, "full"),
        (port(), state(reported="failed", reported_by="h2", reason="full"), DONE, "no interface"),
        (port(), state(), BEHIND, "have not applied"),
        (port(), state(), None, "no interface"),
        (port(), state(reported="down", reported_by="h1"), DONE, "no interface"),
    ],
)
def test_the_first_obstacle_is_told(
    down: Port, said: PortState, progress: ConvergenceReply | None, why: str
) -> None:
    assert why in why_down(down, said, progress)


def test_a_port_of_no_host_says_so(api: Any) -> None:
    net = api.network(name="port-state")["id"]
    made = api.call("POST", "/v2.0/ports", {"port": {"network_id": net}})
    id_ = made.json["port"]["id"]

    told = api.get(f"/alcor/v1/ports/{id_}/state").json["port_state"]

    assert told["id"] == id_
    assert told["revision"] == made.headers["x-alcor-revision"]
    assert told["converged"] is True
    assert told["why_down"] == "It is bound to no host."
    assert told["hosts_behind"] == []


def test_a_port_on_a_silent_host_says_so(api: Any) -> None:
    net = api.network(name="port-state-silent")["id"]
    api.make("/alcor/v1/nodes", "node", name="silent", tunnel_ip="192.0.2.120")
    id_ = api.port(net, **{"binding:host_id": "silent"})["id"]

    told = api.get(f"/alcor/v1/ports/{id_}/state").json["port_state"]

    assert "has not spoken" in told["why_down"]
    assert told["host"] == "silent"


def test_a_port_that_is_not_there_has_no_state(api: Any) -> None:
    id_ = "a3b1c0de-0000-4000-8000-00000000000f"
    answer = api.get(f"/alcor/v1/ports/{id_}/state")

    assert (answer.status, answer.type) == (404, "PortNotFound")
    assert api.call("POST", f"/alcor/v1/ports/{id_}/state").status == 405
