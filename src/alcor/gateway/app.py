"""Put the door together: what assembly opens, starts and closes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from alcor.contracts.resources import ResourceManager
from alcor.gateway.audit import Audit
from alcor.gateway.description.discovery import EXTENSIONS
from alcor.gateway.door import Door
from alcor.gateway.identity import Identity
from alcor.gateway.own.operations import About
from alcor.gateway.policy.policy import Policy, read_rules
from alcor.gateway.requests import Limits
from alcor.resource.declaration import Resource
from alcor.runtime.clock import NewId, Seconds, now_s
from alcor.runtime.config import needed
from alcor.runtime.observability.audit_file import AuditFile, to_log


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the HTTP API."""

    body_bytes_max: Annotated[
        int, msgspec.Meta(ge=1_024, description="Largest body of a request, in bytes")
    ] = 8 << 20
    url_bytes_max: Annotated[
        int, msgspec.Meta(ge=1_024, description="Longest path and query of a request, in bytes")
    ] = 32 << 10
    header_bytes_max: Annotated[
        int, msgspec.Meta(ge=1_024, description="Most bytes of a request's headers together")
    ] = 32 << 10
    connections_max: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            description=(
                "Most connections at once; more take the place of quiet ones, or are answered 503"
            ),
        ),
    ] = 10_000
    unread_bytes_max: Annotated[
        int,
        msgspec.Meta(
            ge=1 << 20,
            description="Most bytes of answers that clients have not read, of all together; beyond "
            "it who has not read for the longest is hung up on",
        ),
    ] = 256 << 20
    requests_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most requests that are answered at once")
    ] = 2_000
    requests_per_project_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most requests of one project answered at once")
    ] = 1_000
    items_per_page_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most items of one page of a list")
    ] = 10_000
    items_per_create_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most resources that one request creates")
    ] = 5_000
    wait_s_max: Annotated[
        float, msgspec.Meta(gt=0, description="Longest wait for convergence, in seconds")
    ] = 300.0
    policy_file: Annotated[
        str,
        msgspec.Meta(description="YAML or JSON file of rules, in oslo.policy's terms, over ours"),
    ] = ""
    audit: Annotated[
        str,
        msgspec.Meta(
            description="Where a line is told for every write, who and what: a file, or log (the "
            "process's own); empty: nowhere"
        ),
    ] = ""


def door(
    resources: Sequence[tuple[Resource, ResourceManager]],
    about: About,
    settings: GatewaySettings,
    identity: Identity,
    new_id: NewId,
    clock: Seconds = now_s,
) -> Door:
    """The application for these resources; `ConfigError` when the policy can't be read, or the
    file of the audit log not be written."""
    limits = Limits(**{name: getattr(settings, name) for name in Limits._fields})
    policy = Policy((resource for resource, _ in resources), read_rules(settings.policy_file))
    audit = _audit(settings.audit, clock)
    return Door(resources, about, identity, limits, policy, new_id, EXTENSIONS, audit)


def _audit(to: str, clock: Seconds) -> Audit | None:
    if not to:
        return None
    if to == "log":
        return Audit(to_log, clock)
    with needed("gateway.audit", to):
        return Audit(AuditFile(Path(to)).write, clock)
