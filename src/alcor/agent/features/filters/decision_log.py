"""FW_*_LOG: copies for the agent of what security groups decide about a port that is logged.

Nothing is decided here: every packet goes on to FW_*_VERDICT, whatever becomes of its copy. Only
the copies are metered (by the switch, before they leave it), never the packets themselves. Of an
allowed connection the packets until the first answer are copied, which is mostly one packet; of a
stateless port every packet is.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

from alcor.agent.model.model import Wired
from alcor.agent.model.ports import meter as m
from alcor.agent.model.ports.meter import Meter
from alcor.agent.model.ports.monitoring import Limit, Wanted
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.flow import (
    CT_INV,
    CT_NEW,
    CT_TRK,
    Flow,
    Match,
    MatchFields,
    apply,
    match,
    punt,
    set_field,
)


class _Side(NamedTuple):
    """The stages of one direction."""

    port: str  # the register of the port
    state: int
    log: int
    verdict: int


_SIDES = (
    _Side(p.PORT_OUT, p.FW_IN_STATE, p.FW_IN_LOG, p.FW_IN_VERDICT),
    _Side(p.PORT_IN, p.FW_OUT_STATE, p.FW_OUT_LOG, p.FW_OUT_VERDICT),
)
_REFUSED = (0, p.ALLOWED[1])
_NEW = (CT_TRK | CT_NEW, CT_TRK | CT_NEW)


def port(wired: Wired, wanted: Wanted, cookie: int) -> Iterator[Flow]:
    """The copies of one port, if its groups decide anything."""
    if not wired.port.filtered:
        return
    for side in _SIDES:
        if wanted.accepted:
            what = _of(side.port, wired.number, **{p.VERDICT: p.ALLOWED, "ct_state": _NEW})
            yield _copy(side, what, m.ACCEPTED, cookie)
        if wanted.dropped:
            what = _of(side.port, wired.number, **{p.VERDICT: _REFUSED})
            yield _copy(side, what, m.DROPPED, cookie)
            # What is of no connection is dropped a stage before.
            invalid = _of(side.port, wired.number, ct_state=(CT_TRK | CT_INV, CT_TRK | CT_INV))
            refuse = apply(set_field(p.VERDICT, 0), goto=side.log)
            yield Flow(side.state, p.PRIORITY.low, invalid, refuse, cookie)


def meters(wired: Wired, wanted: Wanted, limit: Limit) -> Iterator[Meter]:
    """The meters that its flows name: the host's, which all its logged ports share."""
    if wired.port.filtered:
        if wanted.accepted:
            yield Meter(m.ACCEPTED, *limit)
        if wanted.dropped:
            yield Meter(m.DROPPED, *limit)


def _copy(side: _Side, what: Match, meter: int, cookie: int) -> Flow:
    to_agent = apply(punt(meter=meter, userdata=p.PUNT_LOG), goto=side.verdict)
    return Flow(side.log, p.PRIORITY.normal, what, to_agent, cookie)


def _of(register: str, value: int, **fields: object) -> Match:
    return match(**cast(MatchFields, {register: value, **fields}))
