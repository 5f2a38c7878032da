"""The topology that a project gets by asking for it: what is made, and when none can be. Pure.

Source: Neutron API reference v2, "Auto allocated topologies"; neutron.services.auto_allocate.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.values.errors import Conflict, NotFound

NETWORK_NAME, ROUTER_NAME = "auto_allocated_network", "auto_allocated_router"
DRY_RUN = "dry-run"


class AutoAllocationFailure(Conflict):
    """The operator has not prepared what topologies are made of."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Deployment error: {reason}.")


class AutoAllocatedTopologyNotFound(NotFound):
    """Nothing was made for the project, or it is not theirs."""

    def __init__(self, project: str) -> None:
        super().__init__(f"Auto allocated topology of {project[:255]} could not be found.")


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """What was begun for a project, under ids chosen before: so it can be gone on with."""

    id: str  # the project
    network_id: str
    router_id: str
    subnet_by_version: dict[int, str]
    is_ready: bool = False


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a topology is made of."""

    external_network_id: str
    versions: tuple[int, ...]  # of the default subnet pools


def ground(networks: list[Mapping[str, Any]], pools: list[Mapping[str, Any]]) -> Ground:
    """Of the default external networks and the default subnet pools that there are."""
    if not networks:
        raise AutoAllocationFailure("No default router:external network")
    if not pools:
        raise AutoAllocationFailure("No default subnetpools defined")
    versions = sorted({int(pool["ip_version"]) for pool in pools})
    return Ground(external_network_id=str(networks[0]["id"]), versions=tuple(versions))


def network_of(topology: Topology) -> dict[str, Any]:
    """The body of its network."""
    return {"id": topology.network_id, "name": NETWORK_NAME, "project_id": topology.id}


def subnet_of(topology: Topology, version: int) -> dict[str, Any]:
    """The body of its subnet of a family."""
    return {
        "id": topology.subnet_by_version[version],
        "name": f"auto_allocated_subnet_v{version}",
        "project_id": topology.id,
        "network_id": topology.network_id,
        "ip_version": version,
        "use_default_subnetpool": True,
    }


def router_of(topology: Topology, ground: Ground) -> dict[str, Any]:
    """The body of its router."""
    return {
        "id": topology.router_id,
        "name": ROUTER_NAME,
        "project_id": topology.id,
        "external_gateway_info": {"network_id": ground.external_network_id},
    }


def shown(project: str, network_id: str) -> bytes:
    """As clients see it: the id is that of the network."""
    return msgspec.json.encode({"id": network_id, "project_id": project, "tenant_id": project})
