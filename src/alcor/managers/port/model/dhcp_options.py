"""Extra DHCP options of a port. Pure.

In a change an option with a value replaces the one of its name and family, and one whose value is
null removes it; the others stay. Source: neutron.db.extradhcpopt_db.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alcor.intent.records import DhcpOption
from alcor.resource.fields import integer, list_of, nullable, record_of, shown, string
from alcor.values import dhcp_options

options_max = 64  # of one port
MAY_BE_BLANK = frozenset({"router", "classless-static-route"})  # blank: don't tell it at all


def _parse_name(value: object) -> object:
    text = str(string(64).parse(value))
    if not text.strip():
        raise ValueError(f"{shown(text)} Blank strings are not permitted")
    return text


_RECORD = record_of(
    {"opt_name": string(64)._replace(parse=_parse_name), "opt_value": nullable(string(255))},
    {"ip_version": integer(4, 6)},
)


def _parse(value: object) -> object:
    option: Any = _RECORD.parse(value)
    if option.get("ip_version") == 5:
        raise ValueError("5 is not in [4, 6]")
    blank = option["opt_value"] is not None and not option["opt_value"].strip()
    if blank and option["opt_name"] not in MAY_BE_BLANK:
        raise ValueError("Blank strings are not permitted")
    if option["opt_value"] is not None:
        dhcp_options.option(option["opt_name"], option["opt_value"], option.get("ip_version") or 4)
    return option


_LIST = list_of(_RECORD._replace(parse=_parse), options_max)
OPTIONS = _LIST._replace(parse=lambda value: [] if value is None else _LIST.parse(value))


def merged(
    held: Sequence[DhcpOption], given: Iterable[Mapping[str, Any]]
) -> tuple[DhcpOption, ...]:
    """The options after a change by what a checked body gives."""
    found = {(option.opt_name, option.ip_version): option for option in held}
    for item in given:
        name, version = item["opt_name"], item.get("ip_version", 4)
        if item["opt_value"] is None:
            found.pop((name, version), None)
        else:
            found[name, version] = DhcpOption(name, item["opt_value"], version)
    return tuple(found.values())
