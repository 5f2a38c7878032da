"""The records of local IPs: a part of `records.py`, which says what records are."""

import msgspec


class LocalIpRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address of a network that several ports have, each for the machines of its own host."""

    id: str
    project_id: str
    network_id: str
    port_id: str  # which keeps the address
    ip_address: str


class LocalIpAssociationRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A port that has a local IP."""

    id: str
    local_ip_id: str
    port_id: str
    ip_address: str  # the local IP's
    fixed_ip: str  # the port's, to which it is translated
    passthrough: bool = False  # it is not: the machine has the address itself
