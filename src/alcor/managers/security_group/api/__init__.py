"""The kinds of this manager as clients see them. Source: Neutron API reference v2."""

from alcor.managers.security_group.api.address_groups import ADDRESS_GROUP
from alcor.managers.security_group.api.groups import SECURITY_GROUP
from alcor.managers.security_group.api.rules import (
    DEFAULT_SECURITY_GROUP_RULE,
    SECURITY_GROUP_RULE,
)

__all__ = [
    "ADDRESS_GROUP",
    "DEFAULT_SECURITY_GROUP_RULE",
    "SECURITY_GROUP",
    "SECURITY_GROUP_RULE",
]
