"""Why something can't be done with a floating IP. Source: neutron_lib.exceptions.l3, neutron's
exceptions of port forwarding."""

from alcor.values.errors import BadRequest, Conflict, NotFound


class FloatingIPNotFound(NotFound):
    """There is no such floating IP, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Floating IP {id_[:255]} could not be found")


class PortForwardingNotFound(NotFound):
    """The floating IP has no such port forwarding."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Port Forwarding {id_[:255]} could not be found.")


class FloatingIpIdInUse(Conflict):
    """The id that the client chose is taken."""


class PortForwardingIdInUse(Conflict):
    """The same, of a port forwarding."""

    def __init__(self) -> None:
        super().__init__("Unable to create the port forwarding. Its id is in use.")


class ExternalIpAddressExhausted(Conflict):
    """The external network has no IPv4 address left."""

    def __init__(self, network_id: str) -> None:
        super().__init__(f"Unable to find any IP address on external network {network_id}.")


class ExternalGatewayForFloatingIPNotFound(NotFound):
    """No router joins the internal subnet and the external network."""

    def __init__(self, network_id: str, subnet_id: str, port_id: str) -> None:
        super().__init__(
            f"External network {network_id} is not reachable from subnet {subnet_id}.  "
            f"Therefore, cannot associate Port {port_id} with a Floating IP."
        )


class RouterWithoutGatewayForFloatingIP(Conflict):
    """The router that is to translate does not lead to the external network."""

    def __init__(self, router_id: str, network_id: str) -> None:
        super().__init__(f"Router {router_id} has no gateway on external network {network_id}.")


class FloatingIPPortAlreadyAssociated(Conflict):
    """The fixed address has a floating IP of that network already."""

    def __init__(
        self, address: str, id_: str, port_id: str, fixed_ip: str, network_id: str
    ) -> None:
        super().__init__(
            f"Cannot associate floating IP {address} ({id_}) with port {port_id} using fixed IP "
            f"{fixed_ip}, as that fixed IP already has a floating IP on external network "
            f"{network_id}."
        )


class FipInUseByPortForwarding(Conflict):
    """Ports of the floating IP are forwarded."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Floating IP {id_} in use by Port Forwarding resources.")


class PortHasBindingFloatingIP(Conflict):
    """The internal address has a floating IP of its own."""

    def __init__(self, address: str, id_: str, port_id: str, fixed_ip: str) -> None:
        super().__init__(
            f"Cannot create port forwarding to floating IP {address} ({id_}) with port {port_id} "
            f"using fixed IP {fixed_ip}, as that port already has a binding floating IP."
        )


class PortHasPortForwarding(Conflict):
    """Ports are forwarded to the internal address."""

    def __init__(self, address: str, id_: str, port_id: str, fixed_ip: str) -> None:
        super().__init__(
            f"Cannot associate floating IP {address} ({id_}) with port {port_id} using fixed IP "
            f"{fixed_ip}, as that fixed IP already has a port forwarding."
        )


class BadFloatingIpRequest(BadRequest):
    """The request as a whole makes no sense, in the words that Neutron uses for floating IPs."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Bad floatingip request: {message}.", type="BadRequest")


class BadPortForwardingRequest(BadRequest):
    """The same for port forwardings."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Bad port_forwarding request: {message}.", type="BadRequest")


class BadNdpProxyRequest(BadRequest):
    """The request as a whole makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Bad ndp_proxy request: {message}.", type="BadRequest")


class InvalidAddress(BadRequest):
    """The address is not one that the router could answer for."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"The address {address} is invalid, reason: {reason}.")


class RouterNDPProxyNotEnable(Conflict):
    """The router is not to answer for addresses inside."""

    def __init__(self, router_id: str) -> None:
        super().__init__(
            f"The enable_ndp_proxy parameter of router {router_id} must be set as True while "
            "create ndp proxy entry on it."
        )


class PortUnreachableRouter(Conflict):
    """The router is on none of the port's IPv6 subnets."""

    def __init__(self, router_id: str, port_id: str) -> None:
        super().__init__(f"The port {port_id} cannot reach the router {router_id} by IPv6 subnet.")


class AddressScopeConflict(Conflict):
    """What is outside is of another address scope."""

    def __init__(self, outside: str, inside: str) -> None:
        super().__init__(
            f"The IPv6 address scope {outside} of external network conflict with internal "
            f"network's IPv6 address scope {inside or None}."
        )
