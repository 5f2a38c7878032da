"""The document says what the API is, and the API does what the document says.

`--examples` says how many requests are made up for each operation: a few in every run, hundreds
with `make openapi`.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err, Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from alcor.assembly.resources import declared
from alcor.gateway.app import GatewaySettings
from alcor.gateway.description import openapi_own
from alcor.managers.qos.model.rule import TYPES

CHECKS = (
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


def test_the_document_names_every_route(api: Any) -> None:
    document = api.get("/openapi.json").json

    assert document["openapi"] == "3.1.0"
    for path in ("/v2.0/networks", "/v2.0/networks/{id}", "/v2.0/ports/{id}", "/alcor/v1/nodes",
                 "/alcor/v1/batch/ports", "/alcor/v1/ports/{id}/state",
                 "/v2.0/networks/{id}/dhcp-agents", "/v2.0/routers/{id}/l3-agents",
                 "/v2.0/agents/{id}/dhcp-networks", "/v2.0/agents/{id}/l3-routers",
                 "/alcor/v1/traces"):  # fmt: skip
        assert path in document["paths"]
    for alias in (e["alias"] for e in api.listed("/v2.0/extensions")):
        assert isinstance(alias, str)


def test_what_is_not_announced_is_not_described(api: Any, announced: Any) -> None:
    less, more = (
        {e["alias"] for e in each.listed("/v2.0/extensions")} for each in (api, announced)
    )
    hidden = {each.path for each in declared() if each.extension in more - less}

    assert not hidden & api.get("/openapi.json").json["paths"].keys()
    assert hidden <= announced.get("/openapi.json").json["paths"].keys()


def test_every_reference_leads_somewhere(announced: Any) -> None:
    document = announced.get("/openapi.json").json

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in set(references(document)):
        found = document
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]


def test_every_field_of_a_resource_has_a_form(announced: Any) -> None:
    schemas = announced.get("/openapi.json").json["components"]["schemas"]

    formless = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, form in schema.get("properties", {}).items()
        if not form.keys() & {"type", "anyOf", "oneOf", "enum", "const", "$ref", "allOf"}
    ]

    assert not formless


# Whatever whoever binds a port writes there.
FREE = {"Port.binding:profile", "Binding.profile"}


def test_every_object_that_answers_carry_says_its_keys(announced: Any) -> None:
    schemas = announced.get("/openapi.json").json["components"]["schemas"]
    kinds = {openapi_own.name_of(kind) for kind in declared()}

    def bare(form: Any) -> bool:
        if isinstance(form, list):
            return any(map(bare, form))
        if not isinstance(form, dict):
            return False
        says = form.keys() & {"properties", "additionalProperties"}
        return (form.get("type") == "object" and not says) or any(map(bare, form.values()))

    found = {
        f"{kind}.{name}"
        for kind in kinds & schemas.keys()
        for name, form in schemas[kind]["properties"].items()
        if bare(form)
    }

    assert found == FREE


def undescribed(form: dict[str, Any], value: Any, path: str = "") -> list[str]:
    """The places of an answer of which the form says nothing, or something else."""
    if "anyOf" in form:
        return min((undescribed(each, value, path) for each in form["anyOf"]), key=len)
    kind = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    kind[float] = "number"
    if not (value in form["enum"] if "enum" in form else form["type"] == kind[type(value)]):
        return [path]
    if isinstance(value, list):
        return [p for one in value for p in undescribed(form["items"], one, f"{path}[]")]
    if not isinstance(value, dict):
        return []
    properties, others = form.get("properties", {}), form.get("additionalProperties")
    found = []
    for key, inner in value.items():
        known = properties.get(key, others)
        found += undescribed(known, inner, f"{path}.{key}") if known else [f"{path}.{key}"]
    return found


def test_answers_have_the_keys_that_their_forms_say(announced: Any) -> None:
    api = announced
    host = api.make("/alcor/v1/nodes", "node", name="formed", tunnel_ip="192.0.2.201")["id"]
    policy = api.make("/v2.0/qos/policies", "policy", name="q")["id"]
    for type_, values in (
        ("bandwidth_limit", {"max_kbps": 9_000}),
        ("dscp_marking", {"dscp_mark": 8}),
        ("minimum_bandwidth", {"min_kbps": 9}),
        ("minimum_packet_rate", {"min_kpps": 2, "direction": "any"}),
        ("packet_rate_limit", {"max_kpps": 3}),
    ):
        api.make(f"/v2.0/qos/policies/{policy}/{type_}_rules", f"{type_}_rule", **values)
    router = api.make("/v2.0/routers", "router")["id"]
    helper = {"protocol": "udp", "port": 69, "helper": "tftp"}
    api.make(f"/v2.0/routers/{router}/conntrack_helpers", "conntrack_helper", **helper)
    port = api.port(api.network()["id"], **{"binding:host_id": host})["id"]
    schemas = api.get("/openapi.json").json["components"]["schemas"]
    (agent,) = api.listed(f"/v2.0/agents?host={host}")

    for name, path, fields in (
        ("Policy", f"/v2.0/qos/policies/{policy}", ["rules"]),
        *(("RuleType", f"/v2.0/qos/rule-types/{type_}", ["drivers"]) for type_ in TYPES),
        ("Router", f"/v2.0/routers/{router}", ["conntrack_helpers"]),
        ("Port", f"/v2.0/ports/{port}", ["binding:vif_details"]),
        ("Agent", f"/v2.0/agents/{agent['id']}", ["configurations"]),
    ):
        (shown,) = api.get(path).json.values()
        for field in fields:
            assert shown[field], (path, field)
            assert not undescribed(schemas[name]["properties"][field], shown[field], field)


def test_kinds_that_share_a_title_have_schemas_of_their_own(announced: Any) -> None:
    schemas = announced.get("/openapi.json").json["components"]["schemas"]

    assert "mtu" in schemas["Network"]["properties"]
    assert "total_ips" in schemas["NetworkIpAvailability"]["properties"]
    assert "max_kpps" in schemas["PacketRateLimitRule"]["properties"]


def test_there_is_a_page_to_read_it(api: Any) -> None:
    answer = api.get("/docs")

    assert answer.headers["content-type"].startswith("text/html")
    assert b"openapi.json" in answer.body
    assert b"https://" not in answer.body  # nothing is fetched from elsewhere


def operations(api: Any) -> list[Any]:
    """Every operation of the document, to be asked of this API."""
    schema = schemathesis.openapi.from_dict(api.get("/openapi.json").json)
    schema.config.update(base_url=f"http://{api.host}:{api.tcp_port}")
    every = list(schema.get_all_operations())
    assert not [found.err() for found in every if isinstance(found, Err)]
    return [found.ok() for found in every if isinstance(found, Ok)]


def put_ids(value: Any, id_by_key: dict[str, str]) -> None:
    """Put what is there in the place of ids that were made up."""
    for key, inner in list(value.items()) if isinstance(value, dict) else []:
        if key in id_by_key and isinstance(inner, str):
            value[key] = id_by_key[key]
        put_ids(inner, id_by_key)
    for inner in value if isinstance(value, list) else []:
        put_ids(inner, id_by_key)


def known_ids(api: Any, path: str) -> tuple[list[str], dict[str, str]]:
    """Of the collection that a path is of, and of what others refer to."""
    root = path.partition("/{")[0]
    listed = api.get(f"{root}?limit=5")
    collection = root.rpartition("/")[2].replace("-", "_")
    items = listed.json.get(collection, []) if listed.status == 200 and "{" in path else []
    others = {
        f"{kind}_id": api.listed(f"/v2.0/{kind}s?limit=1")
        for kind in ("network", "subnet", "port", "router")
    }
    named = {key: found[0]["id"] for key, found in others.items() if found}
    return [each["id"] for each in items if "id" in each], named


class Asker:
    """Asks one API what is made up for its operations, over one connection."""

    def __init__(self, api: Any, examples: int) -> None:
        self.answers: Counter[int] = Counter()
        self._api = api
        self._examples = examples
        self._session = requests.Session()

    def contradiction(self, operation: Any) -> str:
        """What an answer to this operation says against the document; empty: nothing found."""
        ids, named = known_ids(self._api, operation.path)
        numbers = itertools.count()

        @settings(
            max_examples=self._examples,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            if case.path == "/alcor/v1/convergence":
                case.query = (case.query or {}) | {"timeout": "0"}
            if (number := next(numbers)) % 3:
                if ids and case.path_parameters:
                    case.path_parameters["id"] = ids[number % len(ids)]
                put_ids(case.body, named)
            answer = case.call(session=self._session, timeout=30)
            self.answers[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        try:
            ask()
        except FailureGroup as failures:
            return f"{operation.label}: " + "; ".join(map(str, failures.exceptions))
        return ""

    def tell(self) -> None:
        """Say how much was asked, and how it was answered."""
        counts = ", ".join(f"{n} times {status}" for status, n in sorted(self.answers.items()))
        sys.stdout.write(f"{self.answers.total()} requests: {counts}\n")


@pytest.fixture
def furnished(control_plane: Any, tmp_path: Path) -> Iterator[Any]:
    """A few of everything, on a control plane of its own: chance deletes what others rely on."""
    with control_plane(tmp_path, GatewaySettings()) as announced:
        furnish(announced)
        yield announced


def furnish(announced: Any) -> None:
    for number in range(5):
        net = announced.network(name=f"openapi-{number}")["id"]
        announced.subnet(net, f"10.5{number}.0.0/24")
        announced.port(net)
        announced.make("/alcor/v1/network-acls", "network_acl", network_id=net)
        announced.make("/v2.0/security-groups", "security_group", name=f"g{number}")
        announced.make("/v2.0/routers", "router", name=f"r{number}")
        tunnel_ip = f"192.0.2.{150 + number}"
        announced.make("/alcor/v1/nodes", "node", name=f"oa{number}", tunnel_ip=tunnel_ip)


@pytest.mark.timeout(0)  # as long as its examples take: each request has a limit of its own
# Hypothesis looks whether anybody draws numbers while it makes something up, and the control plane,
# in another thread, may just do so.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
def test_no_answer_contradicts_the_document(furnished: Any, pytestconfig: pytest.Config) -> None:
    examples = pytestconfig.getoption("--examples")
    asked = operations(furnished)
    asker = Asker(furnished, examples)

    try:
        found = [text for each in asked if (text := asker.contradiction(each))]
    finally:
        asker.tell()  # also when it is interrupted

    assert not found, "\n\n".join(found)
    assert asker.answers.total() >= len(asked)
