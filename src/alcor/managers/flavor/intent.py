"""What the intent log is told of flavors and service profiles. Pure."""

from alcor.intent.records import FlavorRecord, ServiceProfileRecord
from alcor.managers.flavor.model import Flavor, ServiceProfile


def flavor_record(flavor: Flavor) -> FlavorRecord:
    """The record of a flavor."""
    return FlavorRecord(
        id=flavor.id,
        name=flavor.name,
        service_type=flavor.service_type,
        enabled=flavor.enabled,
        service_profiles=flavor.service_profiles,
    )


def profile_record(profile: ServiceProfile) -> ServiceProfileRecord:
    """The record of a service profile."""
    return ServiceProfileRecord(
        id=profile.id, driver=profile.driver, metainfo=profile.metainfo, enabled=profile.enabled
    )
