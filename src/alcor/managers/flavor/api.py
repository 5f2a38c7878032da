"""Flavors, service profiles and service providers as clients see them.

Source: Neutron API reference v2, "Flavors", "Service profiles", "Service providers".
"""

from alcor.resource import standard
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, UUID, list_of, nullable, string

profiles_listed_max = 100  # of one flavor
_DESCRIPTION = nullable(string(1_024))

FLAVOR = Resource(
    name="flavor",
    collection="flavors",
    title="Flavor",
    path="/v2.0/flavors",
    extension="flavors",
    fields=(
        standard.ID,
        standard.NAME,
        Field(name="description", type=_DESCRIPTION, default=""),
        Field(name="service_type", type=string(255), required=True, put=False),
        Field(name="enabled", type=BOOLEAN, default=True),
        Field(name="service_profiles", type=list_of(UUID, profiles_listed_max), default=[]),
    ),
    actions=(Action(name="next_providers", method="GET", answer_root="next_providers"),),
)

SERVICE_PROFILE = Resource(
    name="service_profile",
    collection="service_profiles",
    title="ServiceProfile",
    path="/v2.0/service_profiles",
    extension="flavors",
    fields=(
        standard.ID,
        Field(name="description", type=_DESCRIPTION, default=""),
        Field(name="driver", type=string(1_024), default=""),
        Field(name="metainfo", type=string(4_096), default=""),
        Field(name="enabled", type=BOOLEAN, default=True),
    ),
)

FLAVOR_SERVICE_PROFILE = Resource(
    name="flavor_service_profile",
    root="service_profile",
    collection="service_profiles",
    title="FlavorServiceProfile",
    path="/v2.0/flavors/{flavor_id}/service_profiles",
    parent="flavor_id",
    extension="flavors",
    local_ids=True,
    updatable=False,
    fields=(Field(name="id", type=UUID, required=True),),
)

SERVICE_PROVIDER = Resource(
    name="service_provider",
    collection="service_providers",
    title="ServiceProvider",
    path="/v2.0/service-providers",
    extension="service-type",
    creatable=False,
    updatable=False,
    deletable=False,
    fields=(
        read_only("service_type", string(255)),
        read_only("name", string(255)),
        read_only("default", BOOLEAN),
    ),
)
