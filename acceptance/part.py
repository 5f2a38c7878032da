"""The part of Tempest that `make test` runs, by name."""

from typing import NamedTuple


class Group(NamedTuple):
    """Tests that run together."""

    regex: str
    passed_min: int  # fewer means that tests were skipped that used to run


PART: dict[str, Group] = {
    "networks": Group(
        r"tempest\.api\.network\.test_(extensions|versions|networks|networks_negative)\.",
        passed_min=55,
    ),
    "ports": Group(
        r"tempest\.api\.network\.test_(ports|dhcp_ipv6|allowed_address_pair)\.", passed_min=40
    ),
    "routers": Group(
        r"tempest\.api\.network\.test_(routers|routers_negative|floating_ips)\.", passed_min=20
    ),
    "security-groups": Group(r"tempest\.api\.network\.test_security_groups", passed_min=30),
    "plugin": Group(
        r"neutron_tempest_plugin\.api\.test_(security_groups|networks|ports)\.", passed_min=50
    ),
}
