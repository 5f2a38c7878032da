"""How small a network's packets may be: what IP itself asks for. Sizes are in bytes."""

from alcor.values.errors import Conflict

MTU_MIN_BY_VERSION = {4: 68, 6: 1_280}  # RFC 791, RFC 8200


class NetworkMTUSubnetConflict(Conflict):
    """A subnet's family needs larger packets than its network carries."""

    def __init__(self, network_id: str, mtu_min: int) -> None:
        super().__init__(
            f"MTU of {network_id} is not valid, subnet requires a minimum of {mtu_min}"
        )


def check_mtu(network_id: str, mtu: int, ip_version: int) -> None:
    """That a network of this MTU can have a subnet of this family."""
    mtu_min = MTU_MIN_BY_VERSION[ip_version]
    if mtu < mtu_min:
        raise NetworkMTUSubnetConflict(network_id, mtu_min)
