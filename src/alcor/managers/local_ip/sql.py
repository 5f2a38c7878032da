"""How the local IP manager keeps its kinds, and the ports that it made for them."""

import sqlite3
from collections.abc import Iterable

from alcor.managers.local_ip import intent
from alcor.managers.local_ip.model import Association, LocalIp
from alcor.runtime.managing.kept import Kept, living_of
from alcor.runtime.tables.resource_table import ResourceTable

LOCAL_IPS = Kept(
    "local_ip",
    ResourceTable("local_ip", "LocalIP", ("project_id", "name", "network_id", "local_port_id")),
    LocalIp,
    intent.local_ip_record,
)
ASSOCIATIONS = Kept(
    "local_ip_association",
    ResourceTable("local_ip_association", "LocalIPAssociation", ("local_ip_id", "fixed_port_id")),
    Association,
    intent.association_record,
)
living = living_of(LOCAL_IPS, ASSOCIATIONS)


def begin_port(connection: sqlite3.Connection, local_ip_id: str, port_id: str) -> None:
    """Note that a port is made for a local IP, before it is."""
    connection.execute("INSERT INTO local_ip_own_port VALUES (?, ?)", (port_id, local_ip_id))


def end_ports(connection: sqlite3.Connection, port_ids: Iterable[str]) -> None:
    """Forget ports that are gone."""
    connection.executemany(
        "DELETE FROM local_ip_own_port WHERE port_id = ?", [(each,) for each in port_ids]
    )


def orphans(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """The ports that were made for local IPs that are not there, and those local IPs."""
    rows = connection.execute(
        "SELECT own.port_id, own.local_ip_id FROM local_ip_own_port own "
        "LEFT JOIN local_ip ON local_ip.local_port_id = own.port_id WHERE local_ip.id IS NULL"
    )
    return [(str(port_id), str(local_ip_id)) for port_id, local_ip_id in rows.fetchall()]


def ports_in_use(connection: sqlite3.Connection) -> set[str]:
    """The ports that have local IPs, and those at whose addresses they are."""
    rows = connection.execute(
        "SELECT fixed_port_id FROM local_ip_association UNION SELECT local_port_id FROM local_ip"
    )
    return {str(port_id) for (port_id,) in rows.fetchall()}
