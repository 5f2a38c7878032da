"""Whose connections a conntrack zone holds: a zone that changes hands must be flushed.

Pure. A zone is a port's number, which another port may get once the first is gone; connections of
the first must not become the second's. Who owned a zone is read back from the flow that delivers to
its port, so a change is noticed even if the agent was away. A switch that has lost all flows may
still have its connections: zones whose owner nobody remembers are flushed.
"""

from collections.abc import Mapping

from alcor.agent.compiler.compiler import Change
from alcor.agent.model.routers.outside import zone_first
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import is_ours
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.openflow.flows import FlowBody, FlowKey, cookie_of, match_of, table_of

_UNKNOWN = 0  # in place of an owner: no cookie of ours
_PORT_OUT = FIELD_BY_NAME[p.PORT_OUT].place


class Zones:
    """Owners as wanted and as they are: the cookies of ports' flows, by zone."""

    def __init__(self) -> None:
        self._wanted: dict[int, int] = {}
        self._there: dict[int, int] = {}
        self._due: set[int] = set()  # zones whose owners may differ

    def want(self, change: Change) -> None:
        """Move what is wanted."""
        self._wanted.update(change.zones_put)
        for zone in change.zones_put:
            if zone >= zone_first:  # a router may have had it
                self._there.setdefault(zone, _UNKNOWN)
        for zone in change.zones_taken:
            self._wanted.pop(zone, None)
        self._due.update(change.zones_put, change.zones_taken)

    def believe(self, installed: Mapping[FlowKey, FlowBody]) -> None:
        """Take what was read back as the truth."""
        for key, body in installed.items():
            if table_of(key) == p.DELIVER and is_ours(body):
                for term in match_of(key).terms:
                    if term.field == _PORT_OUT:
                        self._there[term.value] = cookie_of(body)
        if not any(map(is_ours, installed.values())):
            for zone in self._wanted:
                self._there.setdefault(zone, _UNKNOWN)
        self._due = {*self._there, *self._wanted}

    def stale(self, complete: bool) -> list[int]:
        """The zones to flush; those that nobody wants only once all that is wanted is known."""
        return sorted(
            zone
            for zone in self._due
            if zone in self._there
            and (complete or zone in self._wanted)
            and self._there[zone] != self._wanted.get(zone)
        )

    def flushed(self, complete: bool) -> None:
        """The stale zones have been flushed."""
        for zone in list(self._due):
            owner = self._wanted.get(zone)
            if owner is not None:
                self._there[zone] = owner
            elif complete:
                self._there.pop(zone, None)
            else:
                continue
            self._due.discard(zone)
