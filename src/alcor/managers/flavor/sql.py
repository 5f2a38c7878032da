"""How the flavor manager keeps its kinds."""

from alcor.managers.flavor import intent
from alcor.managers.flavor.model import Flavor, ServiceProfile
from alcor.runtime.managing.kept import Kept, living_of
from alcor.runtime.tables.resource_table import ResourceTable

FLAVORS = Kept("flavor", ResourceTable("flavor", "Flavor", ("name",)), Flavor, intent.flavor_record)
PROFILES = Kept(
    "service_profile",
    ResourceTable("service_profile", "ServiceProfile", ("driver",)),
    ServiceProfile,
    intent.profile_record,
)
living = living_of(FLAVORS, PROFILES)
