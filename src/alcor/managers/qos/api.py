"""QoS policies, their rules, and the types of rules as clients see them.

Source: Neutron API reference v2, "QoS policies", "QoS rule types".
"""

from collections.abc import Sequence

from alcor.contracts.resources import Filter
from alcor.managers.qos.model import rule
from alcor.resource import standard
from alcor.resource.answers import either_answered, list_answered, record_answered
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    UUID,
    FieldType,
    integer,
    integer_of,
    one_of,
    shown,
    string,
)
from alcor.resource.tags import TAG_LIST

RULE_OF_ALIAS = "alias_"
_RATE = integer(0, (1 << 31) - 1)
_DIRECTION = Field(name="direction", type=one_of("egress", "ingress"), default="egress")
_MARKS = (0, *range(8, 42, 2), 44, 46, 48, 56)


def _parse_mark(value: object) -> int:
    mark = integer_of(value)
    if mark not in _MARKS:
        raise ValueError(f"{shown(value)} is not in {list(_MARKS)}")
    return mark


_MARK = FieldType("DSCP mark", _parse_mark, integer(0, 63).of_query, {"enum": list(_MARKS)})

_VALUES_BY_TYPE: dict[str, tuple[Field, ...]] = {
    rule.BANDWIDTH_LIMIT: (
        Field(name="max_kbps", type=_RATE, required=True),
        Field(name="max_burst_kbps", type=_RATE, default=0),
        _DIRECTION,
    ),
    rule.DSCP_MARKING: (Field(name="dscp_mark", type=_MARK, required=True),),
    rule.MINIMUM_BANDWIDTH: (Field(name="min_kbps", type=_RATE, required=True), _DIRECTION),
    rule.MINIMUM_PACKET_RATE: (
        Field(name="min_kpps", type=_RATE, required=True),
        Field(name="direction", type=one_of(rule.ANY, "egress", "ingress"), default="egress"),
    ),
    rule.PACKET_RATE_LIMIT: (
        Field(name="max_kpps", type=_RATE, required=True),
        Field(name="max_burst_kpps", type=_RATE, default=0),
        _DIRECTION,
    ),
}
# A rule has the values of its type, and no others.
_RULE = {
    "id": UUID,
    "qos_policy_id": UUID,
    "type": one_of(*rule.TYPES),
    **{each.name: each.type for fields in _VALUES_BY_TYPE.values() for each in fields},
    "direction": one_of(rule.ANY, "egress", "ingress"),
}

POLICY = Resource(
    name="policy",
    collection="policies",
    title="QosPolicy",
    path="/v2.0/qos/policies",
    tags_path="/v2.0/policies",
    extension="qos",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        standard.DESCRIPTION,
        Field(name="shared", type=BOOLEAN, default=False),
        Field(name="is_default", type=BOOLEAN, default=False),
        read_only("rules", list_answered(record_answered(_RULE))),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
)

_EXTENSION_BY_TYPE = {
    rule.MINIMUM_PACKET_RATE: "qos-pps-minimum",
    rule.PACKET_RATE_LIMIT: "qos-pps",
}
_ALIAS_BY_TYPE = {
    rule.BANDWIDTH_LIMIT: "qos-rules-alias",
    rule.DSCP_MARKING: "qos-rules-alias",
    rule.MINIMUM_BANDWIDTH: "qos-rules-alias",
    rule.MINIMUM_PACKET_RATE: "qos-pps-minimum-rule-alias",
}
ALIASED = tuple(_ALIAS_BY_TYPE)


def rules_of(type_: str) -> Resource:
    """The rules of one type, under their policies."""
    return Resource(
        name=f"{type_}_rule",
        collection=f"{type_}_rules",
        title="QosRule",
        path=f"/v2.0/qos/policies/{{qos_policy_id}}/{type_}_rules",
        parent="qos_policy_id",
        policy_name=f"policy_{type_}_rule",
        extension=_EXTENSION_BY_TYPE.get(type_, "qos"),
        fields=(standard.ID, *_VALUES_BY_TYPE[type_]),
    )


def alias_of(type_: str) -> Resource:
    """The rules of one type by their ids alone."""
    return Resource(
        name=f"{RULE_OF_ALIAS}{type_}_rule",
        collection=f"{RULE_OF_ALIAS}{type_}_rules",
        title="QosRule",
        path=f"/v2.0/qos/alias-{type_.replace('_', '-')}-rules",
        extension=_ALIAS_BY_TYPE[type_],
        creatable=False,
        fields=rules_of(type_).fields,
    )


def _of_any_driver(texts: Sequence[str]) -> list[Filter]:
    """Every type is kept, and by all hosts alike: both filters mean all types."""
    return []


_DRIVER = {
    "name": string(255),
    "supported_parameters": list_answered(
        record_answered(
            {
                "parameter_name": string(64),
                "parameter_type": one_of("choices", "range"),
                "parameter_values": either_answered(
                    list_answered(either_answered(integer(0, 63), string(16))),
                    record_answered({"start": _RATE, "end": _RATE}),
                ),
            }
        )
    ),
}
RULE_TYPE = Resource(
    name="rule_type",
    collection="rule_types",
    title="QosRuleType",
    path="/v2.0/qos/rule-types",
    extension="qos",
    is_id=lambda text: text in rule.TYPES,
    creatable=False,
    updatable=False,
    deletable=False,
    special_filters={"all_rules": _of_any_driver, "all_supported": _of_any_driver},
    fields=(
        read_only("type", string(255)),
        read_only("drivers", list_answered(record_answered(_DRIVER))),
    ),
)


def parameters_of(type_: str) -> list[dict[str, object]]:
    """What hosts can be told by a rule of a type (Neutron API reference, "QoS rule types")."""
    fields = {field.name: field.type for field in _VALUES_BY_TYPE[type_]}
    return [
        {
            "parameter_name": name,
            "parameter_type": "choices" if "enum" in of.schema else "range",
            "parameter_values": of.schema.get("enum")
            or {"start": of.schema["minimum"], "end": of.schema["maximum"]},
        }
        for name, of in fields.items()
    ]
