"""What is not there, or not theirs, whoever is asked for it. Neutron's clients know the names."""

from alcor.values.errors import NotFound


class NetworkNotFound(NotFound):
    """There is no such network, or it is going, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Network {id_[:255]} could not be found.")


class SubnetNotFound(NotFound):
    """There is no such subnet, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Subnet {id_[:255]} could not be found.")


class PortNotFound(NotFound):
    """There is no such port, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Port {id_[:255]} could not be found.")


class RouterNotFound(NotFound):
    """There is no such router, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Router {id_[:255]} could not be found.")
