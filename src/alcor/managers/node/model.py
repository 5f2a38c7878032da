"""Nodes, and the agents that Neutron's clients see in them. Pure.

What a host says of itself (its report) is not kept: it is joined to the node when somebody looks.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import msgspec

from alcor.goal_state.reports import HostReport
from alcor.managers.node import configurations
from alcor.resource.revisions import revised
from alcor.values.capacity import NOTHING, Capacity
from alcor.values.errors import Conflict, NotFound
from alcor.values.zones import ZONE

_AGENTS = UUID("6a1c0c3e-7d1a-4c62-9d39-6f2d5ad0a1c0")  # the namespace of agents' ids


class NodeNotFound(NotFound):
    """There is no such host."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Node {id_[:255]} could not be found.")


class AgentNotFound(NotFound):
    """There is no host with such an agent."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Agent {id_[:255]} could not be found.")


class NodeIdInUse(Conflict):
    """A host of that name is known."""


class TunnelIpInUse(Conflict):
    """Tunnels to that address end at another host."""


class NodeInUse(Conflict):
    """The host is still there, or something is on it."""

    def __init__(self, id_: str, why: str) -> None:
        super().__init__(f"Node {id_[:255]} is in use: {why}")


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A host that runs an agent."""

    id: str  # the host's name
    name: str  # the same
    tunnel_ip: str
    description: str = ""
    availability_zone: str = ZONE
    physical_networks: tuple[str, ...] = ()  # to which the host says that it has an uplink
    capacity: Capacity = NOTHING  # what it says that it has to guarantee
    bridge: str = ""  # that interfaces are plugged into; empty when its agent has not said
    datapath_type: str = ""  # of the bridge; the same
    is_gone: bool = False  # silent for too long: nothing is to leave by its uplinks
    is_returning: bool = False  # it was gone, and fetches what its uplinks need meanwhile
    revision_number: int
    created_at: str
    updated_at: str


class Heard(NamedTuple):
    """The last report of a host, and when we heard of it."""

    report: HostReport
    at_s: float  # since the epoch, to be shown
    since_s: float  # to measure the silence from, by a clock that never goes back


class Life(NamedTuple):
    """What a host's reports say now."""

    alive: bool
    heard_at: str  # "" when never
    report: HostReport | None
    synced: bool | None = None  # whether Placement knows all of it; None: there is nothing to know


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A node as clients see it."""

    id: str
    name: str
    tunnel_ip: str
    description: str
    availability_zone: str
    physical_networks: tuple[str, ...]
    bandwidths: tuple[dict[str, Any], ...]
    bridge: str
    datapath_type: str
    alive: bool
    heartbeat_timestamp: str | None
    applied: int  # the goal log's position that the host's switch has acknowledged
    flows: int
    fault: str  # why its switch can't be told anything now; "": it can
    version: str
    revision_number: int
    created_at: str
    updated_at: str


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A node as Neutron's clients know agents (API reference, "Agents")."""

    id: str
    agent_type: str = "Open vSwitch agent"
    binary: str = "alcor-agent"
    topic: str = "N/A"
    host: str
    availability_zone: str
    admin_state_up: bool = True
    alive: bool
    description: str
    created_at: str
    started_at: str
    heartbeat_timestamp: str | None
    resources_synced: bool | None
    configurations: dict[str, Any]


def node(values: Mapping[str, Any], now: str) -> Node:
    """The node that a checked body asks for."""
    return Node(
        id=values["id"],
        name=values["id"],
        tunnel_ip=values["tunnel_ip"],
        description=values["description"],
        availability_zone=values.get("availability_zone", ZONE),
        physical_networks=values.get("physical_networks", ()),
        capacity=values.get("capacity", NOTHING),
        bridge=values.get("bridge", ""),
        datapath_type=values.get("datapath_type", ""),
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


def changed(old: Node, changes: Mapping[str, Any], now: str) -> Node:
    """The node after a change; the very same value when nothing is different."""
    names = (
        *("tunnel_ip", "description", "availability_zone", "physical_networks"),
        *("capacity", "bridge", "datapath_type", "is_gone", "is_returning"),
    )
    return revised(old, {name: changes[name] for name in names if name in changes}, now)


def agent_id(host: str) -> str:
    """The id of a host's agent: always the same for the same name."""
    return str(uuid5(_AGENTS, host))


def view(node: Node, life: Life) -> NodeView:
    """A node with what its host says."""
    report = life.report
    return NodeView(
        id=node.id,
        name=node.name,
        tunnel_ip=node.tunnel_ip,
        description=node.description,
        availability_zone=node.availability_zone,
        physical_networks=node.physical_networks,
        bandwidths=tuple(configurations.bandwidths(node.capacity)),
        bridge=node.bridge,
        datapath_type=node.datapath_type,
        alive=life.alive,
        heartbeat_timestamp=life.heard_at or None,
        applied=report.position if report else 0,
        flows=report.flows if report else 0,
        fault=report.fault if report else "",
        version=report.version if report else "",
        revision_number=node.revision_number,
        created_at=node.created_at,
        updated_at=node.updated_at,
    )


def agent(node: Node, life: Life, tunnel_type: str) -> Agent:
    """The agent of a node; `tunnel_type` is that of the region's tunnels."""
    return Agent(
        id=agent_id(node.id),
        host=node.id,
        availability_zone=node.availability_zone,
        alive=life.alive,
        description=node.description,
        created_at=_as_of_agents(node.created_at),
        started_at=_as_of_agents(node.created_at),
        heartbeat_timestamp=_as_of_agents(life.heard_at) or None,
        resources_synced=life.synced,
        configurations={
            "tunnel_types": [tunnel_type],
            "tunneling_ip": node.tunnel_ip,
            "bridge_mappings": configurations.bridges(node.physical_networks, node.capacity),
            "integration_bridge": node.bridge,
            "datapath_type": node.datapath_type,
            "log_agent_heartbeats": False,
            **configurations.resource_providers(node.id, node.capacity),
        },
    )


def _as_of_agents(timestamp: str) -> str:
    """As Neutron writes the times of agents, and of nothing else: `2026-01-31 23:59:59`."""
    return timestamp.removesuffix("Z").replace("T", " ")
