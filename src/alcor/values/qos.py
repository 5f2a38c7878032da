"""QoS policies, as far as more than one manager must know: who keeps which rules, and refusals.

The refusals are Neutron's (neutron_lib.exceptions.qos).
"""

from alcor.values.errors import Conflict, Kind, NotFound, Refusal

# Kept by the placement of machines: a host gets no more of them than it was said to have. (What is
# sent, hosts hold back as well.)
# What has no place of its own, as a router's gateway, can't have them.
PLACED = ("minimum_bandwidth", "minimum_packet_rate")


class QosPolicyNotFound(NotFound):
    """There is no such policy, or it is not theirs to use."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"QoS policy {id_[:255]} could not be found.")


class QosRuleNotSupported(Conflict):
    """Nobody would keep such a rule where it is wanted."""

    def __init__(self, rule_type: str, policy_id: str) -> None:
        super().__init__(
            f"Rule {rule_type} of QoS policy {policy_id} is not supported here: it is for ports "
            "and networks."
        )


class QosPlacementAllocationUpdateConflict(Conflict):
    """What was allocated for a machine that runs would not be what its port asks for."""

    def __init__(self, policy_id: str) -> None:
        super().__init__(
            f"QoS policy {policy_id} has minimum rules: a port gets or loses it only while it is "
            "bound to no host."
        )


class PolicyRemoveAuthorizationError(Refusal):
    """Who gave the policy is the one to take it away."""

    kind = Kind.FORBIDDEN

    def __init__(self, id_: str) -> None:
        super().__init__(f"Failed to remove provided policy {id_} because you are not authorized.")
