"""The API's resources: make, list, find, change, delete, and wait for hosts.

Resources are the API's own JSON objects: this client neither knows nor hides their fields.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import msgspec

from alcor.client.connection import ClientError, Connection, Refused, Trust, Unreachable

wait_grace_s = 10.0  # how much longer than its own limit a wait may take to answer

Item = dict[str, Any]


class Kind(NamedTuple):
    """A kind of resource: its name in bodies, and where its collection is.

    `called` is the field by which people name one (empty: by its id alone), `command` the one that
    knows the kind. The path of what lives under another kind has `{parent}` where the other's id
    goes.
    """

    name: str
    collection: str
    path: str
    key: str = "id"
    called: str = "name"
    command: str = ""

    def under(self, parent: str) -> "Kind":
        """The kind under one parent."""
        return self._replace(path=self.path.format(parent=quote(parent, safe="")))


NETWORK = Kind("network", "networks", "/v2.0/networks")
SUBNET = Kind("subnet", "subnets", "/v2.0/subnets")
PORT = Kind("port", "ports", "/v2.0/ports")
NODE = Kind("node", "nodes", "/alcor/v1/nodes")
ROUTER = Kind("router", "routers", "/v2.0/routers")
FLOATING_IP = Kind("floatingip", "floatingips", "/v2.0/floatingips", called="floating_ip_address")
AGENT = Kind("agent", "agents", "/v2.0/agents")


class NotThere(ClientError):
    """Nothing has the name or id that was given."""


class NotOne(ClientError):
    """Several have the name that was given."""


class Created(NamedTuple):
    """What was made, in the order asked for, and the revision to wait for."""

    items: list[Item]
    revision: str


class LaggingHost(msgspec.Struct, frozen=True):
    """A host that has not applied what was waited for; positions are the intent log's."""

    host: str
    applied: int = 0
    wanted: int = 0
    connected: bool = True


class Convergence(msgspec.Struct, frozen=True):
    """Whether all hosts concerned have applied a revision, and who has not."""

    revision: str
    converged: bool
    hosts: list[LaggingHost] = []


class _Ready(msgspec.Struct, frozen=True):
    checks: dict[str, bool]


# What metrics tell the end of, by their labels.
_ENDS: Mapping[str, Callable[[Mapping[str, str]], str | None]] = {
    "alcor_certificate_end_timestamp_seconds": lambda labels: (
        "agents.tls_certificate" if labels.get("role") == "delivery" else None
    ),
    "alcor_credentials_end_timestamp_seconds": lambda labels: labels.get("setting"),
}


class Api:
    """The public API at one endpoint."""

    def __init__(
        self, endpoint: str, project: str = "", token: str = "", *, trust: Trust = True
    ) -> None:
        self.endpoint = endpoint
        self._connection = Connection(endpoint, project, token, trust=trust)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def checks(self) -> dict[str, bool]:
        """Which parts of the process that answers can do their work, by name."""
        answer = self._connection.request("GET", "/readyz", good=503)
        try:
            return msgspec.convert(answer.body, _Ready).checks
        except msgspec.ValidationError:  # of a proxy before it, say
            message = "what answers does not say how its parts are: is this Alcor's API?"
            raise ClientError(message) from None

    def ends(self) -> dict[str, float]:
        """When what the process that answers proves itself by ends, since the epoch, by its setting
        (infinity: never; 0: it can't be used). Nothing where a proxy closes /metrics."""
        from prometheus_client.parser import text_string_to_metric_families  # few calls need it

        try:
            said = str(self._connection.request("GET", "/metrics", text=True).body)
            families = list(text_string_to_metric_families(said))
        except (Refused, ValueError):
            return {}
        return {
            what: sample.value
            for family in families
            if (of := _ENDS.get(family.name)) is not None
            for sample in family.samples
            if (what := of(sample.labels)) is not None
        }

    def create(self, kind: Kind, items: Sequence[Mapping[str, Any]]) -> Created:
        """Make all of `items` in one call, or none."""
        body: Item = {kind.collection: items} if len(items) != 1 else {kind.name: items[0]}
        answer = self._connection.request("POST", kind.path, body=body)
        one = [answer.body[kind.name]] if len(items) == 1 else answer.body[kind.collection]
        return Created(one, answer.revision)

    def list_page(self, kind: Kind, filters: Sequence[tuple[str, str]] = ()) -> list[Item]:
        """Those that match: (field, value) pairs, or any of the API's list parameters."""
        answer = self._connection.request("GET", kind.path, query=filters)
        items: list[Item] = answer.body[kind.collection]
        return items

    def list_all(
        self, kind: Kind, filters: Sequence[tuple[str, str]], limit: int, page_items: int
    ) -> Iterator[Item]:
        """Those that match, page after page: at most `limit`, or (0) all."""
        left, marker = limit, ""
        while True:
            size = min(left or page_items, page_items)
            after = [("marker", marker)] if marker else []
            page = self._connection.request(
                "GET", kind.path, query=[*filters, ("limit", str(size)), *after]
            ).body
            yield from page[kind.collection]
            left -= len(page[kind.collection])
            links = page.get(f"{kind.collection}_links", ())
            if (limit and left <= 0) or not any(link["rel"] == "next" for link in links):
                return
            marker = str(page[kind.collection][-1][kind.key])

    def show(self, kind: Kind, key: str) -> Item:
        """The one of this id."""
        answer = self._connection.request("GET", f"{kind.path}/{quote(key, safe='')}")
        item: Item = answer.body[kind.name]
        return item

    def find(self, kind: Kind, name_or_id: str) -> Item:
        """The one of this id, or else called so; `NotThere` or `NotOne`."""
        try:
            return self.show(kind, name_or_id)
        except Refused as refused:
            if refused.status not in (400, 404):
                raise
        by_name = [(kind.called, name_or_id)]
        named = self.list_page(kind, by_name) if kind.called and kind.key == "id" else []
        if len(named) > 1:
            ids = ", ".join(str(item[kind.key]) for item in named[:5])
            raise NotOne(
                f"{len(named)} {kind.collection} are called '{name_or_id}': {ids}; use an id"
            )
        if not named:
            command = kind.command or kind.name
            raise NotThere(f"there is no {kind.name} '{name_or_id}': see `alcor {command} list`")
        return named[0]

    def update(self, kind: Kind, key: str, changes: Mapping[str, Any]) -> tuple[Item, str]:
        """Change fields of one; returns it and the revision."""
        path = f"{kind.path}/{quote(key, safe='')}"
        answer = self._connection.request("PUT", path, body={kind.name: changes})
        return answer.body[kind.name], answer.revision

    def act(
        self, kind: Kind, key: str, verb: str, body: Mapping[str, Any], method: str = "PUT"
    ) -> tuple[Any, str]:
        """Do one of a resource's own actions; returns what it answers and the revision."""
        path = f"{kind.path}/{quote(key, safe='')}/{verb}"
        sent = None if method == "GET" else dict(body)
        answer = self._connection.request(method, path, body=sent)
        return answer.body, answer.revision

    def tag(self, path: str, key: str, tag: str, *, on: bool) -> str:
        """Put a tag on one of the collection at this path, or take it off; returns the revision."""
        target = f"{path}/{quote(key, safe='')}/tags/{quote(tag, safe='')}"
        return self._connection.request("PUT" if on else "DELETE", target).revision

    def port_state(self, id_: str) -> Item:
        """How a port is on its host, and why it is not up."""
        answer = self._connection.request("GET", f"/alcor/v1/ports/{quote(id_, safe='')}/state")
        state: Item = answer.body["port_state"]
        return state

    def delete(self, kind: Kind, key: str) -> str:
        """Delete one; returns the revision."""
        path = f"{kind.path}/{quote(key, safe='')}"
        return self._connection.request("DELETE", path).revision

    def wait(self, revision: str, timeout_s: float) -> Convergence:
        """Wait until all hosts concerned have applied the revision, or the time is up."""
        answer = self._connection.request(
            "GET",
            "/alcor/v1/convergence",
            query=[("revision", revision), ("timeout", f"{timeout_s:g}")],
            timeout_s=timeout_s + wait_grace_s,
        )
        return msgspec.convert(answer.body, Convergence)

    def trace(self, packet: Mapping[str, Any]) -> Item:
        """What becomes of a packet, by what is intended."""
        answer = self._connection.request("POST", "/alcor/v1/traces", body={"trace": packet})
        found: Item = answer.body["trace"]
        return found

    def ready(self) -> bool:
        """Whether the control plane can take requests now; `Unreachable` when there is none."""
        try:
            self._connection.request("GET", "/readyz", timeout_s=5.0)
        except Refused:
            return False
        return True

    def answers(self) -> bool:
        """Whether there is a control plane that can take requests now."""
        with suppress(Unreachable):
            return self.ready()
        return False
