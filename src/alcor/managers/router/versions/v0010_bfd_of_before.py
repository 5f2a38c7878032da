"""Routers that were there already show that nobody watches the next hops of their gateways."""

from alcor.runtime.sql.migrations import Step

_FLAG = (
    "UPDATE router SET doc = substr(doc, 1, length(doc) - 1) "
    "|| ',\"enable_default_route_bfd\":false}' "
    "WHERE id > ? AND id <= ? AND instr(doc, '\"enable_default_route_bfd\":') = 0"
)

STEPS = (Step("router", _FLAG),)
