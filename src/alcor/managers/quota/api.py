"""Limits as clients see them; the id of a project's is the project's. Source: Neutron API
reference v2, "Quotas", "Quotas details"."""

from alcor.managers.quota.model import DEFAULT_BY_KIND
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, integer, string

_LIMIT = integer(-1, (1 << 31) - 1)


def _is_project(id_: object) -> bool:
    return isinstance(id_, str) and 0 < len(id_) <= 255


QUOTA = Resource(
    name="quota",
    collection="quotas",
    title="Quota",
    path="/v2.0/quotas",
    is_id=_is_project,
    creatable=False,
    every_id_has=True,
    fields=(
        read_only("project_id", string(255), alias="tenant_id"),
        *(
            Field(name=kind, type=_LIMIT, post=False, filterable=False, sortable=False)
            for kind in DEFAULT_BY_KIND
        ),
        Field(name="check_limit", type=BOOLEAN, post=False, filterable=False, sortable=False),
        Field(name="force", type=BOOLEAN, post=False, filterable=False, sortable=False),
    ),
    actions=(
        Action(name="default", method="GET", answer_root="quota"),
        Action(name="details", method="GET", answer_root="quota"),
        Action(name="details.json", method="GET", answer_root="quota"),
    ),
)
