"""Topologies as clients see them. Source: Neutron API reference v2, "Auto allocated topologies"."""

from alcor.managers.topology.model import DRY_RUN
from alcor.resource.declaration import Resource, read_only
from alcor.resource.fields import string


def _is_project(id_: object) -> bool:
    return isinstance(id_, str) and 0 < len(id_) <= 255


AUTO_ALLOCATED_TOPOLOGY = Resource(
    name="auto_allocated_topology",
    collection="auto_allocated_topologies",
    title="AutoAllocatedTopology",
    path="/v2.0/auto-allocated-topology",
    extension="auto-allocated-topology",
    is_id=_is_project,
    creatable=False,
    updatable=False,
    field_words=(DRY_RUN,),
    fields=(
        read_only("id", string(255)),
        read_only("project_id", string(255), alias="tenant_id"),
    ),
)
