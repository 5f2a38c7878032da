"""Why something can't be done with a router. Source: neutron_lib.exceptions.l3, extraroute;
neutron.services.conntrack_helper.common.exceptions."""

from collections.abc import Sequence

from alcor.intent.records import HostRoute
from alcor.values.errors import BadRequest, Conflict, InvalidInput, NotFound


class FlavorNotFound(NotFound):
    """The flavor has gone since it was asked for, or is just going."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Flavor {id_} could not be found.")


ports_named_max = 10


class RouterIdInUse(Conflict):
    """The id that the client chose is taken."""


class RouterInUse(Conflict):
    """The router has interfaces."""

    def __init__(self, id_: str, port_ids: Sequence[str]) -> None:
        more = ", ..." if len(port_ids) > ports_named_max else ""
        named = ", ".join(port_ids[:ports_named_max])
        super().__init__(f"Router {id_} has ports still attached: {named}{more}")


class RouterInterfaceNotFound(NotFound):
    """The port is no interface of the router."""

    def __init__(self, router_id: str, port_id: str) -> None:
        super().__init__(f"Router {router_id} does not have an interface with id {port_id}")


class RouterInterfaceNotFoundForSubnet(NotFound):
    """The router is not on the subnet."""

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(f"Router {router_id} has no interface on subnet {subnet_id}")


class SubnetMismatchForPort(Conflict):
    """The port and the subnet that were named do not belong together."""

    def __init__(self, port_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Subnet on port {port_id} does not match the requested subnet {subnet_id}."
        )


class RouterInterfaceInUseByFloatingIP(Conflict):
    """Floating IPs are given to addresses behind the interface."""

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, "
            "as it is required by one or more floating IPs."
        )


class RouterInterfaceInUseByRoute(Conflict):
    """A route's next hop is behind the interface."""

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, "
            "as it is required by one or more routes."
        )


class RouterExternalGatewayInUseByFloatingIp(Conflict):
    """Floating IPs of the external network are translated by the router."""

    def __init__(self, router_id: str, network_id: str) -> None:
        super().__init__(
            f"Gateway cannot be updated for router {router_id}, since a gateway to external "
            f"network {network_id} is required by one or more floating IPs."
        )


class UnableToMatchGateways(BadRequest):
    """The router has no such gateway."""

    def __init__(self, router_id: str, network_id: str) -> None:
        super().__init__(
            f"Unable to match a requested gateway port to existing gateway ports for router "
            f"{router_id}: it has none such to network {network_id}"
        )


class RouterInterfaceInUseByNDPProxy(Conflict):
    """NDP proxies are for addresses behind the interface."""

    def __init__(self, router_id: str, subnet_id: str) -> None:
        super().__init__(
            f"Unable to remove subnet {subnet_id} from router {router_id}, There are one or more "
            "ndp proxies still in use on the subnet."
        )


class RouterGatewayInUseByNDPProxy(Conflict):
    """NDP proxies answer for the router on the external network."""

    def __init__(self, router_id: str) -> None:
        super().__init__(
            f"Unable to unset external gateway of router {router_id}, There are one or more ndp "
            "proxies still in use on the router."
        )


class RouterGatewayNotValid(Conflict):
    """The router can't answer for addresses inside by such a gateway, or none."""

    def __init__(self, router_id: str, reason: str) -> None:
        super().__init__(f"Can not enable ndp proxy no router {router_id}, {reason}.")


class InvalidRoutes(InvalidInput):
    """A route that could not be followed."""

    def __init__(self, routes: Sequence[HostRoute], reason: str) -> None:
        shown = ", ".join(f"{route.destination} via {route.nexthop}" for route in routes)
        super().__init__(f"Invalid format for routes: {shown[:255]}, {reason}")


class RoutesExhausted(Conflict):
    """More routes than a router of the project may have."""

    def __init__(self) -> None:
        super().__init__("Quota exceeded for resources: ['router_route'].", type="OverQuota")


class ConntrackHelperNotFound(NotFound):
    """There is no such helper, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Conntrack Helper {id_[:255]} could not be found.")


class ConntrackHelperIdInUse(Conflict):
    """The id that the client chose is taken."""


class ConntrackHelperNotAllowed(BadRequest):
    """Switches can't read such a protocol."""

    def __init__(self, helper: str) -> None:
        super().__init__(f"Conntrack helper {helper} is not allowed: hosts read ftp and tftp only.")


class InvalidProtocolForHelper(BadRequest):
    """What the helper reads is not carried by such a protocol."""

    def __init__(self, helper: str, protocol: str, supported: str) -> None:
        super().__init__(
            f"Conntrack helper {helper} doesn't support protocol: {protocol}. Must be one of: "
            f"{supported}"
        )


class BadConntrackHelperRequest(BadRequest):
    """The request as a whole makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Bad conntrack_helper request: {message}.", type="BadRequest")


class BadRouterRequest(BadRequest):
    """The request as a whole makes no sense, in the words that Neutron uses for routers."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Bad router request: {message}.", type="BadRequest")
