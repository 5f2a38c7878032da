"""NDP proxies, with the hops by which their routers reach them."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE ndp_proxy (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "router_id TEXT NOT NULL, port_id TEXT NOT NULL, interface_port_id TEXT NOT NULL, "
    "gateway_port_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX ndp_proxy_project ON ndp_proxy (project_id, id)",
    "CREATE INDEX ndp_proxy_router ON ndp_proxy (router_id, id)",
    "CREATE INDEX ndp_proxy_port ON ndp_proxy (port_id, id)",
    "CREATE INDEX ndp_proxy_interface ON ndp_proxy (interface_port_id)",
    "CREATE INDEX ndp_proxy_gateway ON ndp_proxy (gateway_port_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
