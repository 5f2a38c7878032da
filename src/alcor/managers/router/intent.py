"""What the intent log is told of a router. Pure."""

from collections.abc import Iterable

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import RouterGateway, RouterRecord
from alcor.intent.router_records import HelperRecord
from alcor.managers.router.model.attachments import Attachment, gates_of
from alcor.managers.router.model.gateway import GatewayInfo
from alcor.managers.router.model.router import Router
from alcor.values.protocols import NUMBER_BY_NAME

kind = "router"


def record(router: Router, attachments: Iterable[Attachment]) -> RouterRecord:
    """The record of a router, some of whose attachments are the ports of its gateways."""
    gates = gates_of(router.gateways, attachments)
    gateways = [
        _gateway(info, gate.port_id if gate is not None else "")
        for info, gate in zip(router.gateways, gates, strict=True)
    ]
    return RouterRecord(
        id=router.id,
        project_id=router.project_id,
        name=router.name,
        admin_state_up=router.admin_state_up,
        routes=router.routes,
        gateway=gateways[0] if gateways else None,
        ndp_proxy=router.enable_ndp_proxy,
        more_gateways=tuple(gateways[1:]),
        ecmp=router.enable_default_route_ecmp,
        bfd=router.enable_default_route_bfd,
        helpers=tuple(
            HelperRecord(protocol=NUMBER_BY_NAME[each.protocol], port=each.port, helper=each.helper)
            for each in router.conntrack_helpers
        ),
        availability_zones=router.availability_zone_hints,
    )


def _gateway(info: GatewayInfo, port_id: str) -> RouterGateway:
    return RouterGateway(
        network_id=info.network_id,
        port_id=port_id,
        enable_snat=info.enable_snat,
        fixed_ips=info.external_fixed_ips,
        qos_policy_id=info.qos_policy_id or "",
    )


def told(router: Router, attachments: Iterable[Attachment]) -> Told:
    """That the router is so."""
    return Told(records.key(kind, router.id), records.encode(record(router, attachments)))


def told_gone(id_: str) -> Told:
    """That the router is gone."""
    return Told(records.key(kind, id_), None)
