"""Metering labels and their rules as clients see them.

Source: Neutron API reference v2, "Metering labels and rules".
"""

from alcor.resource import standard
from alcor.resource.declaration import Field, Resource
from alcor.resource.fields import BOOLEAN, CIDR, UUID, nullable, one_of, string

_PREFIX = nullable(CIDR)

METERING_LABEL = Resource(
    name="metering_label",
    collection="metering_labels",
    title="MeteringLabel",
    path="/v2.0/metering/metering-labels",
    extension="metering",
    updatable=False,
    fields=(
        standard.ID,
        standard.NAME,
        Field(name="description", type=string(1_024), default=""),
        standard.PROJECT,
        Field(name="shared", type=BOOLEAN, default=False),
    ),
)

METERING_LABEL_RULE = Resource(
    name="metering_label_rule",
    collection="metering_label_rules",
    title="MeteringLabelRule",
    path="/v2.0/metering/metering-label-rules",
    extension="metering",
    updatable=False,
    fields=(
        standard.ID,
        Field(name="metering_label_id", type=UUID, required=True),
        standard.PROJECT,
        Field(name="direction", type=one_of("ingress", "egress"), required=True),
        Field(name="excluded", type=BOOLEAN, default=False),
        Field(name="remote_ip_prefix", type=_PREFIX, default=None),
        Field(name="source_ip_prefix", type=_PREFIX, default=None),
        Field(name="destination_ip_prefix", type=_PREFIX, default=None),
    ),
)
