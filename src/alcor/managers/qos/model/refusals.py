"""Why a policy or a rule can't be had, in Neutron's words (neutron_lib.exceptions.qos)."""

from alcor.values.errors import Conflict, NotFound


class QosRuleNotFound(NotFound):
    """There is no such rule in the policy."""

    def __init__(self, id_: str, policy_id: str) -> None:
        super().__init__(f"QoS rule {id_[:255]} for policy {policy_id[:255]} could not be found.")


class QosPolicyInUse(Conflict):
    """Something has the policy."""

    def __init__(
        self, id_: str, reason: str = "is used by networks, ports, routers or floating IPs"
    ) -> None:
        super().__init__(f"QoS Policy {id_} {reason}.")


class QosPolicyIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the QoS policy. Its id is in use.")


class QosRuleIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the QoS rule. Its id is in use.")


class QoSPolicyDefaultAlreadyExists(Conflict):
    """A project has one default policy."""

    def __init__(self, project_id: str) -> None:
        super().__init__(f"A default QoS policy exists for project {project_id}.")


class QoSRulesConflict(Conflict):
    """The policy has such a rule already."""

    def __init__(self, rule_type: str, rule_id: str, policy_id: str) -> None:
        super().__init__(
            f"Rule {rule_type} conflicts with rule {rule_id} which already exists in QoS Policy "
            f"{policy_id}."
        )


class QoSRuleParameterConflict(Conflict):
    """A minimum would be above its maximum, or of a direction that is counted with another."""

    def __init__(self, value: int | str, policy_id: str, type_: str, held: int | str) -> None:
        super().__init__(
            f"Unable to add the rule with value {value} to the policy {policy_id} as the existing "
            f"rule of type {type_} restricts it to {held}."
        )


class QosRuleTypeNotFound(NotFound):
    """Hosts know no such type of rule."""

    def __init__(self, name: str) -> None:
        super().__init__(f"QoS rule type {name[:255]} could not be found.")
