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
