"""How NDP proxies are kept."""

from alcor.managers.elastic_ip.intent import ndp_proxy_record
from alcor.managers.elastic_ip.model.ndp_proxy import NdpProxy
from alcor.runtime.managing.kept import Kept
from alcor.runtime.tables.resource_table import ResourceTable

NDP_PROXIES = Kept(
    "ndp_proxy",
    ResourceTable(
        "ndp_proxy",
        "NDPProxy",
        ("project_id", "router_id", "port_id", "interface_port_id", "gateway_port_id"),
    ),
    NdpProxy,
    ndp_proxy_record,
)
