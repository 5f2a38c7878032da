"""QoS policies, as far as more than one manager must know: which rules hosts keep, and refusals.

The refusals are Neutron's (neutron_lib.exceptions.qos).
"""

from alcor.values.errors import Conflict, Kind, NotFound, Refusal

# A policy with a rule of another type no network or port can be given.
ENFORCED = ("bandwidth_limit", "dscp_marking", "packet_rate_limit")


class QosPolicyNotFound(NotFound):
    """There is no such policy, or it is not theirs to use."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"QoS policy {id_[:255]} could not be found.")


class QosRuleNotSupported(Conflict):
    """Hosts can't keep such a rule."""

    def __init__(self, rule_type: str, policy_id: str) -> None:
        super().__init__(
            f"Rule {rule_type} of QoS policy {policy_id} is not supported by the hosts: nothing "
            "can have it."
        )


class PolicyRemoveAuthorizationError(Refusal):
    """Who gave the policy is the one to take it away."""

    kind = Kind.FORBIDDEN

    def __init__(self, id_: str) -> None:
        super().__init__(f"Failed to remove provided policy {id_} because you are not authorized.")
