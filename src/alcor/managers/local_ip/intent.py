"""What the intent log is told of local IPs and of the ports that have them. Pure."""

from alcor.intent.local_ip_records import LocalIpAssociationRecord, LocalIpRecord
from alcor.managers.local_ip.model import PASSTHROUGH, Association, LocalIp


def local_ip_record(local_ip: LocalIp) -> LocalIpRecord:
    """The record of a local IP."""
    return LocalIpRecord(
        id=local_ip.id,
        project_id=local_ip.project_id,
        network_id=local_ip.network_id,
        port_id=local_ip.local_port_id,
        ip_address=local_ip.local_ip_address,
    )


def association_record(association: Association) -> LocalIpAssociationRecord:
    """The record of a port that has a local IP."""
    return LocalIpAssociationRecord(
        id=association.id,
        local_ip_id=association.local_ip_id,
        port_id=association.fixed_port_id,
        ip_address=association.local_ip_address,
        fixed_ip=association.fixed_ip,
        passthrough=association.ip_mode == PASSTHROUGH,
    )
