"""Routers that were there already show that they have no conntrack helpers."""

from alcor.runtime.sql.migrations import Step

_HELPERS = (
    "UPDATE router SET doc = substr(doc, 1, length(doc) - 1) || ',\"conntrack_helpers\":[]}' "
    "WHERE id > ? AND id <= ? AND instr(doc, '\"conntrack_helpers\":') = 0"
)

STEPS = (Step("router", _HELPERS),)
