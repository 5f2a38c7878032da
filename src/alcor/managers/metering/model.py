"""Metering labels and their rules, and why one can't be had. Pure.

A label counts what passes the gateways of its project's routers (of all routers, if it is shared)
and fits a rule of its own that does not exclude it; whatever fits several rules is counted once.
Source: Neutron API reference v2, "Metering labels and rules"; neutron.db.metering.metering_db.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alcor.values.addresses import prefix
from alcor.values.errors import Conflict, InvalidInput, NotFound


class MeteringLabelNotFound(NotFound):
    """There is no such label, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Metering label {id_[:255]} does not exist.")


class MeteringLabelRuleOverlaps(Conflict):
    """Another rule of the label counts, or excludes, some of the same addresses."""

    def __init__(self, cidr: str) -> None:
        super().__init__(f"Metering label rule with remote_ip_prefix '{cidr}' overlaps another.")


class MeteringLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    shared: bool


class MeteringLabelRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: either of the remote end, or of source and destination; an end left out is any."""

    id: str
    metering_label_id: str
    tenant_id: str
    project_id: str
    direction: str  # ingress: from outside
    excluded: bool
    remote_ip_prefix: str | None
    source_ip_prefix: str | None
    destination_ip_prefix: str | None

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """Source and destination."""
        if self.remote_ip_prefix is None:
            return self.source_ip_prefix, self.destination_ip_prefix
        outside = self.remote_ip_prefix
        return (outside, None) if self.direction == "ingress" else (None, outside)


def label(values: Mapping[str, Any], id_: str) -> MeteringLabel:
    """The label that a checked body asks for."""
    return MeteringLabel(
        id=id_,
        name=values["name"],
        description=values["description"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        shared=values["shared"],
    )


def rule(values: Mapping[str, Any], id_: str) -> MeteringLabelRule:
    """The rule that a checked body asks for."""
    new = MeteringLabelRule(
        id=id_,
        metering_label_id=values["metering_label_id"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        direction=values["direction"],
        excluded=values["excluded"],
        remote_ip_prefix=values["remote_ip_prefix"],
        source_ip_prefix=values["source_ip_prefix"],
        destination_ip_prefix=values["destination_ip_prefix"],
    )
    ends = [each for each in (new.source_ip_prefix, new.destination_ip_prefix) if each]
    if new.remote_ip_prefix and ends:
        raise InvalidInput(
            "Invalid input for operation: remote_ip_prefix can't be used together with "
            "source_ip_prefix or destination_ip_prefix."
        )
    if not new.remote_ip_prefix and not ends:
        raise InvalidInput(
            "Invalid input for operation: One of remote_ip_prefix, source_ip_prefix and "
            "destination_ip_prefix is required."
        )
    if len({prefix(each).version for each in ends}) > 1:
        raise InvalidInput(
            "Invalid input for operation: source_ip_prefix and destination_ip_prefix are of "
            "different IP versions."
        )
    return new


def check_overlap(new: MeteringLabelRule, others: Iterable[MeteringLabelRule]) -> None:
    """That no other rule of its label says the same of some remote addresses."""
    if new.remote_ip_prefix is None:
        return
    mine = prefix(new.remote_ip_prefix)
    for other in others:
        alike = (other.direction, other.excluded) == (new.direction, new.excluded)
        if alike and other.remote_ip_prefix and prefix(other.remote_ip_prefix).overlaps(mine):
            raise MeteringLabelRuleOverlaps(new.remote_ip_prefix)
