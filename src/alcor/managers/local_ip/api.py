"""Local IPs and the ports that have them as clients see them.

Source: Neutron API reference v2, "Local IPs", "Local IP Associations".
"""

from alcor.managers.local_ip.model import PASSTHROUGH, TRANSLATE
from alcor.resource import standard
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import IP, UUID, nullable, one_of, string

PARENT = "local_ip_id"

LOCAL_IP = Resource(
    name="local_ip",
    collection="local_ips",
    title="LocalIP",
    path="/v2.0/local-ips",
    extension="local_ip",
    fields=(
        standard.ID,
        standard.NAME,
        standard.DESCRIPTION,
        standard.PROJECT,
        Field(name="local_port_id", type=UUID, put=False),
        Field(name="network_id", type=UUID, put=False),
        Field(name="local_ip_address", type=nullable(IP), put=False),
        Field(name="ip_mode", type=one_of(TRANSLATE, PASSTHROUGH), default=TRANSLATE, put=False),
        *standard.HISTORY,
    ),
)

PORT_ASSOCIATION = Resource(
    name="port_association",
    collection="port_associations",
    title="LocalIPAssociation",
    path=f"/v2.0/local-ips/{{{PARENT}}}/port_associations",
    parent=PARENT,
    policy_name="local_ip_port_association",
    extension="local_ip",
    local_ids=True,
    updatable=False,
    fields=(
        Field(name="fixed_port_id", type=UUID, required=True),
        Field(name="fixed_ip", type=nullable(IP), default=None),
        read_only("local_ip_address", IP),
        read_only("host", string(255)),
    ),
)
