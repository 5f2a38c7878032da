"""What the host remembers of its goal state, and the flows that must follow from it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from alcor.agent.compiler.compiler import Compiler
from alcor.agent.desired import state
from alcor.agent.desired.desired import Desired
from alcor.agent.doctor.finding import Finding, fault, good, unknown
from alcor.agent.drivers import bridge
from alcor.agent.drivers.bridge import Rows, Wish
from alcor.agent.model.model import HostModel
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import is_ours
from alcor.agent.release import RELEASE
from alcor.ovs.openflow.flows import FlowBody, FlowKey, key_text, table_of
from alcor.values.addresses import Address

tunnel_bytes = 50  # outer IP, UDP, VXLAN (or Geneve without options), inner Ethernet
flows_named_max = 3
_ASK = "start the agent with a reachable control plane: it asks for its goal state anew"


class Remembered(NamedTuple):
    """The goal state on the disk."""

    model: HostModel
    faults: tuple[str, ...]
    release: str  # of the agent that saved it

    def ports(self) -> Iterable[str]:
        """The ports whose machines are here."""
        return (port_id for port_id, port in self.model.ports.items() if not port.waits)

    def endpoints(self, own: Address) -> dict[Address, str]:
        """The other hosts that this one sends packets to in tunnels: their names."""
        neighbours = (each for held in self.model.neighbours.values() for each in held.values())
        return {
            each.tunnel_endpoint: each.host for each in neighbours if each.tunnel_endpoint != own
        }

    def bytes_needed(self) -> int:
        """What the underlay must carry of the largest network; 0 when none needs it."""
        inside = [each.mtu for each in self.model.networks.values() if not each.physical_network]
        return max(inside) + tunnel_bytes if inside else 0


def recall(folder: Path, host: str) -> tuple[Remembered | None, list[Finding]]:
    """Read what the agent has saved; None when there is nothing that can be used."""
    path = folder / "goal-state"
    try:
        saved = state.read(path)
    except (state.Corrupt, OSError) as error:
        return None, [fault("goal state", f"{path} can't be read: {error}", _ASK)]
    if saved is None:
        says = f"there is no goal state at {path}: the host has never been told what to do"
        return None, [fault("goal state", says, _ASK)]
    desired, model = Desired(host), HostModel()
    taken = desired.restore(saved)
    for entry in taken.put:
        model.put(entry)
    if taken.faults:
        step = "the agent is older than the control plane, or this is another host's folder"
        return None, [fault("goal state", f"{path}: {taken.faults[0]}", step)]
    says = f"{len(model.ports)} ports on {len(model.networks)} networks"
    return Remembered(model, tuple(taken.faults), saved.release), [good("goal state", says)]


def flows_wanted(remembered: Remembered, rows: Rows, wish: Wish) -> dict[FlowKey, FlowBody]:
    """What the switch must have, by the goal state and by what is plugged in."""
    model = remembered.model
    model.set_tunnel(bridge.tunnel_of(rows, wish))
    model.exits.set_uplinks(bridge.uplinks_of(rows, wish))
    plug_in(remembered, rows, wish)
    compiler = Compiler(model)
    compiler.update(set(model.units()))
    return {key: body for _, key, body in compiler.flows()}


def plug_in(remembered: Remembered, rows: Rows, wish: Wish) -> None:
    """Have the model know what is plugged in, and where bandwidth is held."""
    model = remembered.model
    model.qos.bridge_by_network = wish.holding
    interfaces = bridge.interfaces_of(rows, wish, {})
    for port_id in model.interfaces.keys() | interfaces.keys():
        model.set_interface(port_id, interfaces.get(port_id))


def release_differs(remembered: Remembered) -> Finding | None:
    """Of an agent of another release nobody here knows which flows it must make."""
    if remembered.release == RELEASE:
        return None
    theirs = remembered.release or "an older one"
    says = f"the agent is of another release ({theirs}) than this doctor ({RELEASE}), which can't "
    return unknown("flows", f"{says}tell what they must be: run the doctor of the agent's")


def flow_faults(
    wanted: Mapping[FlowKey, FlowBody], there: Mapping[FlowKey, FlowBody]
) -> list[Finding]:
    """How the switch differs from what it must be. Pure."""
    missing = [key for key, body in wanted.items() if there.get(key) != body]
    surplus = [key for key in there.keys() - wanted.keys() if not _learned(key, there[key])]
    stale = [key for key in surplus if is_ours(there[key])]
    foreign = [key for key in surplus if not is_ours(there[key])]
    found = []
    step = "the agent puts it right at its next audit: if not, read its log"
    for what, keys in (("missing or changed", missing), ("stale", stale), ("foreign", foreign)):
        if keys:
            shown = "; ".join(_named(key) for key in sorted(keys)[:flows_named_max])
            says = f"{len(keys)} flows are {what}, as {shown}"
            found.append(fault("flows", says, step))
    return found or [good("flows", f"{len(there)} flows, as they must be")]


def _named(key: FlowKey) -> str:
    stage = p.STAGE_BY_TABLE.get(table_of(key))
    return f"{stage.name if stage else 'no stage'}: {key_text(key)}"


def _learned(key: FlowKey, body: FlowBody) -> bool:
    """Whether it is of somebody outside, whom the agent has found: no goal state knows him."""
    return is_ours(body) and table_of(key) == p.NEIGHBOUR
