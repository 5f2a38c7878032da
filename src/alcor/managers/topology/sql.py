"""How the topology manager keeps what it made."""

from alcor.intent.records import TopologyRecord
from alcor.managers.topology.model import Topology
from alcor.runtime.managing.kept import Kept, living_of
from alcor.runtime.tables.resource_table import ResourceTable


def record(topology: Topology) -> TopologyRecord:
    """What the intent log is told."""
    return TopologyRecord(
        id=topology.id, network_id=topology.network_id, router_id=topology.router_id
    )


TOPOLOGIES = Kept(
    "auto_allocated_topology",
    ResourceTable("auto_allocated_topology", "AutoAllocatedTopology"),
    Topology,
    record,
)
living = living_of(TOPOLOGIES)
