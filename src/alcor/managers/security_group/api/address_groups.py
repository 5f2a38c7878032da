"""The address group as clients see it, with its two actions."""

from alcor.resource import standard
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, CIDR, list_of, string

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
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="description", type=string(1_024), default=""),
        Field(name="addresses", type=_NOTHING_IS_NONE, default=[], put=False),
        read_only("shared", BOOLEAN),
        *standard.HISTORY,
    ),
    actions=(
        Action(name="add_addresses", arguments=(_ADDRESSES,), answer_root="address_group"),
        Action(name="remove_addresses", arguments=(_ADDRESSES,), answer_root="address_group"),
    ),
)
