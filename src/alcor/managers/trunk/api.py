"""The trunk as clients see it. Source: Neutron API reference v2, "Trunk networking"."""

from alcor.managers.trunk.model.trunk import INHERIT, VLAN
from alcor.resource import standard
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    UUID,
    integer,
    list_of,
    one_of,
    record_of,
    shown,
    string,
)
from alcor.resource.tags import TAG_LIST

vlan_id_max = 4_094
sub_ports_listed_max = vlan_id_max  # of one body; how many a trunk may have is a setting

_ID = integer(1, vlan_id_max)
_SUB_PORT = record_of(
    {"port_id": UUID, "segmentation_type": one_of(VLAN, INHERIT)}, {"segmentation_id": _ID}
)


def _parse_sub_port(value: object) -> object:
    """With its network's VLAN id it needs none of its own."""
    if isinstance(value, dict) and value.get("segmentation_type") == INHERIT:
        value = {name: each for name, each in value.items() if name != "segmentation_id"}
    elif isinstance(value, dict) and "segmentation_id" not in value:
        raise ValueError(
            f"Invalid subport details {shown(value)}: missing segmentation information. Must "
            "specify both segmentation_id and segmentation_type"
        )
    return _SUB_PORT.parse(value)


_LIST = list_of(_SUB_PORT._replace(parse=_parse_sub_port), sub_ports_listed_max, unique=False)


def _parse_sub_ports(value: object) -> object:
    items = _LIST.parse(value)
    assert isinstance(items, list)
    ports = [item["port_id"] for item in items]
    tags = [item["segmentation_id"] for item in items if "segmentation_id" in item]
    if len(set(ports)) < len(ports) or len(set(tags)) < len(tags):
        raise ValueError("Invalid input for operation: a port or a segmentation ID is there twice")
    return items


_SUB_PORTS = _LIST._replace(parse=_parse_sub_ports)
_LEAVING = list_of(
    record_of({"port_id": UUID}, {"segmentation_type": string(16), "segmentation_id": _ID}),
    sub_ports_listed_max,
)

TRUNK = Resource(
    name="trunk",
    collection="trunks",
    title="Trunk",
    path="/v2.0/trunks",
    extension="trunk",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="port_id", type=UUID, required=True, put=False),
        Field(name="admin_state_up", type=BOOLEAN, default=True),
        Field(name="sub_ports", type=_SUB_PORTS, default=[], put=False),
        standard.DESCRIPTION,
        read_only("status", string(16)),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
    actions=(
        Action(
            name="add_subports",
            arguments=(Field(name="sub_ports", type=_SUB_PORTS, required=True),),
        ),
        Action(
            name="remove_subports",
            arguments=(Field(name="sub_ports", type=_LEAVING, required=True),),
        ),
        Action(name="get_subports", method="GET"),
    ),
)
