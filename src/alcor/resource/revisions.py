"""Refuse a change that was decided on an older state of the resource. Pure.

Source: Neutron API reference, "If-Match" (revision-if-match).
"""

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
