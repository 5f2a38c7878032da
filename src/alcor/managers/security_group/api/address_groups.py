"""The address group as clients see it, with its two actions."""

from alcor.managers.security_group.api.types import COUNT, TIME
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, CIDR, NAME, UUID, list_of, string

addresses_listed_max = 10_000  # in one body; how many a group may hold is the manager's setting

_SUBNETS = list_of(CIDR, addresses_listed_max, unique=False)
_NOTHING_IS_NONE = _SUBNETS._replace(
    parse=lambda value: [] if value is None else _SUBNETS.parse(value)
)
_ADDRESSES = Field(
    name="addresses",
    type=list_of(string(64), addresses_listed_max, unique=False),
    required=True,
)

ADDRESS_GROUP = Resource(
    name="address_group",
    collection="address_groups",
    title="AddressGroup",
    path="/v2.0/address-groups",
    extension="address-group",
    fields=(
        Field(name="id", type=UUID, put=False),
        Field(name="name", type=NAME, default=""),
        Field(name="project_id", alias="tenant_id", type=string(255), put=False),
        Field(name="description", type=string(1_024), default=""),
        Field(name="addresses", type=_NOTHING_IS_NONE, default=[], put=False),
        read_only("shared", BOOLEAN),
        read_only("revision_number", COUNT),
        read_only("created_at", TIME),
        read_only("updated_at", TIME),
    ),
    actions=(
        Action(name="add_addresses", arguments=(_ADDRESSES,), answer_root="address_group"),
        Action(name="remove_addresses", arguments=(_ADDRESSES,), answer_root="address_group"),
    ),
)
