"""The router, and its conntrack helpers, as clients see them.

Source: Neutron API reference v2, "Routers" and "Router conntrack helper".
"""

from alcor.managers.router.model.conntrack_helper import PROTOCOLS
from alcor.managers.router.model.gateway import gateways_max
from alcor.resource import standard
from alcor.resource.answers import list_answered, record_answered
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    EXACT_CIDR,
    IP,
    UUID,
    FieldType,
    boolean_of,
    integer,
    list_of,
    null_is,
    nullable,
    one_of,
    record_of,
    shown,
    string,
)
from alcor.resource.tags import TAG_LIST

zones_listed_max = 16
fixed_ips_listed_max = 20  # of a gateway
routes_listed_max = 1_000  # of one body; how many a router may have is the manager's setting

_FIXED_IPS = list_of(
    record_of({}, {"subnet_id": UUID, "ip_address": IP}), fixed_ips_listed_max, unique=False
)
_GATEWAY = record_of(
    {"network_id": UUID},
    {"enable_snat": BOOLEAN, "external_fixed_ips": _FIXED_IPS, "qos_policy_id": nullable(UUID)},
)
_ROUTES = list_of(record_of({"destination": EXACT_CIDR, "nexthop": IP}, {}), routes_listed_max)
ROUTES = null_is([], _ROUTES)


_GATEWAY_LIST = list_of(_GATEWAY, gateways_max, unique=False)
_OR_NULL = nullable(_GATEWAY)
_GATEWAY_FORMS = (_OR_NULL.schema, _OR_NULL.shown)
_PARTS = ("network_id", "enable_snat", "external_fixed_ips", "qos_policy_id")


def _parse_gateway(value: object) -> object:
    """Null and the empty object both ask for no gateway."""
    return None if value is None or value == {} else _GATEWAY.parse(value)


def _parse_gateways(value: object) -> object:
    """The empty object is an empty list: openstackclient's `router unset` says so."""
    return [] if value == {} else _GATEWAY_LIST.parse(value)


def _always(what: str) -> FieldType:
    """Every router is so: true, or nothing said."""

    def parse(value: object) -> object:
        if value is not None and not boolean_of(value):
            raise ValueError(f"{shown(value)} is not possible: {what}")
        return True

    schema = {"enum": [True, None]}
    return FieldType("only True", parse, lambda text: boolean_of(text), schema)


_GATEWAYS = _GATEWAY_LIST._replace(parse=_parse_gateways)
_INTERFACE = (
    Field(name="subnet_id", type=nullable(UUID)),
    Field(name="port_id", type=nullable(UUID)),
)
_HELPER = {"protocol": one_of(*PROTOCOLS), "port": integer(1, 65_535), "helper": string(64)}
_SOME_ROUTES = (Field(name="routes", type=ROUTES, default=[]),)

ROUTER = Resource(
    name="router",
    collection="routers",
    title="Router",
    path="/v2.0/routers",
    extension="router",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="admin_state_up", type=BOOLEAN, default=True),
        Field(
            name="external_gateway_info",
            type=FieldType(f"{_GATEWAY.name}, or null", _parse_gateway, None, *_GATEWAY_FORMS),
            default=None,
            parts=_PARTS,
        ),
        read_only("external_gateways", list_answered(_GATEWAY), parts=_PARTS),
        Field(name="enable_default_route_ecmp", type=nullable(BOOLEAN), default=None),
        Field(name="enable_default_route_bfd", type=nullable(BOOLEAN), default=None),
        Field(name="routes", type=ROUTES, post=False),
        Field(name="ha", type=_always("a gateway moves when its host is lost"), default=None),
        Field(name="distributed", type=_always("every host routes"), default=None),
        Field(
            name="availability_zone_hints",
            type=list_of(string(255), zones_listed_max),
            default=[],
            put=False,
        ),
        Field(name="enable_ndp_proxy", type=nullable(BOOLEAN), default=None),
        Field(name="flavor_id", type=nullable(UUID), default=None, put=False),
        standard.DESCRIPTION,
        read_only("status", string(16)),
        read_only("availability_zones", list_of(string(255), zones_listed_max)),
        read_only("conntrack_helpers", list_answered(record_answered(_HELPER))),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
    actions=(
        Action(name="add_router_interface", arguments=_INTERFACE),
        Action(name="remove_router_interface", arguments=_INTERFACE),
        Action(name="add_extraroutes", arguments=_SOME_ROUTES, root="router", answer_root="router"),
        Action(
            name="remove_extraroutes", arguments=_SOME_ROUTES, root="router", answer_root="router"
        ),
        *(
            Action(
                name=f"{verb}_external_gateways",
                arguments=(Field(name="external_gateways", type=_GATEWAYS, required=True),),
                root="router",
                answer_root="router",
            )
            for verb in ("add", "update", "remove")
        ),
    ),
)

CONNTRACK_HELPER = Resource(
    name="conntrack_helper",
    collection="conntrack_helpers",
    title="ConntrackHelper",
    path="/v2.0/routers/{router_id}/conntrack_helpers",
    parent="router_id",
    policy_name="router_conntrack_helper",
    extension="l3-conntrack-helper",
    fields=(
        standard.ID,
        Field(name="protocol", type=one_of(*PROTOCOLS), required=True),
        Field(name="port", type=integer(1, 65_535), required=True),
        Field(name="helper", type=string(64), required=True),
    ),
)
