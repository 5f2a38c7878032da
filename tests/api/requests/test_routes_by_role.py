"""Who may do what: every route and verb, asked by every role, about a thing of project blue.

The table is `routes_by_role.txt`: status, and for a list whether the thing is in it. It is written
again by `--update`. New routes need no row to be held to the laws; a row that is there must hold.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.api.conftest import tokens

from alcor.gateway.app import GatewaySettings

TABLE = Path(__file__).with_name("routes_by_role.txt")
ROLES = {  # of each token: its project, and the roles there
    "admin": "operators admin member reader",
    "member": "blue member reader",
    "reader": "blue reader",
    "service": "services service",
    "stranger": "red member reader",
}
# Of no project.
OWN_KINDS = (
    *("nodes", "agents", "default_security_group_rules", "availability_zones"),
    *("flavors", "service_profiles", "service_providers", "rule_types"),
    *("network_segment_ranges", "segments"),
)
# What things are found by, where that is not their id.
FILTERS = {
    "network_ip_availability": "network_id",
    "availability_zone": "name",
    "service_provider": "name",
    "rule_type": "type",
    "loggable_resource": "type",
}
# Of the project of what they are about: an administrator has to say which.
OF_ONE_PROJECT = ("tap_service", "tap_flow")
ALIASES: dict[str, dict[str, Any]] = {
    "alias_bandwidth_limit_rule": {"max_kbps": 2},
    "alias_dscp_marking_rule": {"dscp_mark": 8},
    "alias_minimum_bandwidth_rule": {"min_kbps": 2},
    "alias_minimum_packet_rate_rule": {"min_kpps": 2},
}
UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"


class Row(NamedTuple):
    """One route and verb, and what each role is answered."""

    verb: str
    path: str
    answers: dict[str, str]

    def __str__(self) -> str:
        said = " ".join(f"{role}={answer}" for role, answer in self.answers.items())
        return f"{self.verb:<6} {self.path:<62} {said}"


class Scene:
    """Things of project blue, made when a test wants one."""

    def __init__(self, api_by_role: dict[str, Any]) -> None:
        self.api = api_by_role
        admin = api_by_role["admin"]
        self.network: str = admin.network(name="blue", project_id="blue")["id"]
        self.subnet = admin.subnet(self.network, "10.0.0.0/16", project_id="blue")["id"]
        self.outside = ""
        outside = {"name": "outside", "router:external": True}
        external = admin.call("POST", "/v2.0/networks", {"network": outside})
        if external.status == 201:
            self.outside = external.json["network"]["id"]
            admin.subnet(self.outside, "198.18.0.0/16", enable_dhcp=False)
        self.set_free()
        self._count = 0

    def set_free(self) -> None:
        """No project has a quota: things are made by the dozen here."""
        for project in ("blue", "red", "operators", "services"):
            path = f"/v2.0/quotas/{project}"
            limits = self.api["admin"].get(path).json["quota"]
            free = {name: -1 for name in limits if name not in ("project_id", "tenant_id")}
            assert self.api["admin"].call("PUT", path, {"quota": free}).status == 200

    def body(self, kind: str) -> dict[str, Any]:
        """A body that makes one; empty where we know of none."""
        self._count += 1
        number = self._count
        octets = f"{number // 250}.{number % 250}"
        bodies: dict[str, dict[str, Any]] = {
            "network": {"name": "n"},
            "subnet": {"network_id": self.network, "cidr": f"10.{128 + number // 250}."
                       f"{number % 250}.0/24", "ip_version": 4},
            "port": {"network_id": self.network},
            "security_group": {"name": "g"},
            "address_group": {"name": "a", "addresses": []},
            "network_acl": {"network_id": self.network},
            "router": {"name": "r"},
            "subnetpool": {"name": "p", "prefixes": [f"172.{number % 200}.0.0/24"]},
            "address_scope": {"name": "s", "ip_version": 4},
            "policy": {"name": "q"},
            "metering_label": {"name": "l"},
            "log": {"resource_type": "security_group"},
            "network_segment_range": {"network_type": "vxlan", "minimum": 9_000 + number,
                "maximum": 9_000 + number},
            "flavor": {"name": "f", "service_type": "L3_ROUTER_NAT"},
            "service_profile": {"metainfo": "{}"},
            "local_ip": {"network_id": self.network},
            "floatingip": {"floating_network_id": self.outside or UNKNOWN},
            "node": {"name": f"role-{number}", "tunnel_ip": f"192.0.{octets}"},
            "default_security_group_rule": {
                "direction": "ingress", "protocol": "tcp", "port_range_min": number,
                "port_range_max": number},
        }  # fmt: skip
        if kind == "security_group_rule":
            group = self.made("security_group", "/v2.0/security-groups")
            return {"security_group_id": group, "direction": "ingress"}
        if kind == "metering_label_rule":
            label = self.made("metering_label", "/v2.0/metering/metering-labels")
            return {"metering_label_id": label, "direction": "ingress",
                    "remote_ip_prefix": "10.0.0.0/8"}  # fmt: skip
        if kind == "tap_mirror":
            port = self.made("port", "/v2.0/ports")
            return {"port_id": port, "remote_ip": "192.0.2.9", "mirror_type": "gre",
                    "directions": {"IN": number}}  # fmt: skip
        if kind == "tap_service":
            return {"port_id": self.made("port", "/v2.0/ports")}
        if kind == "tap_flow":
            service = self.made("tap_service", "/v2.0/taas/tap_services")
            port = self.made("port", "/v2.0/ports")
            return {"tap_service_id": service, "source_port": port, "direction": "BOTH"}
        if kind == "rbac_policy":
            network = self.made("network", "/v2.0/networks")
            return {"object_type": "network", "object_id": network, "target_tenant": "green",
                    "action": "access_as_shared"}  # fmt: skip
        if kind == "network_acl_rule":
            acl = self.made("network_acl", "/alcor/v1/network-acls")
            return {"network_acl_id": acl, "number": 1, "direction": "ingress", "action": "deny"}
        return bodies.get(kind, {})

    def made(self, kind: str, path: str) -> str:
        """The id of a new one, of project blue; one that is not there when we can make none."""
        if kind in ("quota", "auto_allocated_topology"):
            return "blue"  # a project's id is its quota's
        if kind in ("network_ip_availability", "segment"):
            return self.network
        if kind == "rule_type":
            return "dscp_marking"
        if kind in ALIASES:
            return self._qos_rule(kind.removeprefix("alias_"))
        for role in ("member", "admin"):
            body = self.body(kind)
            if kind == "policy" and role == "admin":
                body["project_id"] = "blue"
            answer = self.api[role].call("POST", path, {kind: body})
            if answer.status == 201:
                return str(answer.json[kind]["id"])
        return UNKNOWN

    def _qos_rule(self, kind: str) -> str:
        policy = self.made("policy", "/v2.0/qos/policies")
        path = f"/v2.0/qos/policies/{policy}/{kind}s"
        body = {kind: ALIASES[f"alias_{kind}"]}
        return str(self.api["admin"].call("POST", path, body).json[kind]["id"])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("roles")
    with control_plane(folder, GatewaySettings(), **tokens(folder, **ROLES)) as api:
        yield Scene({role: api.bearing(role) for role in ROLES} | {"nobody": api})


def asked(scene: Scene, role: str, verb: str, path: str, kind: str, root: str) -> str:
    """The answer to one role; what may be changed is made anew for each."""
    api = scene.api[role]
    if "{" not in path:
        if verb == "POST":
            body = scene.body(kind)
            if role == "admin" and kind in OF_ONE_PROJECT:
                body["project_id"] = "blue"
            return str(api.call(verb, path, {kind: body}).status)
        id_ = scene.made(kind, root)
        wanted = f"{path}?{FILTERS.get(kind, 'id')}={id_}"
        answer = api.call(verb, path if kind == "quota" else wanted)
        if answer.status != 200:
            return str(answer.status)
        listed = answer.json.get(root.rpartition("/")[2].replace("-", "_"), [])
        return "200:sees" if listed else "200:empty"
    there = path.replace("{id}", scene.made(kind, root)).replace("{tag}", "t")
    if verb in ("GET", "DELETE") or "{tag}" in path:
        answer = api.call(verb, there)
        if kind == "quota" and verb == "DELETE":
            scene.set_free()
        return str(answer.status)
    bodies: dict[str, dict[str, Any]] = {
        "tags": {"tags": ["t"]},
        "add_addresses": {"addresses": ["192.0.2.0/24"]},
        "remove_addresses": {"addresses": []},
        "remove_router_interface": {"subnet_id": scene.subnet},
        "add_extraroutes": {"router": {"routes": []}},
        "remove_extraroutes": {"router": {"routes": []}},
        **{
            f"{verb}_external_gateways": {"router": {"external_gateways": []}}
            for verb in ("add", "update", "remove")
        },
        "add_prefixes": {"prefixes": ["172.31.0.0/24"]},
        "remove_prefixes": {"prefixes": []},
    }
    if path.endswith("/add_router_interface"):
        bodies["add_router_interface"] = {"subnet_id": scene.made("subnet", "/v2.0/subnets")}
    if path.endswith("/onboard_network_subnets"):
        bodies["onboard_network_subnets"] = {"network_id": scene.made("network", "/v2.0/networks")}
    if kind == "quota":
        bodies["{id}"] = {"quota": {"port": -1}}
    change: dict[str, Any]
    change = {"name": "other"} if kind == "address_scope" else {"description": "other"}
    if kind == "rbac_policy":
        change = {"target_tenant": "green"}
    change = ALIASES.get(kind, change)
    body = bodies.get(path.rpartition("/")[2], {kind: change})
    return str(api.call(verb, there, body).status)


@pytest.fixture(scope="module")
def rows(scene: Scene) -> list[Row]:
    document = scene.api["nobody"].get("/openapi.json").json
    found = []
    for path, item in document["paths"].items():
        root = path.partition("/{")[0]
        schema = document["paths"].get(root, {}).get("get", {}).get("operationId", "")
        kind = schema.removeprefix("list_")
        if not kind or path.count("{") > 1 + path.count("{tag}") or "{id}" not in path + "{id}":
            continue  # about the API itself, or nested: their managers' own tests ask those
        for verb in ("get", "post", "put", "delete"):
            if verb not in item:
                continue
            answers = {
                role: asked(scene, role, verb.upper(), path, kind, root) for role in scene.api
            }
            found.append(Row(verb.upper(), path, answers))
    return found


def kind_of(row: Row) -> str:
    return row.path.partition("/{")[0].rpartition("/")[2].replace("-", "_")


@pytest.mark.timeout(600)
def test_the_table_holds(rows: list[Row], update: bool) -> None:
    text = "".join(f"{row}\n" for row in rows)
    if update:
        TABLE.write_text(text)
    now = set(text.splitlines())

    changed = [line for line in TABLE.read_text().splitlines() if line not in now]

    assert not changed, "\n".join(changed)


def test_nobody_gets_in_without_a_token(rows: list[Row]) -> None:
    open_ = [str(row) for row in rows if not row.answers["nobody"].startswith("401")]

    assert not open_, "\n".join(open_)


def test_a_stranger_neither_reads_nor_changes_what_is_not_theirs(rows: list[Row]) -> None:
    wrong = [
        str(row)
        for row in rows
        if kind_of(row) not in OWN_KINDS
        and row.answers["admin"].startswith("2")  # otherwise we asked for what can't be had
        and ("{id}" in row.path or row.verb == "GET")
        and row.answers["stranger"][:3] not in ("404", "403", "405")
        and not row.answers["stranger"].endswith("empty")
    ]

    assert not wrong, "\n".join(wrong)


def test_a_reader_changes_nothing(rows: list[Row]) -> None:
    wrong = [
        str(row) for row in rows if row.verb != "GET" and row.answers["reader"].startswith("2")
    ]

    assert not wrong, "\n".join(wrong)


def test_an_administrator_is_refused_nowhere(rows: list[Row]) -> None:
    wrong = [str(row) for row in rows if row.answers["admin"][:3] in ("401", "403")]

    assert not wrong, "\n".join(wrong)


def test_nothing_is_a_fault(rows: list[Row]) -> None:
    wrong = [str(row) for row in rows if any(a.startswith("5") for a in row.answers.values())]

    assert not wrong, "\n".join(wrong)
