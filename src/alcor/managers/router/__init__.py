"""The router manager: routers, their interfaces and gateways, and the routes of tenants."""
