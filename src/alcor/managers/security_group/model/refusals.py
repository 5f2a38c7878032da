"""Why a rule can't be had, in Neutron's words (neutron.extensions.securitygroup)."""

from alcor.values.errors import Conflict, InvalidInput, NotFound
from alcor.values.protocols import NUMBER_BY_NAME, WITH_PORTS


class SecurityGroupRuleNotFound(NotFound):
    def __init__(self, id_: str) -> None:
        super().__init__(f"Security group rule {id_[:255]} does not exist")


class SecurityGroupRuleExists(Conflict):
    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Security group rule already exists. Rule id is {rule_id}.")


class DuplicateSecurityGroupRuleInPost(Conflict):
    def __init__(self) -> None:
        super().__init__("Duplicate Security Group Rule in POST.")


class SecurityGroupRuleIdInUse(Conflict):
    def __init__(self) -> None:
        super().__init__("Unable to create the security group rule. Its id is in use.")


class SecurityGroupRuleLimitExceeded(Conflict):
    def __init__(self, group_id: str, rules_max: int) -> None:
        super().__init__(f"Security group {group_id} may have at most {rules_max} rules.")


class SecurityGroupRulesNotSingleProject(InvalidInput):
    def __init__(self) -> None:
        super().__init__("Multiple project_ids in bulk security group rule create not allowed")


class SecurityGroupNotSingleGroupRules(InvalidInput):
    def __init__(self) -> None:
        super().__init__("Only allowed to update rules for one security profile at a time")


class SecurityGroupRuleInvalidProtocol(InvalidInput):
    def __init__(self, shown: str) -> None:
        names = [None, "any", *NUMBER_BY_NAME]
        super().__init__(
            f"Security group rule protocol {shown} not supported. Only protocol values {names} "
            "and integer representations [0 to 255] are supported."
        )


class SecurityGroupRuleInvalidEtherType(InvalidInput):
    def __init__(self, shown: str) -> None:
        super().__init__(
            f"Security group rule for ethertype {shown} not supported. "
            "Allowed values are ['IPv4', 'IPv6']."
        )


class InvalidCIDR(InvalidInput):
    def __init__(self, shown: str) -> None:
        super().__init__(f"Invalid CIDR {shown} given as IP prefix.")


class SecurityGroupInvalidPortValue(InvalidInput):
    def __init__(self, shown: object) -> None:
        super().__init__(f"Invalid value for port {shown}")


class SecurityGroupInvalidPortRange(InvalidInput):
    def __init__(self) -> None:
        super().__init__("For TCP/UDP protocols, port_range_min must be <= port_range_max")


class SecurityGroupProtocolRequiredWithPorts(InvalidInput):
    def __init__(self) -> None:
        super().__init__("Must also specify protocol if port range is given.")


class SecurityGroupInvalidProtocolForPort(InvalidInput):
    def __init__(self, number: int) -> None:
        names = ", ".join(name.upper() for name in WITH_PORTS)
        super().__init__(
            f"Ports cannot be specified for protocol {number}. Ports are only supported for "
            f"{names}."
        )


class SecurityGroupInvalidIcmpValue(InvalidInput):
    def __init__(self, field: str, attribute: str, value: int) -> None:
        super().__init__(
            f"Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255."
        )


class SecurityGroupMissingIcmpType(InvalidInput):
    def __init__(self, code: int) -> None:
        super().__init__(
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is "
            "missing."
        )


class SecurityGroupRuleParameterConflict(InvalidInput):
    def __init__(self, ethertype: str, cidr: str) -> None:
        super().__init__(f"Conflicting value ethertype {ethertype} for CIDR {cidr}")


class SecurityGroupEthertypeConflictWithProtocol(InvalidInput):
    def __init__(self, ethertype: str, protocol: str) -> None:
        super().__init__(f"Invalid ethertype {ethertype} for protocol {protocol}.")


class SecurityGroupMultipleRemoteEntites(InvalidInput):
    """The spelling is Neutron's."""

    def __init__(self) -> None:
        super().__init__(
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be "
            "provided."
        )
