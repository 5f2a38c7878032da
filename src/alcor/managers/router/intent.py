"""What the intent log is told of a router. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import RouterGateway, RouterRecord
from alcor.managers.router.model.router import Router

kind = "router"


def record(router: Router, gateway_port_id: str) -> RouterRecord:
    """The record of a router; the port's id is empty when it has no gateway."""
    info = router.external_gateway_info
    gateway = None
    if info is not None:
        gateway = RouterGateway(
            network_id=info.network_id,
            port_id=gateway_port_id,
            enable_snat=info.enable_snat,
            fixed_ips=info.external_fixed_ips,
            qos_policy_id=info.qos_policy_id or "",
        )
    return RouterRecord(
        id=router.id,
        project_id=router.project_id,
        name=router.name,
        admin_state_up=router.admin_state_up,
        routes=router.routes,
        gateway=gateway,
        ndp_proxy=router.enable_ndp_proxy,
    )


def told(router: Router, gateway_port_id: str) -> Told:
    """That the router is so."""
    return Told(records.key(kind, router.id), records.encode(record(router, gateway_port_id)))


def told_gone(id_: str) -> Told:
    """That the router is gone."""
    return Told(records.key(kind, id_), None)
