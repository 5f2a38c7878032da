"""Whatever comes over HTTP, the answer is never a fault of ours (5xx)."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alcor.managers.network.api import NETWORK
from alcor.managers.node.api import AGENT, NODE
from alcor.managers.port.api import PORT
from alcor.managers.subnet.api import SUBNET
from alcor.managers.trunk.api import TRUNK
from alcor.resource.declaration import Resource

RESOURCES = (NETWORK, SUBNET, PORT, NODE, AGENT, TRUNK)
UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"

quick = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

addresses = st.sampled_from(
    [
        "10.0.0.1",
        "10.0.0.0/24",
        "10.0.0.0/31",
        "0.0.0.0/0",
        "2001:db8::/64",
        "::",
        "::1/128",
        "fe80::1",
        "255.255.255.255/32",
        "ff02::1",
        "fa:16:3e:00:00:01",
        "ff:ff:ff:ff:ff:ff",
        UNKNOWN,
        "vxlan",
        "slaac",
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.sampled_from([0, 1, 4, 6, 1450, 1 << 24, 65_535, (1 << 63) - 1, 1 << 63, -1])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=300)
    | addresses
)
records = st.dictionaries(
    st.sampled_from(
        ["ip_address", "subnet_id", "start", "end", "destination", "nexthop", "mac_address", "x"]
    ),
    scalars,
    max_size=4,
)
values = st.recursive(
    scalars | records,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def names(resource: Resource) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(resource.field_by_name)) | st.text(max_size=5)


def members(resource: Resource, parent: str) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that are often nearly right: what is required is there and may be spoilt."""
    right_by_name: dict[str, dict[str, Any]] = {
        "subnet": {"network_id": parent, "ip_version": 4, "cidr": "10.0.0.0/24"},
        "port": {"network_id": parent},
        "node": {"id": "fuzz", "tunnel_ip": "192.0.2.200"},
    }
    right = right_by_name.get(resource.name, {})
    return st.dictionaries(names(resource), values, max_size=4).map(lambda more: right | more)


@pytest.fixture(scope="module")
def parent(api: Any) -> str:
    return str(api.network(name="fuzz")["id"])


def check(answer: Any) -> None:
    assert answer.status < 500, answer
    if answer.status >= 400:
        assert answer.json["NeutronError"].keys() == {"type", "message", "detail"}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
@quick
@given(data=st.data())
def test_bodies_are_answered(
    api: Any, parent: str, resource: Resource, data: st.DataObject
) -> None:
    one = members(resource, parent)
    body = data.draw(
        st.builds(lambda m: {resource.name: m}, one)
        | st.builds(lambda ms: {resource.collection: ms}, st.lists(one, max_size=3))
        | values
    )
    change = {resource.name: data.draw(one)}
    answer = api.call("POST", resource.path, body)
    check(answer)
    if answer.status == 201:
        made = answer.json.get(resource.collection) or [answer.json[resource.name]]
        for each in made:
            path = f"{resource.path}/{each['id']}"
            check(api.call("PUT", path, change))
            check(api.call("DELETE", path))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
@quick
@given(data=st.data())
def test_queries_are_answered(api: Any, resource: Resource, data: st.DataObject) -> None:
    key = names(resource) | st.sampled_from(
        ["limit", "marker", "page_reverse", "fields", "sort_key", "sort_dir", "changed_since"]
    )
    value = names(resource) | scalars.map(str) | st.sampled_from(["asc", "desc", "True", UNKNOWN])
    pairs = data.draw(st.lists(st.tuples(key, value), max_size=6))
    query = "&".join(f"{quote(k)}={quote(v)}" for k, v in pairs)
    check(api.get(f"{resource.path}?{query}"))


@quick
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    path=st.text(st.characters(codec="utf-8"), max_size=60)
    | st.sampled_from([r.path for r in RESOURCES]).flatmap(
        lambda p: st.text(st.characters(codec="utf-8"), max_size=20).map(lambda t: f"{p}/{t}")
    ),
    body=st.binary(max_size=200),
)
def test_paths_and_bytes_are_answered(api: Any, method: str, path: str, body: bytes) -> None:
    answer = api.call(method, "/" + quote(path.lstrip("/")), body)
    assert answer.status < 500
