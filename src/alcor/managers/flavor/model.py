"""Flavors, service profiles and providers, and what of them goes together. Pure.

An operator's flavor names a way to have a service; its profiles say which driver provides it. Here
one driver provides every service: its flavors differ in name and metainfo only.
Source: Neutron API reference v2, "Flavors", "Service profiles", "Service providers";
neutron.db.flavors_db.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.resource.revisions import different
from alcor.values.errors import Conflict, InvalidInput, NotFound, Unavailable

L3 = "L3_ROUTER_NAT"
SERVICE_TYPES = (L3, "FLAVORS")  # what flavors can be for; FLAVORS is the service of flavors itself


class Provider(NamedTuple):
    """Who provides a service."""

    service_type: str
    name: str
    driver: str
    default: bool


PROVIDERS = (Provider(L3, "alcor", "alcor.router", True),)


class InvalidFlavorServiceType(InvalidInput):
    """No such service has flavors."""

    def __init__(self, service_type: str) -> None:
        super().__init__(f"Invalid service type {service_type[:255]}.")


class FlavorInUse(Conflict):
    """Something was made with it."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Flavor {id_} is used by some service instance.")


class FlavorDisabled(Unavailable):
    """The operator has disabled it."""

    def __init__(self) -> None:
        super().__init__("Flavor is not enabled.")


class ServiceProfileNotFound(NotFound):
    """There is no such profile."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Service Profile {id_[:255]} could not be found.")


class ServiceProfileInUse(Conflict):
    """Flavors have the profile."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Service Profile {id_} is used by some service instance.")


class ServiceProfileDriverNotFound(NotFound):
    """Nobody provides anything by this driver."""

    def __init__(self, driver: str) -> None:
        super().__init__(f"Service Profile driver {driver[:255]} could not be found.")


class ServiceProfileEmpty(InvalidInput):
    """A profile says something."""

    def __init__(self) -> None:
        super().__init__("Service Profile needs either a driver or metainfo.")


class FlavorServiceProfileBindingExists(Conflict):
    """The flavor has the profile already."""

    def __init__(self, profile: str, flavor: str) -> None:
        super().__init__(f"Service Profile {profile} is already associated with flavor {flavor}.")


class FlavorServiceProfileBindingNotFound(NotFound):
    """The flavor has no such profile."""

    def __init__(self, profile: str, flavor: str) -> None:
        super().__init__(f"Service Profile {profile[:255]} is not associated with flavor {flavor}.")


class Flavor(msgspec.Struct, frozen=True, kw_only=True):
    """A flavor, with the ids of its profiles, none twice."""

    id: str
    name: str
    description: str | None
    service_type: str
    enabled: bool
    service_profiles: tuple[str, ...] = ()


class ServiceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile: a driver (empty: none in particular), and words for it."""

    id: str
    description: str | None
    driver: str
    metainfo: str
    enabled: bool


def flavor(values: Mapping[str, Any], id_: str) -> Flavor:
    """The flavor that a checked body asks for."""
    if values["service_type"] not in SERVICE_TYPES:
        raise InvalidFlavorServiceType(values["service_type"])
    return Flavor(
        id=id_,
        name=values["name"],
        description=values["description"],
        service_type=values["service_type"],
        enabled=values["enabled"],
        service_profiles=tuple(values["service_profiles"]),
    )


def changed_flavor(old: Flavor, changes: Mapping[str, Any]) -> Flavor:
    """The flavor after a checked PUT."""
    new = dict(changes)
    if "service_profiles" in new:
        new["service_profiles"] = tuple(new["service_profiles"])
    return different(old, new)


def with_profile(old: Flavor, profile: str) -> Flavor:
    """The flavor with one profile more."""
    if profile in old.service_profiles:
        raise FlavorServiceProfileBindingExists(profile, old.id)
    return different(old, {"service_profiles": (*old.service_profiles, profile)})


def without_profile(old: Flavor, profile: str) -> Flavor:
    """The flavor without one of its profiles."""
    if profile not in old.service_profiles:
        raise FlavorServiceProfileBindingNotFound(profile, old.id)
    left = tuple(each for each in old.service_profiles if each != profile)
    return different(old, {"service_profiles": left})


def profile(values: Mapping[str, Any], id_: str) -> ServiceProfile:
    """The profile that a checked body asks for."""
    new = ServiceProfile(
        id=id_,
        description=values["description"],
        driver=values["driver"],
        metainfo=values["metainfo"],
        enabled=values["enabled"],
    )
    return _checked(new)


def changed_profile(old: ServiceProfile, changes: Mapping[str, Any]) -> ServiceProfile:
    """The profile after a checked PUT."""
    return _checked(different(old, changes))


def providers_of(found: Flavor, profiles: Iterable[ServiceProfile]) -> list[dict[str, str]]:
    """Who would provide the next service of the flavor: the driver of its first enabled profile."""
    if not found.enabled:
        raise FlavorDisabled
    for each in profiles:
        if not each.enabled:
            continue
        name = next((p.name for p in PROVIDERS if p.driver == each.driver), "")
        return [{"provider": name, "driver": each.driver, "metainfo": each.metainfo}]
    return []


def _checked(new: ServiceProfile) -> ServiceProfile:
    if not new.driver and not new.metainfo:
        raise ServiceProfileEmpty
    if new.driver and new.driver not in {each.driver for each in PROVIDERS}:
        raise ServiceProfileDriverNotFound(new.driver)
    return new
