"""Why something can't be done with a trunk. Source: neutron.services.trunk.exceptions."""

from alcor.values.errors import BadRequest, Conflict, InvalidInput, NotFound


class TrunkNotFound(NotFound):
    """There is no such trunk, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Trunk {id_[:255]} could not be found.")


class TrunkIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the trunk. Its id is in use.")


class TrunkDisabled(Conflict):
    """Nothing comes to a trunk or leaves it while it is administratively down."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Trunk {id_} is currently disabled.")


class DuplicateSubPort(Conflict):
    """The VLAN id is another sub-port's of the trunk."""

    def __init__(self, type_: str, segmentation_id: int, trunk_id: str) -> None:
        super().__init__(
            f"segmentation_type {type_} and segmentation_id {segmentation_id} already in use "
            f"on trunk {trunk_id}."
        )


class SubPortNotFound(NotFound):
    """The port is no sub-port of the trunk."""

    def __init__(self, trunk_id: str, port_id: str) -> None:
        super().__init__(
            f"SubPort on trunk {trunk_id} with parent port {port_id} could not be found."
        )


class SubPortMtuGreaterThanTrunkPortMtu(Conflict):
    """Frames that the sub-port's network allows don't fit through the parent."""

    def __init__(self, port_id: str, port_mtu: int, parent_id: str, mtu: int) -> None:
        super().__init__(
            f"MTU {port_mtu} of subport {port_id} cannot be greater than MTU {mtu} of trunk "
            f"{parent_id}."
        )


class SubPortsExhausted(BadRequest):
    """More sub-ports than a trunk may have."""

    def __init__(self, trunk_id: str, count_max: int) -> None:
        super().__init__(
            f"Unable to complete operation for {trunk_id}. "
            f"The number of sub-ports exceeds the maximum {count_max}."
        )


class NothingToInherit(InvalidInput):
    """A sub-port has its network's VLAN id only where that is a VLAN network."""

    def __init__(self, network_type: str) -> None:
        super().__init__(
            f"Invalid input for operation: Cannot accept segmentation type {network_type}."
        )
