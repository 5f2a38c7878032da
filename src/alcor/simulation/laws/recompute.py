"""What must be, computed anew from what the managers have saved: intent, goal state, flows.

By the product's own code, but from nothing and in another order than it happened.
"""

from collections.abc import Iterable, Mapping
from random import Random

from alcor.agent.compiler.compiler import Compiler
from alcor.agent.desired.desired import Desired
from alcor.agent.model.model import HostModel, Interface
from alcor.delivery.config import DeliveryConfig
from alcor.delivery.lazy import LazyNetworks
from alcor.goal_state.slices import slice_of
from alcor.intent import records
from alcor.intent.relay import Relay
from alcor.keyed_log.log import Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.ovs.openflow.flows import FlowBody, FlowKey
from alcor.planner.graph import IntentChange, Planner
from alcor.simulation.host import Host
from alcor.transport.link import Frame, Item

_EPOCH = 1


async def intent_of(relays: Iterable[Relay], log: MemoryLog) -> dict[str, Entry]:
    """Every record that managers would tell a new log, by key."""
    for relay in relays:
        await relay.rebuild()
    snapshot = await log.snapshot("")
    return {entry.key: entry for entry in snapshot.entries}


def goal_of(
    intent: Mapping[str, Entry], config: DeliveryConfig, chance: Random
) -> Mapping[str, bytes]:
    """Goal state by key, planned in an order by chance."""
    planner = Planner(config.dns_domain, config.lazy_above)
    entries = sorted(intent.values())
    chance.shuffle(entries)
    for entry in entries:
        assert entry.value is not None
        record = records.decode(entry.key, entry.value)
        planner.apply(IntentChange(entry.key, record, entry.revision))
    return planner.goal


def flows_of(host: Host, goal: Mapping[str, bytes]) -> dict[FlowKey, FlowBody]:
    """The flows that the host's switch must have, with what it has looked for."""
    by_slice: dict[str, list[Item]] = {}
    for key, value in goal.items():
        by_slice.setdefault(slice_of(key), []).append(Item(key, value, 1, ""))
    lazy = LazyNetworks()
    lazy.begin_again(1, (item for items in by_slice.values() for item in items))

    def content(name: str) -> list[Item]:
        network = lazy.get(name)
        return lazy.found(name) or (network.rest() if network else by_slice.get(name, []))

    desired, model = Desired(host.name), HostModel()
    units = set(model.units())
    units |= model.set_tunnel(host.tunnel)
    units |= set(model.exits.set_uplinks(host.uplinks()))
    for port_id, interface in host.switch.interfaces.items():
        units |= model.set_interface(port_id, Interface(*interface))
    wanted = [each.name for each in desired.subscriptions()]
    while wanted:
        items = [item for name in wanted for item in content(name)]
        taken = desired.take(Frame(_EPOCH, 1, items, begins=wanted, completes=wanted))
        for entry in taken.put:
            units |= model.put(entry)
        wanted = [each.name for each in taken.subscribe] or [
            each.name for each in desired.seek(host.sought).subscribe
        ]
    compiler = Compiler(model)
    compiler.update(units)
    return {key: body for _, key, body in compiler.flows()}
