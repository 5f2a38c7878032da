"""The routes of the original Alcor, each a translation onto one of the Networking API's.

`/project/{project}/vpcs` and `/v4/{project}/vpcs` are networks, and so on: paths, keys and names of
fields are theirs; what is done, refused and answered, and with which status, is the API's. Source:
the original's REST controllers, last revision of 2022.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from alcor.contracts.resources import Caller
from alcor.gateway.errors import not_allowed, not_found
from alcor.gateway.own.inner import Within, inner
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response, encode
from alcor.resource import body

_decode = msgspec.json.Decoder().decode


class Kind(NamedTuple):
    """A kind of the original's: its keys and the names of its fields, and ours."""

    path: str
    one: str
    many: str
    ours_one: str
    ours_many: str
    fields: Mapping[str, str] = {}  # ours by theirs
    owned: bool = True  # by a project itself, not through another


_OF_PROJECTS = {
    "vpcs": Kind("/v2.0/networks", "network", "vpcs", "network", "networks"),
    "subnets": Kind("/v2.0/subnets", "subnet", "subnets", "subnet", "subnets"),
    "ports": Kind("/v2.0/ports", "port", "ports", "port", "ports"),
    "routers": Kind("/v2.0/routers", "router", "routers", "router", "routers"),
    "security-groups": Kind(
        "/v2.0/security-groups",
        *("security_group", "security_groups", "security_group", "security_groups"),
    ),
    "security-group-rules": Kind(
        "/v2.0/security-group-rules",
        *("security_group_rule", "security_group_rules"),
        *("security_group_rule", "security_group_rules"),
    ),
    "network-acls": Kind(
        "/alcor/v1/network-acls",
        *("network_acl", "network_acls", "network_acl", "network_acls"),
        {"vpc_id": "network_id", "associated_subnets": "subnet_ids"},
    ),
    "network-acl-rules": Kind(
        "/alcor/v1/network-acl-rules",
        *("network_acl_rule", "network_acl_rules", "network_acl_rule", "network_acl_rules"),
        owned=False,
    ),
}
_ELASTIC_IPS = Kind(
    "/v2.0/floatingips",
    *("elasticip", "elasticips", "floatingip", "floatingips"),
    {"elastic_ip": "floating_ip_address", "private_ip": "fixed_ip_address"},
)
_OF_PROJECTS["elasticips"] = _ELASTIC_IPS
_NODES = Kind(
    "/alcor/v1/nodes",
    *("host_info", "host_infos", "node", "nodes"),
    {"node_name": "name", "local_ip": "tunnel_ip"},
)
_OF_ROUTERS = frozenset(
    f"{verb}_{what}" for verb in ("add", "remove") for what in ("router_interface", "extraroutes")
)


class Originals:
    """Finds and answers the original's routes."""

    def __init__(self, limits: Limits, within: Within) -> None:
        self._limits = limits
        self._within = within

    def found(self, path: str) -> tuple[Any, str] | None:
        """Who answers, and the name of the route; None: it is none of these."""
        first, *rest = path[1:].split("/")
        if first == "nodes" and len(rest) <= 1:
            answering = partial(self._on_kind, kind=_NODES, project="", rest=rest)
            return answering, f"/nodes{_route(rest)}"
        if first == "macs" and len(rest) == 1:
            return partial(self._on_mac, mac=rest[0]), "/macs/mac"
        if first not in ("project", "v4") or not 2 <= len(rest) <= 4 or not rest[0]:
            return None
        project, name, *more = rest
        if name == "quotas":
            return partial(self._on_quota, project=project, rest=more), "/project/id/quotas"
        if kind := _OF_PROJECTS.get(name):
            answering = partial(self._on_kind, kind=kind, project=project, rest=more)
            return answering, f"/project/id/{name}{_route(more)}"
        return None

    async def _on_kind(
        self, request: Request, caller: Caller, *, kind: Kind, project: str, rest: list[str]
    ) -> Response:
        if not _may_ask(caller, project):
            return not_found()
        if rest == ["bulk"]:
            return await self._bulk(request, caller, kind, project)
        action = kind.ours_one == "router" and len(rest) == 2 and rest[1] in _OF_ROUTERS
        if len(rest) > 1 and not action:
            return not_found()
        query = request.query
        if request.method == "GET" and not rest and project and kind.owned:
            query += (b"&" if query else b"") + b"project_id=" + quote(project, safe="").encode()
        path = "/".join([kind.path, *rest])
        content = await request.body()
        if content and not action:
            given = _asked(kind, body.decoded(content), project, creating=not rest)
            if kind is _ELASTIC_IPS:
                await self._place(request, caller, given)
            content = encode(given)
        asked = inner(request, self._limits, request.method, path, content, query=query)
        return _answered(kind, await self._within(asked, caller))

    async def _place(self, request: Request, caller: Caller, given: dict[str, Any]) -> None:
        """An elastic IP of the original's is of no network: ours is of the only external one."""
        for item in given.values():
            if not isinstance(item, dict):
                continue
            item.pop("elastic_ip_version", None)  # an address says it itself
            if "floating_network_id" in item or request.method != "POST":
                continue
            query = b"router:external=True&fields=id&limit=2"
            asked = inner(request, self._limits, "GET", "/v2.0/networks", query=query)
            answer = await self._within(asked, caller)
            found = _decode(answer.body).get("networks", []) if answer.status == 200 else []
            if len(found) == 1:
                item["floating_network_id"] = found[0]["id"]

    async def _bulk(self, request: Request, caller: Caller, kind: Kind, project: str) -> Response:
        """POST makes all or nothing; PUT changes each by its `id`."""
        if request.method not in ("POST", "PUT"):
            return not_allowed("POST, PUT")
        given = _asked(kind, body.decoded(await request.body()), project, creating=True)
        if request.method == "POST":
            asked = inner(request, self._limits, "POST", kind.path, encode(given))
            return _answered(kind, await self._within(asked, caller))
        batch = encode({"update": given.get(kind.ours_many)})
        path = f"/alcor/v1/batch/{kind.ours_many}"
        return await self._within(inner(request, self._limits, "POST", path, batch), caller)

    async def _on_mac(self, request: Request, caller: Caller, *, mac: str) -> Response:
        """Who has a MAC address: read from the ports, whose it is."""
        if request.method != "GET":
            return not_allowed("GET")
        query = f"mac_address={quote(mac, safe='')}&limit=1".encode()
        answer = await self._within(
            inner(request, self._limits, "GET", "/v2.0/ports", query=query), caller
        )
        ports = _decode(answer.body).get("ports") if answer.status == 200 else None
        if not ports:
            return answer if answer.status != 200 else not_found()
        port = ports[0]
        state = {
            "mac_address": port["mac_address"],
            "project_id": port["project_id"],
            "vpc_id": port["network_id"],
            "port_id": port["id"],
            "state": "Active",
        }
        return Response(200, encode({"mac_state": state}))

    async def _on_quota(
        self, request: Request, caller: Caller, *, project: str, rest: list[str]
    ) -> Response:
        path = "/".join(["/v2.0/quotas", *rest])
        asked = inner(request, self._limits, request.method, path, await request.body())
        return await self._within(asked, caller)


def _may_ask(caller: Caller, project: str) -> bool:
    return not project or project == caller.project_id or caller.sees_all


def _route(rest: list[str]) -> str:
    return "" if not rest else "/bulk" if rest == ["bulk"] else "/id" if len(rest) == 1 else "/id/x"


def _asked(kind: Kind, given: dict[str, Any], project: str, *, creating: bool) -> dict[str, Any]:
    """The body in our words; what is made is of the path's project."""
    ours = {kind.one: kind.ours_one, kind.many: kind.ours_many}
    named = {ours.get(key, key): value for key, value in given.items()}
    for value in named.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _rename(item, kind.fields)
                if (
                    creating
                    and project
                    and kind.owned
                    and not item.keys() & {"project_id", "tenant_id", "id"}
                ):
                    item["project_id"] = project
    return named


def _answered(kind: Kind, answer: Response) -> Response:
    """The answer in their words; errors stay as they are."""
    if answer.status >= 300 or not answer.body:
        return answer
    theirs = {kind.ours_one: kind.one, kind.ours_many: kind.many}
    named = {theirs.get(key, key): value for key, value in _decode(answer.body).items()}
    back = {ours: their for their, ours in kind.fields.items()}
    for value in named.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _rename(item, back)
    return answer._replace(body=encode(named))


def _rename(item: dict[str, Any], names: Mapping[str, str]) -> None:
    for old, new in names.items():
        if old in item:
            item[new] = item.pop(old)
