"""Allowed address pairs: what a port may send from besides its own addresses. Pure.

Source: Neutron API reference v2, "Allowed address pairs"; neutron.extensions.allowedaddresspairs.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from alcor.intent.records import AddressPair
from alcor.resource.fields import CIDR, IP, MAC, FieldType, shown
from alcor.values.addresses import prefix
from alcor.values.errors import Conflict, HTTPBadRequest, Refusal

_GROUPS_BY_VERSION = {4: prefix("224.0.0.0/4"), 6: prefix("ff00::/8")}
pairs_max = 10  # of one port: Neutron's max_allowed_address_pair

Pair = dict[str, str]


class AllowedAddressPairExhausted(Refusal):
    """More pairs than a port may have."""

    def __init__(self) -> None:
        super().__init__(f"The number of allowed address pair exceeds the maximum {pairs_max}.")


class AllowedAddressPairsMissingIP(Refusal):
    """A pair has an address at least."""

    def __init__(self) -> None:
        super().__init__("AllowedAddressPair must contain ip_address")


class DuplicateAddressPairInRequest(Refusal):
    """One pair twice."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(
            "Request contains duplicate address pair: mac_address "
            f"{pair.get('mac_address')} ip_address {pair['ip_address']}."
        )


class AddressPairAndPortSecurityRequired(Conflict):
    """Where nobody looks at a port's packets, every address is allowed anyway."""

    def __init__(self) -> None:
        super().__init__(
            "Port Security must be enabled in order to have allowed address pairs on a port."
        )


def _parse(value: object) -> list[Pair]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise HTTPBadRequest("Allowed address pairs must be a list.")
    if len(value) > pairs_max:
        raise AllowedAddressPairExhausted
    pairs = [_pair(item) for item in value]
    for i, pair in enumerate(pairs):
        if pair in pairs[:i]:
            raise DuplicateAddressPairInRequest(pair)
    return pairs


def _pair(item: object) -> Pair:
    if not isinstance(item, dict):
        raise ValueError(f"{shown(item)} is not a dictionary")
    if unknown := item.keys() - {"ip_address", "mac_address"}:
        names = ", ".join(sorted(map(str, unknown)))
        raise HTTPBadRequest(f"Unrecognized attribute(s) {shown(names)}")
    if item.get("ip_address") is None:
        raise AllowedAddressPairsMissingIP
    pair = {"ip_address": _address(item["ip_address"])}
    if item.get("mac_address") is not None:
        pair["mac_address"] = str(MAC.parse(item["mac_address"]))
        if int(pair["mac_address"][:2], 16) & 1:
            mac = pair["mac_address"]
            raise HTTPBadRequest(
                f"MAC address {mac} is a multicast address, which is not supported."
            )
    return pair


def _address(value: object) -> str:
    """An address or a prefix, as it is written; of machines only, not of groups of them."""
    if isinstance(value, str) and "/" in value:
        try:
            wanted = prefix(value)
        except ValueError:
            raise ValueError(f"{shown(value)} is not a valid IP subnet") from None
        groups = _GROUPS_BY_VERSION[wanted.version]
        if wanted.length and wanted.overlaps(groups):
            raise HTTPBadRequest(
                f"Subnet {shown(value)} overlaps with multicast range {groups}, which is not "
                "supported."
            )
        return value
    text = str(IP.parse(value))
    if ip_address(text).is_multicast:
        raise HTTPBadRequest(f"IP {text} is a multicast address, which is not supported.")
    return text


_ADDRESS = {"anyOf": [*IP.schema["anyOf"], dict(CIDR.schema)]}
_PAIR = {
    "type": "object",
    "properties": {"ip_address": _ADDRESS, "mac_address": dict(MAC.schema)},
    "required": ["ip_address"],
    "additionalProperties": False,
}
PAIRS = FieldType(
    "list of allowed address pairs",
    _parse,
    None,
    {"type": "array", "items": _PAIR, "maxItems": pairs_max},
)


def made(pairs: Iterable[Pair], mac_address: str) -> tuple[AddressPair, ...]:
    """The pairs of a port; its own MAC goes with those that name none."""
    found = [AddressPair(p["ip_address"], p.get("mac_address", mac_address)) for p in pairs]
    return tuple(dict.fromkeys(found))


def normal(pair: AddressPair) -> AddressPair:
    """With the addresses as a prefix."""
    text = pair.ip_address
    whole = text if "/" in text else f"{text}/{128 if ':' in text else 32}"
    return AddressPair(str(prefix(whole)), pair.mac_address)
