"""Routers of when a region was one zone, nova, are in the zones that they were asked for in."""

from alcor.runtime.sql.migrations import Step

_WAS, _IS = '"availability_zones":["nova"]', '"availability_zones":[]'
_ZONES = (
    f"UPDATE router SET doc = replace(doc, '{_WAS}', '{_IS}') "
    f"WHERE id > ? AND id <= ? AND instr(doc, '{_WAS}') > 0 "
    "AND instr(doc, '\"availability_zone_hints\":[]') > 0"
)

STEPS = (Step("router", _ZONES),)
