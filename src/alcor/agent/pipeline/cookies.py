"""Cookies: what says on a switch that a flow is an agent's, and which unit it is of. Pure."""

from hashlib import blake2b

from alcor.agent.model.unit import Unit, UnitKind
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.openflow.flows import FlowBody

OWNER = 0xA1  # the first byte of every cookie: a flow of ours
OWNER_COOKIE = OWNER << 56


def is_ours(body: FlowBody) -> bool:
    """Whether a flow on the switch was put there by an agent."""
    return body[0] == OWNER


def cookie_of(unit: Unit) -> int:
    """The cookie of a unit's flows: owner, kind, hash; the host's own tell of which pipeline."""
    name = p.FINGERPRINT if unit.kind is UnitKind.HOST else f"{unit.network_id}/{unit.id}".encode()
    digest = int.from_bytes(blake2b(name, digest_size=6).digest(), "big")
    return OWNER_COOKIE | unit.kind << 48 | digest
