"""A resource after a change, and the refusal of one that was decided on an older state. Pure.

Source: Neutron API reference, "If-Match" (revision-if-match).
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from alcor.values.errors import Kind, Refusal


class RevisionNumberConstraintFailed(Refusal):
    """The resource has been changed since the client read it."""

    kind = Kind.STALE

    def __init__(self, wanted: int, held: int) -> None:
        super().__init__(f"Constrained to {wanted}, but current revision is {held}")


def check_revision(wanted: int | None, held: int) -> None:
    """Nothing wanted is always right."""
    if wanted is not None and wanted != held:
        raise RevisionNumberConstraintFailed(wanted, held)


S = TypeVar("S", bound=msgspec.Struct)


def different(old: S, changes: Mapping[str, Any]) -> S:
    """With these values; the very same when nothing is different."""
    new = {name: value for name, value in changes.items() if getattr(old, name) != value}
    return msgspec.structs.replace(old, **new) if new else old


def revised(old: S, changes: Mapping[str, Any], now: str) -> S:
    """As `different`, one revision later, of a kind that has revisions and times."""
    new = different(old, changes)
    return new if new is old else touched(new, {}, now)


def touched(old: S, values: Mapping[str, Any], now: str) -> S:
    """With these values, one revision later, were they all the same: a part of it has changed."""
    held: Any = old
    revision = held.revision_number + 1
    return msgspec.structs.replace(old, **values, revision_number=revision, updated_at=now)
