"""The records of local IPs: a part of `records.py`, which says what records are."""

from alcor.intent.record import Record


class LocalIpRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An address of a network that several ports have, each for the machines of its own host."""

    project_id: str
    network_id: str
    port_id: str  # which keeps the address
    ip_address: str


class LocalIpAssociationRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A port that has a local IP."""

    local_ip_id: str
    port_id: str
    ip_address: str  # the local IP's
    fixed_ip: str  # the port's, to which it is translated
    passthrough: bool = False  # it is not: the machine has the address itself
