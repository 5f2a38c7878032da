"""A host name as a client may give one: of a port, or of a floating IP. Pure.

Source: neutron_lib.api.validators.dns (type:dns_host_name).
"""

import re

from alcor.resource.fields import FieldType, shown

name_chars_max = 255
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


def _parse_name(value: object) -> object:
    if value in (None, ""):
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a valid string")
    name = value.lower()
    if len(name) > name_chars_max or _NAME.fullmatch(name) is None:
        raise ValueError(f"{shown(value)} not a valid PQDN or FQDN")
    last = name.rstrip(".").rpartition(".")[2]
    if last.isdigit() and "." in name:
        raise ValueError(f"{shown(value)} not a valid PQDN or FQDN: TLD '{last}' is all numeric")
    return name


DNS_NAME = FieldType(
    "host name", _parse_name, str.lower, {"type": "string", "maxLength": name_chars_max}
)
