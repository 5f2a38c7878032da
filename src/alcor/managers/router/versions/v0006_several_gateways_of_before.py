"""Routers that were there already show all their gateways too, of which they have one or none."""

from alcor.runtime.sql.migrations import Step

_ROWS = "WHERE id > ? AND id <= ? AND instr(doc, '\"{}\":') = 0"
_WITH = "UPDATE router SET doc = substr(doc, 1, length(doc) - 1) || "
_GATEWAYS = (
    f"{_WITH}',\"external_gateways\":[' "
    "|| ifnull(json_extract(doc, '$.external_gateway_info'), '') || ']}' "
    f"{_ROWS.format('external_gateways')}"
)
_ECMP = (
    f"{_WITH}',\"enable_default_route_ecmp\":false}}' {_ROWS.format('enable_default_route_ecmp')}"
)

STEPS = (Step("router", _GATEWAYS), Step("router", _ECMP))
